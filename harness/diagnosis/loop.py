"""One line keeps the event loop from everything else."""

from __future__ import annotations

from harness.diagnosis.reading import by_place, percent
from harness.judgement import Diagnosis
from harness.record import Cause, VariantResult

HELD_SHARE = 0.10  # of the window, by one line
LIBRARY_HELD_SHARE = 0.30  # where no line of the app is in the stack


def loop_blocked(result: VariantResult) -> Diagnosis | None:
    window_s = result.figures.window_s or 0.0
    for place, holds in by_place(result.holds, lambda h: h.user or h.offender):
        held_s, times = sum(h.per_loop_s for h in holds), sum(h.times for h in holds)
        if held_s < (HELD_SHARE if holds[0].user else LIBRARY_HELD_SHARE) * window_s:
            continue
        routes = ", ".join(sorted({h.route for h in holds if h.route}))
        return Diagnosis(
            cause=Cause.LOOP_BLOCKED,
            frame=place,
            message=f"The event loop serialises: {place} keeps it in {holds[0].offender}"
            + (f" while serving {routes}." if routes else "."),
            evidence=f"{percent(held_s / window_s)} of the window, {times} times, "
            f"{sum(h.held_s for h in holds) / max(1, times) * 1000:.0f} ms each",
        )
    return None
