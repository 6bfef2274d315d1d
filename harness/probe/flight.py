"""How many requests are in flight: their exact mean over a stretch of time, whenever somebody looks. Pure."""

from __future__ import annotations

from collections.abc import Collection


class MeanInFlight:
    """The integral of the number in flight over time: the time that all requests have spent so far.

    A look at the number itself from the loop would never see a request that begins and ends within one step of it.
    """

    def __init__(self, now_s: float) -> None:
        self._taken = 0.0, now_s

    def take(self, now_s: float, ended_s: float, begun_s: Collection[float]) -> float:
        """The mean number since the last call.

        ended_s: the time that all requests took that have ended, together; begun_s: when each began that has not.
        """
        spent_s = ended_s + sum(max(0.0, now_s - each_s) for each_s in begun_s)
        before_s, last_s = self._taken
        self._taken = spent_s, now_s
        return (spent_s - before_s) / (now_s - last_s) if now_s > last_s else float(len(begun_s))
