"""One request, and one connection, as the probe sees them: what is known of each at this moment, and the row it ends as."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

from harness.probe.frames import FrameTuple

Scope = MutableMapping[str, Any]

SEQ_HEADER = b"x-harness-seq"


class RequestState:
    """One request inside the target. Mutable, and touched by several threads one after the other.

    It is executing, or in a span (SQL, or waiting for a token, a connection or an upstream), or neither. Only what runs outside every
    span is its own time. That is booked for some requests alone, the timed ones: asking the clock at each step of each would cost
    an app more than all else that the probe does.
    """

    __slots__ = (
        "answered", "checkout_wait_s", "checkouts", "connecting", "connects", "end_s", "error",
        "first_byte_s", "holding", "known_route", "last_byte_s", "loop_wait_s", "outlived", "own_s", "pool_timeouts", "queries",
        "scope", "seq", "since_s", "spans", "sql_s", "start_s", "status", "timed", "token_wait_s", "tokens", "unkept",
        "upstream_s", "wrote",
    )  # fmt: skip

    def __init__(self, scope: Scope, timed: bool) -> None:
        self.timed = timed
        self.seq: int | None = None
        for name, value in reversed(scope["headers"]):  # the load process adds it to the others
            if name == SEQ_HEADER:
                self.seq = int(value) if value.isdigit() else None
                break
        self.scope: Scope | None = scope
        self.known_route: str | None = None
        self.first_byte_s: float | None = None
        self.last_byte_s: float | None = None
        self.end_s: float | None = None
        self.token_wait_s = 0.0
        self.tokens = 0
        self.checkout_wait_s = 0.0
        self.checkouts = 0
        self.holding = 0  # checkouts that are not back yet
        self.sql_s = 0.0
        self.queries = 0
        self.connects = 0
        self.pool_timeouts = 0
        self.outlived = 0
        self.status: int | None = None
        self.error: Exception | None = None  # that nobody had a handler for
        self.unkept = 0  # flushes since the last commit
        self.wrote: FrameTuple | None = None  # where the last of them was, if it has been looked at
        self.connecting = False  # a new connection asks questions of its own, which are not the app's
        self.upstream_s = 0.0
        self.loop_wait_s = 0.0  # ready to run, and not run, outside every span
        self.own_s = 0.0
        self.spans = 0  # that are open
        self.answered = NOT_ANSWERED
        self.start_s = self.since_s = monotonic()  # since_s: up to when all is booked

    @property
    def route(self) -> str | None:
        """The method and the route's pattern; None until the router has found one."""
        if self.known_route is None and self.scope is not None:
            path = getattr(self.scope.get("route"), "path", None)
            self.known_route = f"{self.scope['method']} {path}" if path else None
        return self.known_route

    def book_answer(self, now_s: float) -> None:
        """The last byte of the answer of a timed request has been handed over: the parts of its time up to now."""
        own_s = self.own_s if self.spans else self.own_s + now_s - self.since_s
        self.answered = (
            self.token_wait_s, self.checkout_wait_s, self.sql_s, self.upstream_s, self.loop_wait_s, own_s
        )  # fmt: skip

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

    def row(self) -> tuple[Any, ...]:
        return (
            self.seq,
            self.known_route or self.route,
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
            *self.answered,
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
    # up to the answer's last byte; None where there was none, or the request was not timed
    "answer_token_s",
    "answer_checkout_s",
    "answer_sql_s",
    "answer_upstream_s",
    "answer_loop_s",
    "answer_own_s",
)
ENDED = 1 << 30  # open spans: nothing more is booked
NOT_ANSWERED: tuple[float | None, ...] = (None,) * 6


class CheckoutState:
    """One connection on its way out of a pool and back."""

    __slots__ = (
        "asked_s", "engine", "got_s", "nested", "not_reused", "opened", "outlived", "request", "returned_s", "session", "sql_s",
        "taken",
    )  # fmt: skip

    def __init__(
        self,
        taken: FrameTuple | None,
        session: FrameTuple | None,
        engine: FrameTuple | None,
        request: RequestState | None,
        asked_s: float,
    ) -> None:
        self.taken = taken
        self.session = session  # where the session was made that asks
        self.engine = engine
        self.request = request
        self.asked_s = asked_s
        self.got_s: float | None = None
        self.returned_s: float | None = None
        self.opened = False
        self.not_reused = False
        self.nested = request is not None and request.holding > 0
        self.outlived = False
        self.sql_s = 0.0

    def row(self) -> tuple[Any, ...]:
        return (
            self.taken,
            self.session,
            self.engine,
            (self.request.known_route or self.request.route) if self.request else None,
            self.asked_s,
            self.got_s,
            self.returned_s,
            self.opened,
            self.not_reused,
            self.nested,
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
    "not_reused",
    "nested",
    "outlived",
    "sql_s",
)

current_request: ContextVar[RequestState | None] = ContextVar("harness_request", default=None)
timed_request: ContextVar[RequestState | None] = ContextVar(
    "harness_timed_request", default=None
)  # set when it is timed
