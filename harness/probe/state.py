"""What the probe knows at this moment, and what it has yet to send home."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

from harness.probe.frames import Frames, FrameTuple


class RequestState:
    """One request inside the target. Mutable, and touched by several threads one after the other."""

    __slots__ = (
        "checkout_wait_s",
        "checkouts",
        "connects",
        "end_s",
        "first_byte_s",
        "last_byte_s",
        "open_checkouts",
        "outlived",
        "pool_timeouts",
        "queries",
        "scope",
        "seq",
        "sql_s",
        "start_s",
        "status",
        "token_wait_s",
        "tokens",
    )

    def __init__(self, seq: int | None, scope: Mapping[str, Any]) -> None:
        self.seq = seq
        self.scope = scope
        self.start_s = monotonic()
        self.first_byte_s: float | None = None
        self.last_byte_s: float | None = None
        self.end_s: float | None = None
        self.status: int | None = None
        self.token_wait_s = 0.0
        self.tokens = 0
        self.checkout_wait_s = 0.0
        self.checkouts = 0
        self.sql_s = 0.0
        self.queries = 0
        self.connects = 0
        self.pool_timeouts = 0
        self.outlived = 0
        self.open_checkouts: set[CheckoutState] = set()

    @property
    def route(self) -> str | None:
        """The method and the route's pattern; None until the router has found one."""
        path = getattr(self.scope.get("route"), "path", None)
        return f"{self.scope['method']} {path}" if path else None

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

    __slots__ = (
        "asked_s",
        "engine",
        "got_s",
        "opened",
        "outlived",
        "request",
        "returned_s",
        "session",
        "sql_s",
        "taken",
    )

    def __init__(self, taken: FrameTuple | None, engine: FrameTuple | None, request: RequestState | None) -> None:
        self.taken = taken
        self.engine = engine
        self.session: FrameTuple | None = None
        self.request = request
        self.asked_s = monotonic()
        self.got_s: float | None = None
        self.returned_s: float | None = None
        self.opened = False
        self.outlived = False
        self.sql_s = 0.0

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

TABLES = ("requests", "checkouts", "samples", "holds")

current_request: ContextVar[RequestState | None] = ContextVar("harness_request", default=None)


class Probe:
    """The one recorder of a target process. Lists are appended to by any thread and swapped out by the sender."""

    def __init__(self, app_dir: str) -> None:
        self.frames = Frames(app_dir)
        self.in_flight: set[RequestState] = set()
        self.waiting: set[CheckoutState] = set()  # asked for a connection, not got it
        self.out: set[CheckoutState] = set()
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        self._rows[table].append(row)

    def take(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows since the last call: requests, checkouts, samples, holds; all times are monotonic seconds."""
        return {name: _cut(rows) for name, rows in self._rows.items()}


def _cut(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    count = len(rows)  # rows that arrive from now on stay for the next call
    taken = rows[:count]
    del rows[:count]
    return taken
