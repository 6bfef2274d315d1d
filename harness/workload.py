"""From a workload to the times at which requests are meant to start. Pure: no clock, no randomness that is not seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.record import Workload


def arrivals(workload: Workload, *, start_s: float, end_s: float, seed: int) -> Iterator[float]:
    """Intended starts of an open workload, ascending, in [start_s, end_s).

    Even arrivals are 1/rate apart. Poisson arrivals have independent exponential gaps with mean 1/rate
    (the definition of a Poisson process).
    """
    if workload.rate_rps is None:
        raise ValueError("only an open workload has arrivals")
    if workload.arrivals == "even":
        yield from even_arrivals(workload.rate_rps, start_s=start_s, end_s=end_s)
        return
    source = random.Random(seed)
    at_s = start_s + source.expovariate(workload.rate_rps)
    while at_s < end_s:
        yield at_s
        at_s += source.expovariate(workload.rate_rps)


def even_arrivals(rate_rps: float, *, start_s: float, end_s: float) -> Iterator[float]:
    """Arrivals 1/rate apart. Each is computed from the start, so that no rounding error adds up."""
    n = 0
    while (at_s := start_s + n / rate_rps) < end_s:
        yield at_s
        n += 1


def spread_starts(users: int, over_s: float) -> list[float]:
    """When each user of a closed workload begins, in seconds from the start: evenly over the given time.

    Users who all start in the same instant measure their burst and not the load.
    """
    return [over_s * n / users for n in range(users)]
