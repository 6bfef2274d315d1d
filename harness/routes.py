"""What each route's requests were like, and what the probe told of them. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.inside import Frame, RouteUse, Sight, Sighting
from harness.record import Outcome
from harness.window import Seen, Window

MOST_KEPT = 60
# How promised rows get lost, which are counted from the first request on.
PROMISES = (Sight.AFTER_ANSWER, Sight.UNKEPT, Sight.UNAWAITED)


def sightings(windows: Sequence[Window]) -> tuple[Sighting, ...]:
    """What was told from each window's start on, or of promises at any time, most often first; a route's endpoint, and a pool's limit, stand
    elsewhere."""
    groups: dict[Any, list[Seen]] = defaultdict(list)
    for window in windows:
        for s in window.seen:
            counts = s.t_s >= window.start_s or s.kind in PROMISES
            if counts and s.kind not in (Sight.ENDPOINT, Sight.POOL):
                groups[(s.kind, s.what, s.place, s.via, s.route)].append(s)
    found = [
        Sighting(
            kind=kind,
            what=what,
            told=Counter(s.told for s in group).most_common(1)[0][0],
            place=place,
            via=via,
            route=route,
            times=sum(s.times for s in group),
        )
        for (kind, what, place, via, route), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda s: -s.times)[:MOST_KEPT])


def route_uses(windows: Sequence[Window]) -> tuple[RouteUse, ...]:
    """The load requests meant to start in the windows that the probe saw and that have an answer, by name and route."""
    endpoints = {s.route: s.place for w in windows for s in w.seen if s.kind is Sight.ENDPOINT}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for window in windows:
        for row in window.requests.select(list(_COLUMNS)).to_pylist():
            if row["kind"] == "load" and row["phase"] == "window" and row["route"] and row["status"]:
                groups[row["name"], row["route"]].append(row)
    found = [_use(name, route, endpoints.get(route), rows) for (name, route), rows in groups.items()]
    return tuple(sorted(found, key=lambda use: -use.answers)[:MOST_KEPT])


_COLUMNS = ("kind", "phase", "name", "route", "status", "outcome", "bytes", "queries", "checkouts", "pool_timeouts")


def _use(name: str, route: str, endpoint: Frame | None, rows: list[dict[str, Any]]) -> RouteUse:
    return RouteUse(
        name=name,
        route=route,
        endpoint=endpoint,
        answers=len(rows),
        wrong_bodies=sum(row["outcome"] == Outcome.WRONG_BODY for row in rows),
        hidden_timeouts=sum(
            bool(row["pool_timeouts"] and not row["checkouts"] and row["status"] < 400) for row in rows
        ),
        bytes_mean=float(np.mean([row["bytes"] or 0 for row in rows])),
        queries_mean=float(np.mean([row["queries"] or 0 for row in rows])),
    )
