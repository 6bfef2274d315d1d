"""What the names in the records are called when people read them. Data, and small functions that look it up."""

from __future__ import annotations

from dataclasses import dataclass

from harness.inside import Frame
from harness.judgement import DiagnosisResult, Equivalence, ExpectationResult
from harness.record import Cause, Expectation, Outcome, Workload
from harness.report import units


@dataclass(frozen=True, kw_only=True)
class FigureWords:
    """How one figure appears in a table."""

    name: str  # field of harness.measured.Figures
    group: str
    label: str


def _group(group: str, **labels: str) -> tuple[FigureWords, ...]:
    return tuple(FigureWords(name=name, group=group, label=label) for name, label in labels.items())


FIGURES: tuple[FigureWords, ...] = (
    *_group(
        "What the clients got",
        requests="requests",
        window_s="time measured",
        throughput_rps="throughput, all answers",
        goodput_rps="goodput, correct answers",
        ceiling_rps="ceiling",
        ceiling_share="goodput, share of the ceiling",
        failed_share="failed",
        pool_timeout_share="failed: no connection in time",
        http_error_share="failed: other HTTP errors",
        wrong_body_share="failed: wrong answers",
        unfinished="still waiting at the end",
        bytes_per_response="size of an answer (mean)",
    ),
    *_group(
        "Response time",
        response_p50_s="half within (p50)",
        response_p90_s="90 % within (p90)",
        response_p95_s="95 % within (p95)",
        response_p99_s="99 % within (p99)",
        response_max_s="slowest",
        canary_p50_s="canary, half within (p50)",
        canary_p99_s="canary, 99 % within (p99)",
    ),
    *_group(
        "Event loop",
        loop_lag_p99_s="loop lag (p99)",
        loop_lag_max_s="longest loop lag",
        loop_held_share="time in which one callback held the loop",
    ),
    *_group(
        "Worker threads",
        tokens_in_use_max="thread tokens in use, most",
        tokens_waiting_max="waiting for a token, most",
        token_wait_p95_s="wait for a token (p95)",
        tokens_per_request="hops to a thread per request",
    ),
    *_group(
        "Connection pool",
        connections_out_max="connections out, most",
        checkout_waiting_max="waiting for a connection, most",
        checkout_wait_p95_s="checkout wait (p95)",
        checkout_wait_share="checkout wait, share of response time",
        hold_p50_s="hold (p50)",
        hold_idle_share="hold in which no SQL ran",
        outlived_per_request="connections out after the answer, per request",
    ),
    *_group(
        "SQL",
        queries_per_request="queries per request",
        connects_per_request="connections opened per request",
        sql_p50_s="time in SQL per request (p50)",
    ),
    *_group(
        "Postgres",
        postgres_sessions_max="sessions, most",
        idle_in_transaction_max="idle in transaction, most",
        lock_waits_max="waiting for a lock, most",
        promises_lost="promises not kept",
    ),
    *_group(
        "Cost",
        cpu_s_per_request="CPU time per request",
        cpu_share="CPU of the app, share of one core",
        rss_max_bytes="memory of the app, most",
    ),
    *_group(
        "The load generator itself",
        generator_cpu_share="CPU, share of one core",
        cpu_over_generator_cpu="CPU of the app, over that of the generator",
        schedule_lag_p99_s="sent later than intended (p99)",
    ),
)
_LABELS = {f.name: f.label for f in FIGURES}

# What says most about an app that is compared with nothing, for the short forms of the report.
KEY_FIGURES = (
    "goodput_rps", "failed_share", "unfinished", "response_p50_s", "response_p99_s", "canary_p99_s", "loop_lag_p99_s",
    "loop_held_share", "token_wait_p95_s", "connections_out_max", "checkout_wait_p95_s", "outlived_per_request",
    "queries_per_request", "cpu_share",
)  # fmt: skip

SOURCES: dict[str, str] = {
    "S0": "a review guide",
    "S1": "a clean-up service's page",
    "S2": "a list of pitfalls",
    "S3": "a lesson on sessions and pools",
    "S4": "a decision record",
    "beyond": "not in any source: found elsewhere",
}

CAUSES: dict[Cause, str] = {
    Cause.LOOP_BLOCKED: "the event loop is blocked",
    Cause.THREADS_EXHAUSTED: "the worker threads run out",
    Cause.POOL_UNDERSIZED: "the pool is too small for the load",
    Cause.CONNECTION_LEAKED: "connections are not given back",
    Cause.CONNECTION_PINNED: "connections are held while nothing runs on them",
    Cause.CONNECTION_CHURN: "connections are opened again and again",
    Cause.SELF_DEADLOCK: "a request waits for a connection while it holds one",
    Cause.SESSION_SHARED: "one session is used by several tasks",
    Cause.STALE_CONNECTION: "dead connections are handed out",
    Cause.TOO_MANY_QUERIES: "a request sends too many queries",
    Cause.OVERSIZED_RESPONSE: "answers are too large",
    Cause.WRITE_LOST: "a promised write is lost",
    Cause.ERROR_MASKED: "errors are answered as successes",
    Cause.CONTRACT_BROKEN: "answers break the contract",
    Cause.SERVER_OVERCOMMITTED: "the server refuses connections: the pools together are larger than it allows",
    Cause.NONE: "nothing",
}

