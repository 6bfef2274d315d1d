"""What windows measured, as numbers: frozen records. Units and None as in :mod:`harness.record`."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
    # Target over load process: where the load is the same, both take longer on a machine that is slow for a while.
    cpu_over_generator_cpu: float | None = None
    rss_max_bytes: int | None = None
    postgres_sessions_max: int | None = None
    idle_in_transaction_max: int | None = None
    lock_waits_max: int | None = None


FIGURE_NAMES = tuple(f.name for f in fields(Figures))


@dataclass(frozen=True, kw_only=True)
class Contention:
    """How busy the machine was during a window, in cores."""

    cores: int  # that this process may use
    busy_cores: float
    others_cores: float  # used by processes that do not belong to the trial


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
