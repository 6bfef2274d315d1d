"""What is to be seen of a trial at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from harness.target.library import DEFAULTS

BAR_ROWS = 16
BARS_S = 5.0  # how far back bars are kept
FROZEN_S = 0.1  # from this lag on, the loop counts as held


@dataclass(frozen=True)
class Bar:
    """A request in the waterfall: its row, and how long ago it began and ended."""

    row: int
    began_s: float
    ended_s: float | None  # None: under way
    failed: bool


@dataclass(frozen=True)
class Point:
    """A moment of the charts."""

    t_s: float  # since the load began
    rate_rps: float  # right answers in the second before
    response_s: float | None  # half of them came within; None: there was none


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is to be seen at one moment. Ages and lengths in seconds; None where nothing was told yet."""

    t_s: float = 0.0  # since the load began
    points: tuple[Point, ...] = ()
    ok: int = 0
    failed: int = 0
    gave_up: int = 0  # requests that ended without a connection, as the server saw it
    under_way: int = 0
    oldest_s: float | None = None  # how long the oldest request has waited
    bars: tuple[Bar, ...] = ()
    lag_s: float | None = None
    holder: str | None = None  # "file:line in function" that holds the loop now
    tokens: int = DEFAULTS["thread_tokens"]
    tokens_in_use: int | None = None
    tokens_waiting: int | None = None
    pool_limit: int | None = None
    pool_out: int | None = None
    pool_leaked: int = 0
    pool_waiting: int | None = None
    canary: tuple[tuple[float, float], ...] = ()  # how long ago it was answered, and what it took
    canary_waits_s: float | None = None  # how long one has been waiting
