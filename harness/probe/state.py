"""One request, and one connection, as the probe sees them: what is known of each at this moment, and what is sent home of it.

Both are structs of msgspec: made and packed by C code, and nothing to the garbage collector. A probe that makes it run more often
would change what it is there to watch: sessions that wait to be collected.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic
from typing import Any

import msgspec

from harness.probe.frames import FrameTuple
from harness.probe.route import Scope, route_of


class RequestState(msgspec.Struct, gc=False, eq=False, array_like=True):
    """One request inside the target, touched by several threads one after the other. Its first fields are its row.

    It is executing, or in a span (SQL, or waiting for a token, a connection or an upstream), or neither. Only what runs outside every
    span is its own time. That is booked for some requests alone, the timed ones: asking the clock at each step of each would cost
    an app more than all else that the probe does.
    """

    seq: bytes  # as it came; empty: it is not the load's
    route: str | None  # None until the router has found one and somebody has asked, see find_route
    start_s: float
    first_byte_s: float | None = None
    last_byte_s: float | None = None
    end_s: float | None = None
    token_wait_s: float = 0.0
    tokens: int = 0
    checkout_wait_s: float = 0.0
    checkouts: int = 0
    sql_s: float = 0.0
    queries: int = 0
    connects: int = 0
    pool_timeouts: int = 0
    outlived: int = 0
    # up to the answer's last byte; None where there was none, or the request was not timed
    answer_token_s: float | None = None
    answer_checkout_s: float | None = None
    answer_sql_s: float | None = None
    answer_upstream_s: float | None = None
    answer_loop_s: float | None = None
    answer_own_s: float | None = None
    # what follows is not part of the row
    scope: Scope | None = None  # None: it has ended
    timed: bool = False
    holding: int = 0  # checkouts that are not back yet
    connecting: bool = False  # a new connection asks questions of its own, which are not the app's
    status: int | None = None
    error: Exception | None = None  # that nobody had a handler for
    unkept: int = 0  # flushes since the last commit
    wrote: FrameTuple | None = None  # where the last of them was, if it has been looked at
    upstream_s: float = 0.0
    loop_wait_s: float = 0.0  # ready to run, and not run, outside every span
    own_s: float = 0.0
    spans: int = 0  # that are open
    since_s: float = 0.0  # up to when all is booked, of a timed request

    def find_route(self) -> str | None:
        """The method and the route's pattern; None until the router has found one."""
        if self.route is None and self.scope is not None:
            self.route = route_of(self.scope)
        return self.route

    def book_answer(self, now_s: float) -> None:
        """The last byte of the answer of a timed request has been handed over: the parts of its time up to now."""
        self.answer_token_s = self.token_wait_s
        self.answer_checkout_s = self.checkout_wait_s
        self.answer_sql_s = self.sql_s
        self.answer_upstream_s = self.upstream_s
        self.answer_loop_s = self.loop_wait_s
        self.answer_own_s = self.own_s if self.spans else self.own_s + now_s - self.since_s

    def book_own(self) -> None:
        """All the time of a timed request up to now is booked that is not yet, as its own: it is in no span."""
        now_s = monotonic()
        self.own_s += now_s - self.since_s
        self.since_s = now_s

    def enter_span(self) -> float:
        """A span begins; returns when. Where every request comes by, the clock alone is asked for one that is not timed, without this call."""
        now_s = monotonic()
        if self.timed:
            if not self.spans:
                self.own_s += now_s - self.since_s
            self.spans += 1
        return now_s

    def leave_span(self) -> float:
        """A span ends; returns when. As :meth:`enter_span`."""
        now_s = monotonic()
        if self.timed:
            self.spans -= 1
            if not self.spans:
                self.since_s = now_s
        return now_s

    def mark_outlived(self, checkouts: set[CheckoutState]) -> None:
        """The app has returned and holds connections, which are among these."""
        for checkout in list(checkouts):
            if checkout.request is self and checkout.got_s is not None:
                checkout.outlived = True
                self.outlived += 1


class CheckoutState(msgspec.Struct, gc=False, eq=False, array_like=True):
    """One connection on its way out of a pool and back. Its first fields are its row."""

    taken: FrameTuple | None
    session: FrameTuple | None  # where the session was made that asks
    engine: FrameTuple | None
    route: str | None
    asked_s: float
    got_s: float | None = None
    returned_s: float | None = None
    opened: bool = False
    not_reused: bool = False
    nested: bool = False
    outlived: bool = False
    sql_s: float = 0.0
    request: RequestState | None = None  # this and what follows are not part of the row
    pool: Any = None


def _columns(row: type[msgspec.Struct], last: str) -> tuple[str, ...]:
    names = row.__struct_fields__
    return names[: names.index(last) + 1]


REQUEST_COLUMNS = _columns(RequestState, "answer_own_s")
CHECKOUT_COLUMNS = _columns(CheckoutState, "sql_s")
ENDED = 1 << 30  # open spans: nothing more is booked

current_request: ContextVar[RequestState | None] = ContextVar("harness_request", default=None)
timed_request: ContextVar[RequestState | None] = ContextVar(
    "harness_timed_request", default=None
)  # set when it is timed
