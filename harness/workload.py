"""From a workload to the times at which requests are meant to start. Pure: no clock, no randomness that is not seeded."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from harness.errors import UsageError
from harness.record import Workload

MOST_RATE_RPS = 100_000.0  # far more than a generator of this kind can send


def workload_of(
    *,
    users: int,
    rate_rps: float | None = None,
    arrivals: str = "poisson",
    think_s: float | None = None,
    canary: str | None = None,
) -> Workload:
    """A workload from what a user asked for: open where there is a rate, closed where there is none.

    Raises UsageError that names the flag, --users or --rate, whose value cannot be used.
    """
    if users < 1:
        raise UsageError(f"--users {users} sends nothing; give at least 1")
    if rate_rps is not None and not 0 < rate_rps <= MOST_RATE_RPS:
        raise UsageError(
            f"--rate {rate_rps:g} cannot be used; give arrivals per second, above 0 and up to {MOST_RATE_RPS:g}"
        )
    if arrivals not in ("even", "poisson"):
        raise UsageError(f"--arrivals {arrivals!r} does not exist; choose even or poisson")
    if think_s is not None and not 0 <= think_s < math.inf:
        raise UsageError(f"--think {think_s:g} cannot be used; give seconds, 0 or more")
    model = "closed" if rate_rps is None else "open"
    return Workload(model=model, users=users, rate_rps=rate_rps, arrivals=arrivals, think_s=think_s, canary=canary)


def duration_of(seconds: float, flag: str = "--seconds") -> float:
    """A duration in seconds that something can be measured in. Raises UsageError that names the flag."""
    if not 0 < seconds < math.inf:
        raise UsageError(f"{flag} {seconds:g} cannot be used; give seconds, above 0")
    return seconds


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
