"""The one recorder of a target process: what the probe has yet to send home, and how its rows are laid out."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

from harness.inside import Sight
from harness.probe.flight import MeanInFlight
from harness.probe.frames import Frames, FrameTuple
from harness.probe.state import (
    CHECKOUT_COLUMNS,
    ENDED,
    REQUEST_COLUMNS,
    CheckoutState,
    RequestState,
    Scope,
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

TIMED_PER_S = 50  # each costs a fifth of a millisecond: one per cent of a processor, however many requests there are


class Probe:
    """The one recorder of a target process. Any thread adds rows; the sender takes them.

    Rows are kept flat, value after value. A tuple that is kept counts for the garbage collector, and a probe that makes it run
    more often would change what it is there to watch: sessions that wait to be collected.
    """

    def __init__(self, app_dir: str) -> None:
        self.frames = Frames(app_dir)
        self.in_flight: set[RequestState] = set()
        self._ended_s = 0.0  # what the requests took that have ended, together
        self._mean_in_flight = MeanInFlight(monotonic())
        self.checkouts: set[CheckoutState] = set()  # asked for, and not given back or given up
        self.routes: set[str] = set()  # whose endpoint has been told
        self.unkept_routes: set[str | None] = set()  # on which rows that were written were not committed
        self._values: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self._keep_request = self._values["requests"].extend
        self.keep_checkout = self._values["checkouts"].extend  # :meth:`add`, without the call
        self._chance = random.Random()  # the app's own is not touched
        self._begun = 0
        self._passed_over = 0  # requests to come that are not timed
        self._timed_every = 1

    def begin(self, scope: Scope) -> RequestState:
        """A request that begins now. It is timed by chance, about as often as :data:`TIMED_PER_S`, and always when there are few."""
        self._begun += 1
        if self._passed_over:
            self._passed_over -= 1
            request = RequestState(scope, False)
        else:
            self._passed_over = self._chance.randrange(2 * self._timed_every - 1)
            request = RequestState(scope, True)
            timed_request.set(request)
            first_step_of(request)
        current_request.set(request)
        self.in_flight.add(request)
        return request

    def end(self, request: RequestState) -> None:
        """The app has returned.

        What still refers to the request (a timer's context does) must not keep its scope alive.
        """
        request.end_s = now_s = monotonic()
        if request.holding:
            request.mark_outlived(self.checkouts)
        row = request.row()
        request.scope = None
        request.spans = ENDED
        self._ended_s += now_s - request.start_s
        self.in_flight.discard(request)  # with no call in between: another thread sees both or neither
        self._keep_request(row)

    def mean_in_flight(self, now_s: float) -> float:
        """The mean number of requests in flight since the last call."""
        ended_s, under_way = self._ended_s, list(self.in_flight)  # as above
        return self._mean_in_flight.take(now_s, ended_s, [request.start_s for request in under_way])

    def adapt(self, over_s: float) -> None:
        """Chooses anew how often requests are timed, after so many seconds."""
        self._timed_every = max(1, round(self._begun / over_s / TIMED_PER_S))
        self._begun = 0

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

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        self._values[table].extend(row)

    def take(self) -> dict[str, list[Any]]:
        """The values of all rows since the last call, by table; times are monotonic seconds. See :func:`rows_of`."""
        return {name: _cut(values) for name, values in self._values.items()}


def rows_of(table: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """The rows that a list of values holds."""
    width = len(COLUMNS[table])
    return [tuple(values[i : i + width]) for i in range(0, len(values), width)]


def _cut(values: list[Any]) -> list[Any]:
    count = len(values)  # whole rows: each is added at once; those that arrive from now on stay for the next call
    taken = values[:count]
    del values[:count]
    return taken
