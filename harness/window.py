"""Everything that was measured around one window of one trial, before it becomes figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from harness.inside import Frame, Sight


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """One connection's way out of a pool and back; times in seconds from the trial's start."""

    taken: Frame | None
    session: Frame | None
    engine: Frame | None
    route: str | None
    asked_s: float
    got_s: float | None
    returned_s: float | None
    opened: bool
    not_reused: bool
    nested: bool
    outlived: bool
    sql_s: float

    @property
    def gave_up(self) -> bool:
        return self.got_s is None and self.returned_s is not None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A stretch of time for which one step held the loop."""

    t_s: float
    held_s: float
    first: bool  # the step is seen for the first time: counts holds
    user: Frame | None
    offender: Frame | None
    route: str | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Something that the probe told of; see :class:`harness.inside.Sighting`. ``t_s`` in seconds from the trial's start."""

    t_s: float
    kind: Sight
    what: str
    told: str
    place: Frame | None
    via: Frame | None
    route: str | None
    times: int


@dataclass(frozen=True, kw_only=True)
class Window:
    """Everything measured around one window; tables as in :mod:`harness.store`, of one trial."""

    start_s: float
    end_s: float
    requests: pa.Table
    samples: pa.Table
    postgres: pa.Table
    holds: Sequence[Hold] = ()
    checkouts: Sequence[Checkout] = ()
    seen: Sequence[Seen] = ()
    strays: Sequence[tuple[float, float]] = ()  # start and end in the app of requests that no client's row belongs to
    generator_cpu_s: float | None = None
    has_probe: bool = True

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s
