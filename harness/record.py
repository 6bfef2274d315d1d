"""What a run is: frozen records, their units, and the history of their schema.

Times are monotonic seconds since the trial's start and end in ``_s``; rates end in ``_rps``; sizes in ``_bytes``; shares are
between 0 and 1 and end in ``_share``. A figure that was not measured is ``None``, never zero.

Schema history:
    1  first version
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harness.inside import CheckoutSite, LoopHold, RouteUse, Sighting
from harness.measured import Contention, Figures, LatencySplit, ScalabilityFit

SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """How one planned request ended. Each planned request has exactly one."""

    OK = "ok"
    WRONG_BODY = "wrong_body"  # the scenario rejected an answer whose status was fine
    HTTP_ERROR = "http_error"  # status 400 or above, for another reason than the pool
    POOL_TIMEOUT = "pool_timeout"  # status 500 or above, after the probe or the body told of a pool timeout
    CLIENT_TIMEOUT = "client_timeout"  # the client's own time limit passed
    CONNECT_ERROR = "connect_error"  # no connection, or it broke before the answer was whole
    SKIPPED = "skipped"  # planned by the open model and never sent
    UNFINISHED = "unfinished"  # still waiting when the trial ended: neither right nor wrong


FAILURES = (
    Outcome.WRONG_BODY,
    Outcome.HTTP_ERROR,
    Outcome.POOL_TIMEOUT,
    Outcome.CLIENT_TIMEOUT,
    Outcome.CONNECT_ERROR,
)


class Cause(StrEnum):
    """The classes of mechanism a bug can belong to."""

    LOOP_BLOCKED = "loop_blocked"
    THREADS_EXHAUSTED = "threads_exhausted"
    POOL_UNDERSIZED = "pool_undersized"
    CONNECTION_LEAKED = "connection_leaked"
    CONNECTION_PINNED = "connection_pinned"
    CONNECTION_CHURN = "connection_churn"
    SELF_DEADLOCK = "self_deadlock"
    SESSION_SHARED = "session_shared"
    STALE_CONNECTION = "stale_connection"
    TOO_MANY_QUERIES = "too_many_queries"
    OVERSIZED_RESPONSE = "oversized_response"
    WRITE_LOST = "write_lost"
    ERROR_MASKED = "error_masked"
    CONTRACT_BROKEN = "contract_broken"
    SERVER_OVERCOMMITTED = "server_overcommitted"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What the clients do."""

    model: str = "closed"  # "closed": users that wait for their answer; "open": arrivals by the clock
    users: int = 10  # closed: concurrent users; open: the most requests in flight
    think_s: float | None = None  # closed: pause between tasks; None leaves it to the Locust file
    rate_rps: float | None = None  # open: arrivals per second
    arrivals: str = "poisson"  # open: "poisson" or "even"
    canary: str | None = None  # path of a light route that is asked at a steady rate beside the load
    canary_rate_rps: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is done to Postgres during the window, by the clock on the wall, which the Locust file goes by as well."""

    restart_every_s: float  # at each multiple of this the load may need Postgres again
    restart_after_s: float  # so long after each multiple that the window holds, it is restarted


@dataclass(frozen=True, kw_only=True)
class Restart:
    """A restart of Postgres; seconds from the trial's start."""

    began_s: float
    back_s: float  # when it answered again


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """A promise that answers made and the database must keep."""

    name: str
    sql: str  # one number: the rows kept; with zero, the rows that must not be
    promised_by: tuple[str, ...] = ()  # the requests whose right answers each promise one row
    by_status: bool = False  # an answer promises by its status alone, whatever the scenario says of its body
    zero: bool = False  # nothing is promised: there must be no such row
    variants: tuple[str, ...] = ()  # whose database is asked; empty: everyone's


@dataclass(frozen=True, kw_only=True)
class InvariantResult:
    name: str
    promised: int
    kept: int  # rows found
    promised_by: tuple[str, ...] = ()  # the requests whose right answers promised them
    zero: bool = False  # there must be none

    @property
    def lost(self) -> int:
        """Promises that were not kept."""
        return self.kept if self.zero else max(0, self.promised - self.kept)


@dataclass(frozen=True, kw_only=True)
class SequentialAnswer:
    """One answer of the sequential check."""

    name: str
    status: int
    body_digest: str


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One variant, one database, one server process, one window."""

    id: int
    pair: str
    variant: str
    block: int
    seed: int
    started_s: float  # since the run's start
    workload: Workload
    warmup_s: float
    window_s: float
    window_start_s: float  # since the trial's start
    figures: Figures
    warnings: dict[str, str] = field(default_factory=dict)  # figure's name -> when not to trust it
    outcomes: dict[str, int] = field(default_factory=dict)  # over the whole trial, all phases
    planned: int = 0  # requests the plan held, over the whole trial; the outcomes add up to it
    holds: tuple[LoopHold, ...] = ()
    checkouts: tuple[CheckoutSite, ...] = ()
    sequential: tuple[SequentialAnswer, ...] = ()
    invariants: tuple[InvariantResult, ...] = ()
    contention: Contention | None = None
    restarts: tuple[Restart, ...] = ()  # of Postgres, where the pair asks for them
    invalid: tuple[str, ...] = ()  # why no figure of this trial may be used; empty when it is valid
    repeats: int | None = None  # id of the invalid trial that this one was run for once more
    log: str | None = None  # path in the run folder


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Something that must be seen, over a variant's figures."""

    that: str
    metric: str
    variant: str
    over: str | None = None  # another variant: the ratio of the two is judged
    at_least: float | None = None
    at_most: float | None = None
    equivalent_within: float | None = None  # m: the ratio lies between 1 / (1 + m) and 1 + m, and the blocks show it


