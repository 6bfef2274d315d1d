"""What the probe knows at this moment, and what it has yet to send home."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

from harness.probe.frames import Frames, FrameTuple


class RequestState:
    """One request inside the target. Mutable, and touched by several threads one after the other."""

    # Defaults stand on the class: most requests change few of them, and this is made once for each request.
    first_byte_s: float | None = None
    last_byte_s: float | None = None
    end_s: float | None = None
    token_wait_s = 0.0
    tokens = 0
    checkout_wait_s = 0.0
    checkouts = 0
    sql_s = 0.0
    queries = 0
    connects = 0
    pool_timeouts = 0
    outlived = 0
    session: FrameTuple | None = None  # where its latest session was made
    connecting = False  # a new connection asks questions of its own, which are not the app's

    def __init__(self, seq: int | None, scope: Mapping[str, Any]) -> None:
        self.seq = seq
        self.scope: Mapping[str, Any] | None = scope
        self.start_s = monotonic()
        self.open_checkouts: tuple[CheckoutState, ...] = ()

    @property
    def route(self) -> str | None:
        """The method and the route's pattern; None until the router has found one."""
        if self.scope is None:
            return self._route
        path = getattr(self.scope.get("route"), "path", None)
        return f"{self.scope['method']} {path}" if path else None

    def end(self) -> None:
        """The app has returned. What still refers to this object (a timer's context does) must not keep the scope alive."""
        self.end_s = monotonic()
        self._route = self.route
        self.scope = None
        for checkout in self.open_checkouts:
            checkout.outlived = True
            self.outlived += 1

    def row(self) -> tuple[Any, ...]:
        return (
            self.seq,
            self.route,
            self.start_s,
            self.first_byte_s,
            self.last_byte_s,
            self.end_s,
            self.token_wait_s,
            self.tokens,
            self.checkout_wait_s,
            self.checkouts,
            self.sql_s,
            self.queries,
            self.connects,
            self.pool_timeouts,
            self.outlived,
        )


REQUEST_COLUMNS = (
    "seq",
    "route",
    "start_s",
    "first_byte_s",
    "last_byte_s",
    "end_s",
    "token_wait_s",
    "tokens",
    "checkout_wait_s",
    "checkouts",
    "sql_s",
    "queries",
    "connects",
    "pool_timeouts",
    "outlived",
)


class CheckoutState:
    """One connection on its way out of a pool and back."""

    got_s: float | None = None
    returned_s: float | None = None
    session: FrameTuple | None = None
    opened = False
    outlived = False
    sql_s = 0.0

    def __init__(self, taken: FrameTuple | None, engine: FrameTuple | None, request: RequestState | None) -> None:
        self.taken = taken
        self.engine = engine
        self.request = request
        self.asked_s = monotonic()

    def row(self) -> tuple[Any, ...]:
        route = self.request.route if self.request else None
        return (
            self.taken,
            self.session,
            self.engine,
            route,
            self.asked_s,
            self.got_s,
            self.returned_s,
            self.opened,
            self.outlived,
            self.sql_s,
        )


CHECKOUT_COLUMNS = (
    "taken",
    "session",
    "engine",
    "route",
    "asked_s",
    "got_s",
    "returned_s",
    "opened",
    "outlived",
    "sql_s",
)

SAMPLE_COLUMNS = (
    "t_s",
    "loop_lag_s",
    "in_flight",
    "tokens_in_use",
    "tokens_waiting",
    "connections_out",
    "checkout_waiting",
    "cpu_s",
    "rss_bytes",
)
HOLD_COLUMNS = ("t_s", "held_s", "first", "user", "offender", "route")

COLUMNS = {
    "requests": REQUEST_COLUMNS,
    "checkouts": CHECKOUT_COLUMNS,
    "samples": SAMPLE_COLUMNS,
    "holds": HOLD_COLUMNS,
}

current_request: ContextVar[RequestState | None] = ContextVar("harness_request", default=None)


class Probe:
    """The one recorder of a target process. Any thread adds rows; the sender takes them.

    Rows are kept flat, value after value. A tuple that is kept counts for the garbage collector, and a probe that makes it run
    more often would change what it is there to watch: sessions that wait to be collected.
    """

    def __init__(self, app_dir: str) -> None:
        self.frames = Frames(app_dir)
        self.in_flight: set[RequestState] = set()
        self.waiting: set[CheckoutState] = set()  # asked for a connection, not got it
        self.out: set[CheckoutState] = set()
        self._values: dict[str, list[Any]] = {name: [] for name in COLUMNS}

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
