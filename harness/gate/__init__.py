"""Two versions of an app, side by side in one job: schedule, measurement, decision, report."""
