"""How many requests are in flight: their exact mean over a stretch of time, whenever somebody looks. Pure."""

from __future__ import annotations


class MeanInFlight:
    """The integral of the number in flight over time.

    A look at the number itself from the loop would never see a request that begins and ends within one step of it.
    """

    def __init__(self, now_s: float) -> None:
        self._known = (
            0.0,
            now_s,
            0,
        )  # integral, up to when, how many since: one tuple, so that any thread reads them together
        self._taken = 0.0, now_s

    def change(self, at_s: float, by: int) -> None:
        """At this time so many more are in flight."""
        integral, since_s, count = self._known
        self._known = integral + count * (at_s - since_s), at_s, count + by

    def take(self, now_s: float) -> float:
        """The mean number since the last call."""
        integral, since_s, count = self._known
        integral += count * (now_s - since_s)
        before, last_s = self._taken
        self._taken = integral, now_s
        return (integral - before) / (now_s - last_s) if now_s > last_s else float(count)