# In the order in which they are read.
THEMES: dict[str, str] = {
    "loop": "The event loop",
    "threads": "Worker threads",
    "pool": "Sessions, connections and their pool",
    "transactions": "Transactions and queries",
    "beliefs": "Beliefs put to the test",
    "background": "Background work and errors",
    "contracts": "What answers promise",
    "services": "A whole service",
}

OUTCOMES: dict[str, str] = {
    Outcome.OK: "correct",
    Outcome.WRONG_BODY: "wrong answer",
    Outcome.HTTP_ERROR: "HTTP error",
    Outcome.POOL_TIMEOUT: "no connection in time",
    Outcome.CLIENT_TIMEOUT: "client gave up",
    Outcome.CONNECT_ERROR: "connection refused or broken",
    Outcome.SKIPPED: "never sent",
    Outcome.UNFINISHED: "still waiting at the end",
}

OUTSIDE = (
    "It was measured from outside: what serialises, leaks or waits inside it cannot be known from there. Given as module:app it "
    "is started under the probe, which names the lines."
)
NOTHING_INSIDE = (
    "Nothing was found to name: no line held the event loop for long, no connection outlived its request or was opened for each, "
    "and requests did not wait for the pool or for a thread. Under more load, or other requests, that may change."
)


def figure_label(name: str) -> str:
    """The label of a figure, or its own name in words."""
    return _LABELS.get(name, name.replace("_", " "))


def bound(e: Expectation) -> str:
    """What an expectation wants, in the unit of its metric: "at least 5×"."""

    def show(value: float) -> str:
        return units.ratio(value) if e.over is not None else units.figure(e.metric, value)

    if e.equivalent_within is not None:
        return f"no more than {units.share(e.equivalent_within)} apart"
    if e.at_least is not None and e.at_most is not None:
        return f"between {show(e.at_least)} and {show(e.at_most)}"
    if e.at_least is not None:
        return f"at least {show(e.at_least)}"
    return f"at most {show(e.at_most)}" if e.at_most is not None else "measured"


def subject(e: Expectation) -> str:
    """Whose figure an expectation judges: "goodput, correct answers (fixed over buggy)"."""
    who = f"{e.variant} over {e.over}" if e.over is not None else e.variant
    return f"{figure_label(e.metric)} ({who})"


def measured(result: ExpectationResult) -> str:
    """What was measured for an expectation, or that it was not."""
    if result.measured is None:
        return "not measured"
    if result.equivalence is not None:
        return _equivalence(result)
    if result.expectation.over is not None:
        return units.ratio(result.measured)
    return units.figure(result.expectation.metric, result.measured)


def _equivalence(result: ExpectationResult) -> str:
    """What the blocks say of a ratio that should be 1: "no difference: 1.01×, within ±15 % (90 % interval 0.97× … 1.04×)"."""
    margin = f"±{units.share(result.expectation.equivalent_within)}"
    where = {
        Equivalence.SAME: f"within {margin}",
        Equivalence.DIFFERENT: f"beyond {margin}",
        Equivalence.UNTOLD: f"the blocks do not say whether within {margin}",
    }
    if result.interval is None:
        return f"{Equivalence.UNTOLD}: {units.ratio(result.measured)}, from one block"
    low, high = result.interval
    between = f"{low:.2f} … {high:.2f}"
    same = Equivalence.SAME
    note = ", so a small one is real" if result.equivalence is same and not low <= 1 <= high else ""
    return f"{result.equivalence}: {units.ratio(result.measured)}, {where[result.equivalence or same]} (90 % interval {between}{note})"


def sources(names: tuple[str, ...]) -> str:
    """Where a bug, or what is said of it, was found: "a review guide (S0), a list of pitfalls (S2)"."""
    return ", ".join(SOURCES["beyond"] if n == "beyond" else f"{SOURCES.get(n, 'source')} ({n})" for n in names)


def true_cause(d: DiagnosisResult) -> str:
    """What is known to be wrong with a variant."""
    return CAUSES[d.expected or Cause.NONE]


def short_place(frame: Frame) -> str:
    """A place in source code, without the folders that lead to it: "buggy.py:25 in get_db"."""
    return f"{frame.file.rsplit('/', 1)[-1]}:{frame.line} in {frame.function}"


def workload(w: Workload) -> str:
    """What the clients do, in one or two sentences."""
    if w.model == "open":
        kind = "at even intervals" if w.arrivals == "even" else "at random moments (Poisson)"
        text = f"Requests arrive by the clock, {units.number(w.rate_rps)} a second {kind}, whether or not earlier ones have been answered; "
        text += f"at most {w.users} are under way at once."
    else:
        users = units.plural(w.users, "user")
        text = f"{users}, each sending the next request when the last one has been answered"
        if w.think_s:
            text += f" and {units.seconds(w.think_s)} have passed"
        text += "."
    if w.canary:
        text += f" Beside them a canary asks {w.canary}, {units.number(w.canary_rate_rps)} times a second."
    return text
