"""How far another machine's monotonic clock is from ours, by round trips. Pure.

A message that leaves at a, is answered at t by the other clock and is back at b has been answered between a and b of ours: the offset is
t − (a + b) / 2, wrong by (b − a) / 2 at most (Cristian, *Probabilistic clock synchronization*, 1989). The shortest of many round trips counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BOUND_S = 0.005  # beyond this, a response time or a schedule lag of milliseconds would say nothing


@dataclass(frozen=True)
class Offset:
    """Another clock is ``offset_s`` ahead of ours, give or take ``error_s``."""

    offset_s: float = 0.0
    error_s: float = 0.0

    def theirs(self, ours_s: float) -> float:
        """A moment of ours, by the other clock."""
        return ours_s + self.offset_s

    def ours(self, theirs_s: float) -> float:
        """A moment of the other clock, by ours."""
        return theirs_s - self.offset_s


SAME = Offset()


def best_offset(trips: Iterable[tuple[float, float, float]]) -> Offset:
    """From round trips as (left by our clock, answered by theirs, back by ours), at least one."""
    left_s, answered_s, back_s = min(trips, key=lambda trip: trip[2] - trip[0])
    return Offset(answered_s - (left_s + back_s) / 2, (back_s - left_s) / 2)


def disagreement(first: Offset, last: Offset, bound_s: float = BOUND_S) -> str | None:
    """Why times of the other clock cannot be used, from the offset before the load and the one after it; None when they can."""
    error_s = max(first.error_s, last.error_s)
    if error_s > bound_s:
        return f"its clock is known only to within {error_s * 1000:.1f} ms, more than {bound_s * 1000:g} ms: the way to it is too slow"
    drift_s = abs(last.offset_s - first.offset_s)
    if drift_s > bound_s:
        return f"its clock moved by {drift_s * 1000:.1f} ms against the master's during the trial, more than {bound_s * 1000:g} ms"
    return None
