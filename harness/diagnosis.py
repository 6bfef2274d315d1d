"""What is wrong inside a target, concluded from its figures alone. Pure.

Each rule looks at one mechanism and gives at most one diagnosis; the rules are asked in an order in which a cause comes before
its consequences: a leak drains the pool, so what waits for the pool is not diagnosed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from harness.judgement import Diagnosis
from harness.record import Cause, CheckoutSite, Frame, LoopHold, VariantResult

LOOP_HELD_SHARE = 0.10  # of the window, by one line
LIBRARY_HELD_SHARE = 0.30  # where no line of the app is in the stack
LEAK_SHARE = 0.05  # of the checkouts at one place
LEAK_COUNT = 3
CHURN_PER_REQUEST = 0.5
POOL_WAIT_SHARE = 0.30  # of the time requests spend in the app
POOL_TIMEOUT_SHARE = 0.01
PINNED_IDLE_SHARE = 0.60  # of the hold, without SQL
TOKEN_WAIT_SHARE = 0.30  # of the response time's p95
DEFAULT_TOKENS = 40
SATURATED_CPU_SHARE = 0.8  # of one core: from here on more threads cannot help
# Who leaks or opens connections makes others wait for them.
EXPLAINS_WAITING = (Cause.CONNECTION_LEAKED, Cause.CONNECTION_CHURN)


def diagnose(result: VariantResult) -> tuple[Diagnosis, ...]:
    """Everything that the rules find in a variant's pooled windows, causes before consequences."""
    found = [d for rule in _INDEPENDENT if (d := rule(result)) is not None]
    if any(d.cause in EXPLAINS_WAITING for d in found):
        return tuple(found)
    waiting = next((d for rule in _WAITING if (d := rule(result)) is not None), None)
    return (*found, waiting) if waiting is not None else tuple(found)


def _loop_blocked(result: VariantResult) -> Diagnosis | None:
    window_s = result.figures.window_s or 0.0
    by_line: dict[Frame | None, list[LoopHold]] = defaultdict(list)
    for hold in result.holds:
        by_line[hold.user or hold.offender].append(hold)
    for place, holds in by_line.items():
        held_s, times = sum(h.held_s for h in holds), sum(h.times for h in holds)
        if held_s < (LOOP_HELD_SHARE if holds[0].user else LIBRARY_HELD_SHARE) * window_s:
            continue
        routes = ", ".join(sorted({h.route for h in holds if h.route}))
        return Diagnosis(
            cause=Cause.LOOP_BLOCKED,
            frame=place,
            message=f"The event loop serialises: {place} keeps it in {holds[0].offender}"
            + (f" while serving {routes}." if routes else "."),
            evidence=f"{_percent(held_s / window_s)} of the window, {times} times, "
            f"{held_s / max(1, times) * 1000:.0f} ms each",
        )
    return None


def _connection_leaked(result: VariantResult) -> Diagnosis | None:
    for place, sites in _by_place(result.checkouts, lambda s: s.session or s.taken):
        outlived, checkouts = sum(s.outlived for s in sites), sum(s.checkouts for s in sites)
        if outlived < LEAK_COUNT or outlived < LEAK_SHARE * checkouts:
            continue
        return Diagnosis(
            cause=Cause.CONNECTION_LEAKED,
            frame=place,
            message=f"Connections are not given back: the session made at {_named(place)} is still holding one when its request is over.",
            evidence=f"{outlived} of {checkouts} checkouts outlived their request" + _timeouts(result),
        )
    return None


def _connection_churn(result: VariantResult) -> Diagnosis | None:
    per_request = result.figures.connects_per_request
    if per_request is None or per_request < CHURN_PER_REQUEST:
        return None
    place, sites = max(
        _by_place(result.checkouts, lambda s: s.engine),
        key=lambda item: sum(s.opened for s in item[1]),
        default=(None, []),
    )
    return Diagnosis(
        cause=Cause.CONNECTION_CHURN,
        frame=place,
        message=f"Connections are opened for each request instead of reused: the engine is made at {_named(place)}.",
        evidence=f"{per_request:.2f} connections opened per request, {sum(s.opened for s in sites)} in all",
    )


def _connection_pinned(result: VariantResult) -> Diagnosis | None:
    idle = result.figures.hold_idle_share
    if not _waits_for_pool(result) or idle is None or idle < PINNED_IDLE_SHARE:
        return None
    place, _ = max(
        _by_place(result.checkouts, lambda s: s.session or s.taken),
        key=lambda item: sum(s.hold_s - s.sql_s for s in item[1]),
        default=(None, []),
    )
    return Diagnosis(
        cause=Cause.CONNECTION_PINNED,
        frame=place,
        message=f"Connections are held while they have nothing to do: the session made at {_named(place)} keeps its own "
        "through everything its request waits for.",
        evidence=f"no SQL ran in {_percent(idle)} of the time they were held" + _timeouts(result),
    )


def _pool_undersized(result: VariantResult) -> Diagnosis | None:
    if not _waits_for_pool(result):
        return None
    place, _ = max(
        _by_place(result.checkouts, lambda s: s.engine),
        key=lambda item: sum(s.wait_s for s in item[1]),
        default=(None, []),
    )
    most = result.figures.connections_out_max
    return Diagnosis(
        cause=Cause.POOL_UNDERSIZED,
        frame=place,
        message=f"Requests wait for a connection although none is wasted: the pool made at {_named(place)} is smaller than the load needs.",
        evidence=f"at most {most} connections out, {result.figures.checkout_waiting_max} requests waiting"
        + _timeouts(result),
    )


def _threads_exhausted(result: VariantResult) -> Diagnosis | None:
    f = result.figures
    if not f.token_wait_p95_s or not f.response_p95_s or (f.tokens_in_use_max or 0) < DEFAULT_TOKENS:
        return None
    if f.token_wait_p95_s < TOKEN_WAIT_SHARE * f.response_p95_s or (f.cpu_share or 0.0) > SATURATED_CPU_SHARE:
        return None
    return Diagnosis(
        cause=Cause.THREADS_EXHAUSTED,
        frame=None,
        message="Requests wait for one of the worker threads that run `def` routes and dependencies.",
        evidence=f"{f.tokens_in_use_max} thread tokens in use, {f.tokens_waiting_max} waiting, "
        f"95 % of the requests waited up to {f.token_wait_p95_s * 1000:.0f} ms",
    )


_INDEPENDENT = (_loop_blocked, _connection_leaked, _connection_churn)
_WAITING = (_connection_pinned, _pool_undersized, _threads_exhausted)


def _waits_for_pool(result: VariantResult) -> bool:
    waited = result.figures.checkout_wait_share or 0.0
    return waited >= POOL_WAIT_SHARE or (result.figures.pool_timeout_share or 0.0) >= POOL_TIMEOUT_SHARE


def _named(place: Frame | None) -> str:
    return str(place) if place else "a place outside the app's own code"


def _by_place(
    sites: Iterable[CheckoutSite], place: Callable[[CheckoutSite], Frame | None]
) -> list[tuple[Frame | None, list[CheckoutSite]]]:
    groups: dict[Frame | None, list[CheckoutSite]] = defaultdict(list)
    for site in sites:
        groups[place(site)].append(site)
    return list(groups.items())


def _timeouts(result: VariantResult) -> str:
    share = result.figures.pool_timeout_share
    return f"; {_percent(share)} of the requests gave up waiting for one" if share else ""


def _percent(share: float) -> str:
    return f"{share * 100:.0f}\N{NO-BREAK SPACE}%"
