"""What a run is: frozen records, their units, and the history of their schema.

Times are monotonic seconds since the trial's start and end in ``_s``; rates end in ``_rps``; sizes in ``_bytes``; shares are
between 0 and 1 and end in ``_share``. A figure that was not measured is ``None``, never zero.

Schema history:
    1  first version
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum

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


@dataclass(frozen=True, kw_only=True)
class LatencySplit:
    """Where the response time of some requests went: mean seconds per request, which add up to their mean response time.

    The requests are those between two quantiles of the response time, of the finished requests that were meant to start in a window
    and whose answer the probe saw.
    """

    around: str  # "p50" or "p99"
    from_quantile: float
    to_quantile: float
    requests: int
    response_s: float
    unsent_s: float  # meant to be sent and not yet sent, by the client
    loop_s: float  # in the socket or ready to run, while the event loop did something else
    token_s: float  # waiting for a worker thread
    checkout_s: float  # waiting for a connection
    sql_s: float  # in SQL; as in the two above, until the caller went on: its wait for the loop included
    upstream_s: float  # in outgoing HTTP
    own_s: float  # executing, outside all of those
    other_s: float  # inside the app, and none of these: asleep, at a lock, in a client that the probe does not know


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one window, or all the windows of a variant pooled, measured. ``None``: not measured.

    Rates count the requests that ended in the window; response times, outcomes and their shares the requests that were meant to
    start in it, whenever they ended. An open model counts from the intended start.
    """

    window_s: float | None = None
    requests: int | None = None
    throughput_rps: float | None = None  # all completions per second
    goodput_rps: float | None = None  # correct completions per second
    ceiling_rps: float | None = None  # the most the mechanism can allow
    ceiling_share: float | None = None  # goodput over ceiling
    failed_share: float | None = None  # failures over finished requests
    pool_timeout_share: float | None = None
    http_error_share: float | None = None
    wrong_body_share: float | None = None
    promises_lost: int | None = None  # rows that right answers promised and the database does not have, over all trials
    unfinished: int | None = None
    bytes_per_response: float | None = None  # of the answers with a status below 400
    response_p50_s: float | None = None
    response_p90_s: float | None = None
    response_p95_s: float | None = None
    response_p99_s: float | None = None
    response_max_s: float | None = None
    canary_p50_s: float | None = None
    canary_p99_s: float | None = None
    schedule_lag_p99_s: float | None = None
    loop_lag_p99_s: float | None = None
    loop_lag_max_s: float | None = None
    loop_held_share: float | None = None  # share of the window in which one callback held the loop
    tokens_in_use_max: int | None = None
    tokens_waiting_max: int | None = None
    token_wait_p95_s: float | None = None
    tokens_per_request: float | None = None
    connections_out_max: int | None = None
    checkout_waiting_max: int | None = None
    checkout_wait_p95_s: float | None = None
    checkout_wait_share: float | None = None  # of the response time, over finished requests
    hold_p50_s: float | None = None
    hold_idle_share: float | None = None  # part of the hold in which no SQL ran
    outlived_per_request: float | None = None
    queries_per_request: float | None = None
    connects_per_request: float | None = None
    sql_p50_s: float | None = None
    cpu_s_per_request: float | None = None
    cpu_share: float | None = None  # of one core, the target process
    generator_cpu_share: float | None = None  # of one core, the load process
    rss_max_bytes: int | None = None
    postgres_sessions_max: int | None = None
    idle_in_transaction_max: int | None = None
    lock_waits_max: int | None = None


FIGURE_NAMES = tuple(f.name for f in fields(Figures))


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
class Contention:
    """How busy the machine was during a window, in cores."""

    cores: int  # that this process may use
    busy_cores: float
    others_cores: float  # used by processes that do not belong to the trial


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
class Estimate:
    """A fitted number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ScalabilityFit:
    """The Universal Scalability Law, fitted to goodput X against users N: X = λN / (1 + σ(N − 1) + κN(N − 1))."""

    single_user_rps: Estimate  # λ
    contention: Estimate  # σ: what each added user adds to everybody's response time, as a share of a lone user's
    coherency: Estimate  # κ: what each pair of users adds to it
    peak_users: Estimate | None  # N* = √((1 − σ) / κ); None: κ cannot be told from 0, so no peak is known
    peak_rps: float | None  # goodput of the fit there
    misfit_share: float  # typical distance of a point from the curve, as a share of the curve
    covariance: tuple[tuple[float, ...], ...]  # of λ, σ, κ; three by three
    degrees_of_freedom: int


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
        Profile(name="quick", warmup_s=0.3, window_s=0.85, blocks=2, drain_s=0.25, sequential_tasks=2),
        Profile(name="standard", warmup_s=0.5, window_s=1.7, blocks=2, drain_s=0.6, sequential_tasks=5),
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
