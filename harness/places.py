"""Which places in the app's code held the loop, and what the connections did that were taken there. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from harness.inside import CheckoutSite, LoopHold, Sight
from harness.processes import process_count
from harness.window import Checkout, Hold, Window


def loop_holds(windows: Sequence[Window]) -> tuple[LoopHold, ...]:
    """Who held the loop, longest first: summed by the app's line and route, or by the executing line where no app's is."""
    groups: dict[Any, list[Hold]] = defaultdict(list)
    for window in windows:
        for hold in window.holds:
            if window.start_s <= hold.t_s <= window.end_s:
                groups[(hold.user or hold.offender, hold.route)].append(hold)
    found = [
        LoopHold(
            user=holds[0].user,
            offender=Counter(h.offender for h in holds).most_common(1)[0][0],
            route=route,
            held_s=sum(h.held_s for h in holds),
            times=sum(h.first for h in holds),
            loops=max(process_count(w.samples) for w in windows),
        )
        for (_, route), holds in groups.items()
    ]
    return tuple(sorted(found, key=lambda h: -h.held_s)[:20])


def checkout_sites(windows: Sequence[Window]) -> tuple[CheckoutSite, ...]:
    """What the connections taken at each place did, most held first."""
    limits = {s.place: int(s.what) for w in windows for s in w.seen if s.kind is Sight.POOL}
    groups: dict[Any, list[tuple[Checkout, Window]]] = defaultdict(list)
    for window in windows:
        for c in window.checkouts:
            if overlaps(c, window):
                groups[(c.taken, c.session, c.engine, c.route, c.nested)].append((c, window))
    found = [
        CheckoutSite(
            taken=taken,
            session=session,
            engine=engine,
            limit=limits.get(engine),
            route=route,
            checkouts=sum(c.got_s is not None for c, _ in group),
            timeouts=sum(c.gave_up for c, _ in group),
            opened=sum(c.opened for c, _ in group),
            not_reused=sum(c.not_reused for c, _ in group),
            nested=len(group) if nested else 0,
            outlived=sum(c.outlived for c, _ in group),
            wait_s=sum(_wait_s(c, w) for c, w in group),
            opening_s=sum(_wait_s(c, w) for c, w in group if c.opened),
            hold_s=sum(hold_s(c, w) for c, w in group),
            sql_s=sum(c.sql_s for c, _ in group),
        )
        for (taken, session, engine, route, nested), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda s: -(s.hold_s + s.wait_s))[:20])


def overlaps(checkout: Checkout, window: Window) -> bool:
    ended_s = window.end_s if checkout.returned_s is None else checkout.returned_s
    return checkout.asked_s < window.end_s and ended_s >= window.start_s


def _wait_s(checkout: Checkout, window: Window) -> float:
    ends = [t for t in (checkout.got_s, checkout.returned_s, window.end_s) if t is not None]
    return max(0.0, ends[0] - checkout.asked_s)


def hold_s(checkout: Checkout, window: Window) -> float:
    if checkout.got_s is None:
        return 0.0
    return max(0.0, (window.end_s if checkout.returned_s is None else checkout.returned_s) - checkout.got_s)
