"""Runs inside the target: sees what clients cannot see, from outside the app's code."""