@dataclass(frozen=True, kw_only=True)
class Variant:
    name: str
    summary: str
    cause: Cause | None  # NONE: it has no bug, or none that was stated; null: nothing is known of it beforehand
    source: str  # text of the app; empty where its files are not known
    file: str  # relative to the catalogue's root
    bug_line: int | None  # 1-based line of the mark in the source
    worker: str | None = None  # "module:function" of a process that does the app's work in the background


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One lesson: variants of an app that differ in nothing else. Or one app of the user's own, with nothing to compare."""

    name: str
    title: str
    question: str
    theme: str
    lesson: str
    look_for: str
    sources: tuple[str, ...]
    claims: tuple[str, ...]
    variants: dict[str, Variant]
    settings: dict[str, float]
    workload: Workload
    scenario: str  # path of the Locust file, relative to the catalogue's root
    ceilings: dict[str, str] = field(default_factory=dict)  # variant -> formula over the settings
    failures: dict[str, str] = field(
        default_factory=dict
    )  # variant -> formula: requests per second that fail, at least
    expectations: tuple[Expectation, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    upstream: bool = False  # needs the stub upstream
    workers: int = 1  # server processes, on one port
    settle_s: float = 0.0  # how long background tasks may go on, at most, before the app is stopped
    blocks: int | None = None  # how often each variant is measured; None: as often as the profile says
    window_factor: float = 1.0  # how much longer its windows are than the profile's
    shows_alone: str | None = None  # what a single user sees of the bug; None: nothing
    fault: Fault | None = None  # what is done to Postgres in each window; None: nothing
    sweep: tuple[
        int, ...
    ] = ()  # numbers of users at which it is measured as well; empty: no sweep is part of the lesson

    @property
    def environment(self) -> dict[str, str]:
        """The settings as the app and the scenario read them."""
        return {name.upper(): f"{value:g}" for name, value in self.settings.items()}

    @property
    def judged(self) -> bool:
        """Whether it says what must be seen. An app of the user's own does not: it is measured, and that is all."""
        return bool(self.expectations) or any(v.cause is not None for v in self.variants.values())


@dataclass(frozen=True, kw_only=True)
class VariantResult:
    """All the valid windows of one variant, pooled."""

    pair: str
    variant: str
    figures: Figures
    warnings: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)  # in the windows
    holds: tuple[LoopHold, ...] = ()
    checkouts: tuple[CheckoutSite, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    routes: tuple[RouteUse, ...] = ()
    split: tuple[LatencySplit, ...] = ()  # empty: not measured
    invariants: tuple[InvariantResult, ...] = ()
    trials: tuple[int, ...] = ()  # ids of the valid trials behind it


@dataclass(frozen=True, kw_only=True)
class Scalability:
    """A variant's closed sweep: one trial at each number of users, apart from the trials at the pair's own workload."""

    pair: str
    variant: str
    trials: tuple[Trial, ...]  # by ascending users; a trial's workload says how many
    fit: ScalabilityFit | None = None
    warnings: tuple[str, ...] = ()  # when not to trust the fit

    @property
    def points(self) -> tuple[Trial, ...]:
        """The valid trials."""
        return tuple(t for t in self.trials if not t.invalid)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How long and how often to measure."""

    name: str
    warmup_s: float
    window_s: float
    blocks: int
    drain_s: float  # how long to wait for answers after the window
    sequential_tasks: int  # of the one user who comes first


PROFILES = {
    p.name: p
    for p in (
        Profile(name="quick", warmup_s=0.2, window_s=0.8, blocks=2, drain_s=0.15, sequential_tasks=2),
        Profile(name="standard", warmup_s=0.4, window_s=1.6, blocks=2, drain_s=0.6, sequential_tasks=5),
        Profile(name="soak", warmup_s=5.0, window_s=60.0, blocks=3, drain_s=5.0, sequential_tasks=5),
    )
}


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The numbers of the processors that each is kept to."""

    target: tuple[int, ...]
    load: tuple[int, ...]
    postgres: tuple[int, ...]  # the embedded server; another one stays where it is

    def __str__(self) -> str:
        """In words: "app on 0, 1; load on 2; Postgres on 3"."""
        parts = (("app", self.target), ("load", self.load), ("Postgres", self.postgres))
        return "; ".join(f"{name} on {', '.join(map(str, cpus))}" for name, cpus in parts)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the run was measured on."""

    cores: int
    memory_bytes: int
    cpu: str
    system: str
    python: str
    packages: dict[str, str]
    postgres: str | None  # the server's version; null where the app has a database of its own, or none
    git: str | None
    placement: Placement | None = None  # null where app, load and Postgres run on any core


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything one command measured."""

    schema_version: int = SCHEMA_VERSION
    id: str
    started_utc: str
    wall_s: float
    status: str  # "complete" or "partial"
    command: str
    seed: int
    profile: Profile
    machine: Machine
    pairs: tuple[Pair, ...]
    trials: tuple[Trial, ...]
    results: tuple[VariantResult, ...]
    sweeps: tuple[Scalability, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def all_trials(self) -> tuple[Trial, ...]:
        """The trials at the pairs' own workloads, then those of the sweeps."""
        return (*self.trials, *(t for sweep in self.sweeps for t in sweep.trials))
