"""The one recorder of a target process: what the probe has yet to send home, and how its rows are laid out."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

from msgspec.structs import replace

from harness.inside import Sight
from harness.probe.flight import MeanInFlight
from harness.probe.frames import Frames, FrameTuple
from harness.probe.route import Scope
from harness.probe.state import (
    CHECKOUT_COLUMNS,
    ENDED,
    REQUEST_COLUMNS,
    CheckoutState,
    RequestState,
    current_request,
    timed_request,
)
from harness.probe.steps import first_step_of

SAMPLE_COLUMNS = (
    "t_s",
    "loop_lag_s",  # the worst since the last sample
    "in_flight",  # the mean since the last sample; what follows is as it was at the time
    "tokens_in_use",
    "tokens_waiting",
    "connections_out",
    "checkout_waiting",
    "cpu_s",
    "rss_bytes",
)
HOLD_COLUMNS = ("t_s", "held_s", "first", "user", "offender", "route")
SIGHTING_COLUMNS = ("t_s", "kind", "what", "told", "place", "via", "route", "times")

COLUMNS = {
    "requests": REQUEST_COLUMNS,
    "checkouts": CHECKOUT_COLUMNS,
    "samples": SAMPLE_COLUMNS,
    "holds": HOLD_COLUMNS,
    "sightings": SIGHTING_COLUMNS,
}

TIMED_PER_S = 25
SEQ_HEADER = b"x-harness-seq"  # the load process adds it to the others, as the last one
NO_HEADER = b"", b""

Row = tuple[Any, ...] | RequestState | CheckoutState


class Probe:
    """The one recorder of a target process. Any thread adds rows; the sender takes them.

    What a request costs an app is less the instructions than the memory that they touch, which is in no cache by then: a row is
    only put aside, and packed with many others.
    """

    def __init__(self, app_dir: str) -> None:
        self.frames = Frames(app_dir)
        self.in_flight: set[RequestState] = set()
        self._ended_s = 0.0  # what the requests took that have ended, together
        self._mean_in_flight = MeanInFlight(monotonic())
        self.checkouts: set[CheckoutState] = set()  # asked for, and not given back or given up
        self.routes: set[str] = set()  # whose endpoint has been told
        self.unkept_routes: set[str | None] = set()  # on which rows that were written were not committed
        self._rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self._add_request = self._rows["requests"].append
        self._add_checkout = self._rows["checkouts"].append
        self._chance = random.Random()  # the app's own is not touched
        self._passed_over = 0  # requests to come that are not timed
        self._timed_every = 1

    def begin(self, scope: Scope) -> RequestState:
        """A request that begins now. It is timed by chance, about as often as :data:`TIMED_PER_S`, and always when there are few."""
        headers = scope["headers"]
        name, seq = headers[-1] if headers else NO_HEADER
        if name != SEQ_HEADER:
            seq = dict(headers).get(SEQ_HEADER, b"")
        request = RequestState(seq, None, monotonic(), scope=scope)
        if self._passed_over:
            self._passed_over -= 1
        else:
            self._passed_over = self._chance.randrange(2 * self._timed_every - 1)
            request.timed = True
            request.since_s = request.start_s
            timed_request.set(request)
            first_step_of(request)
        current_request.set(request)
        self.in_flight.add(request)
        return request

    def end(self, request: RequestState) -> None:
        """The app has returned."""
        request.end_s = now_s = monotonic()
        if request.holding:
            request.mark_outlived(self.checkouts)
        # What still refers to the request (a timer's context does) must not keep its scope alive.
        request.scope = request.status = None
        if request.timed:
            request.spans = ENDED
        row = replace(request)  # what a task does that outlives it is not in its row
        self._ended_s += now_s - request.start_s
        self.in_flight.discard(request)  # with no call in between: another thread sees both or neither
        self._add_request(row)

    def end_checkout(self, checkout: CheckoutState) -> None:
        """The connection is back, or nobody waits for it any more."""
        checkout.returned_s = monotonic()
        self.checkouts.discard(checkout)
        request, checkout.request = checkout.request, None
        checkout.pool = None
        if request is not None:
            checkout.route = request.route or request.find_route()
        self._add_checkout(checkout)

    def add_unended(self) -> None:
        """Rows of the requests that are under way, and of connections that are out or waited for."""
        for request in list(self.in_flight):
            request.find_route()
            self.add("requests", replace(request, scope=None, status=None, error=None))
        for checkout in list(self.checkouts):
            row, asked_for = replace(checkout, request=None, pool=None), checkout.request
            if asked_for is not None:
                row.route = asked_for.find_route()
                row.sql_s += 0.0 if row.got_s is None else asked_for.sql_s
            self.add("checkouts", row)

    def mean_in_flight(self, now_s: float) -> float:
        """The mean number of requests in flight since the last call."""
        ended_s, under_way = self._ended_s, list(self.in_flight)  # as above
        return self._mean_in_flight.take(now_s, ended_s, [request.start_s for request in under_way])

    def adapt(self, over_s: float) -> None:
        """Chooses anew how often requests are timed, after so many seconds, the rows of which have not been taken yet."""
        self._timed_every = max(1, round(len(self._rows["requests"]) / over_s / TIMED_PER_S))

    def see(
        self,
        kind: Sight,
        what: str = "",
        told: str = "",
        *,
        place: FrameTuple | None,
        via: FrameTuple | None = None,
        route: str | None = None,
        times: int = 1,
    ) -> None:
        """Adds a sighting."""
        self.add("sightings", (monotonic(), kind.value, what, told, place, via, route, times))

    def add(self, table: str, row: Row) -> None:
        self._rows[table].append(row)

    def take(self) -> dict[str, list[Row]]:
        """All rows since the last call, by table; times are monotonic seconds. Packed and unpacked, they are for :func:`rows_of`."""
        return {name: _cut(rows) for name, rows in self._rows.items()}


def rows_of(table: str, unpacked: list[list[Any]]) -> list[list[Any]]:
    """The rows of a table, as their columns say. What the probe knows beside them is left out."""
    width = len(COLUMNS[table])
    rows = [row[:width] for row in unpacked]
    if table == "requests":
        for row in rows:
            row[0] = int(row[0]) if row[0].isdigit() else None
    return rows


def _cut(rows: list[Row]) -> list[Row]:
    count = len(rows)  # those that arrive from now on stay for the next call
    taken = rows[:count]
    del rows[:count]
    return taken
