"""What was seen inside the target: frozen records, summed over a window. Units and None as in :mod:`harness.record`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sight(StrEnum):
    """What the probe tells of as it happens. In an app that is well, all of it is rare."""

    FAILED = "failed"  # an exception that nobody had a handler for; the answer told of it, or there was none
    MASKED = "masked"  # the same, answered with a status below 400
    AFTER_ANSWER = "after_answer"  # the same, when the answer had been sent
    UNAWAITED = "unawaited"  # a coroutine that was thrown away
    UNKEPT = "unkept"  # rows were written, not committed, and answered with a status below 400
    REPEATED = "repeated"  # one of a request's later statements, looked at in passing
    IN_THREAD = "in_thread"  # a worker thread was busy here while a request waited for one
    ENDPOINT = "endpoint"  # the function behind a route, once for each
    POOL = "pool"  # the most connections of a pool that has a limit, once for each


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A place in source code."""

    file: str  # relative to the app's folder for the user's code, else the module's dotted path
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass(frozen=True, kw_only=True)
class LoopHold:
    """Time for which one line kept the event loop from running anything else, summed over a window."""

    user: Frame | None  # innermost frame of the app's own code
    offender: Frame | None  # the frame that was really executing
    route: str | None
    held_s: float
    times: int
    loops: int = 1  # of the app, over which it is summed: one for each process

    @property
    def per_loop_s(self) -> float:
        """The mean over the loops."""
        return self.held_s / self.loops


@dataclass(frozen=True, kw_only=True)
class CheckoutSite:
    """What connections taken at one place did in a window."""

    taken: Frame | None  # the app's line that made the pool hand out a connection
    session: Frame | None  # the app's line that made the session which holds it
    engine: Frame | None  # the app's line that made the engine
    limit: int | None = None  # the most connections that its pool lets out; null: there is none, or it is not known
    route: str | None
    checkouts: int
    timeouts: int  # gave up waiting for a connection
    opened: int  # had to open a new connection
    not_reused: int = 0  # of these, by a pool that was asked for the first time, or that keeps none
    nested: int = 0  # were asked for while the request held another
    outlived: int  # were still out when their request had ended
    wait_s: float  # summed time from asking to getting (or giving up)
    opening_s: float = 0.0  # of this, by those that opened a new connection
    hold_s: float  # summed time from getting to giving back, or to the window's end
    sql_s: float  # summed time in SQL while held


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Something that the probe told of, as often as it was seen from the window's start on."""

    kind: Sight
    what: str  # types of an exception and its causes, outermost first; a statement; a coroutine's name
    told: str  # an exception's message, its first line: that of the most
    place: Frame | None  # the app's innermost line
    via: Frame | None  # where the app's code was entered; of what was masked, the line that caught it
    route: str | None
    times: int


@dataclass(frozen=True, kw_only=True)
class RouteUse:
    """What became of the requests of one name that one route answered, of those meant to start in a window."""

    name: str  # as the clients call it
    route: str
    endpoint: Frame | None  # the function behind the route, where it is the app's own
    answers: int  # with any status
    wrong_bodies: int
    hidden_timeouts: int  # gave up waiting for a connection, never got one, and had a status below 400
    bytes_mean: float
    queries_mean: float
