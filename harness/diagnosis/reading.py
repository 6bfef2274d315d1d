"""What several rules read from a result, and how they say it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from textwrap import shorten
from typing import TypeVar

from harness.inside import CheckoutSite, Frame, Sight, Sighting
from harness.record import VariantResult

FEW = 3  # less than so many times may be chance
FEW_SHARE = 0.01  # of the requests
LONGEST_TOLD = 90  # characters
ELLIPSIS = " \N{HORIZONTAL ELLIPSIS}"

Item = TypeVar("Item")


def enough(times: int, result: VariantResult) -> bool:
    """Whether something was seen too often to be chance."""
    return times >= max(FEW, FEW_SHARE * (result.figures.requests or 0))


def seen(result: VariantResult, *kinds: Sight) -> list[Sighting]:
    """The sightings of these kinds."""
    return [s for s in result.sightings if s.kind in kinds]


def total(sightings: Iterable[Sighting]) -> int:
    """How often they were seen, together."""
    return sum(s.times for s in sightings)


def most(sightings: Iterable[Sighting], place: Callable[[Sighting], Frame | None]) -> Frame | None:
    """The place that was seen most often; None when none was."""
    times: dict[Frame, int] = defaultdict(int)
    for s in sightings:
        if (found := place(s)) is not None:
            times[found] += s.times
    return max(times, key=lambda f: times[f], default=None)


def endpoint(result: VariantResult, route: str | None) -> Frame | None:
    """The function behind a route."""
    return next((use.endpoint for use in result.routes if use.route == route), None)


def by_place(items: Iterable[Item], place: Callable[[Item], Frame | None]) -> list[tuple[Frame | None, list[Item]]]:
    """The items of each place."""
    groups: dict[Frame | None, list[Item]] = defaultdict(list)
    for item in items:
        groups[place(item)].append(item)
    return list(groups.items())


def engine(result: VariantResult, weight: Callable[[CheckoutSite], float]) -> tuple[Frame | None, list[CheckoutSite]]:
    """Where the engine was made whose checkouts weigh most, and these."""
    groups = by_place(result.checkouts, lambda s: s.engine)
    return max(groups, key=lambda item: sum(map(weight, item[1])), default=(None, []))


def named(place: Frame | None) -> str:
    return str(place) if place else "a place outside the app's own code"


def timeouts(result: VariantResult) -> str:
    share = result.figures.pool_timeout_share
    return f"; {percent(share)} of the requests gave up waiting for one" if share else ""


def percent(share: float) -> str:
    return f"{share * 100:.0f}\N{NO-BREAK SPACE}%"


def told(sightings: Iterable[Sighting]) -> str:
    """The exception that was seen most often, with the beginning of its message."""
    top = max(sightings, key=lambda s: s.times)
    name = top.what.partition(" ")[0]
    return f"{name}: {shorten(top.told, LONGEST_TOLD, placeholder=ELLIPSIS)}" if top.told else name
