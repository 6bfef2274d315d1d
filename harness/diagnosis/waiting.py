"""What requests wait for. At most one is named: who waits for a connection in a thread keeps the thread as well."""

from __future__ import annotations

from harness.diagnosis.reading import by_place, engine, most, named, percent, seen, timeouts
from harness.inside import Sight
from harness.judgement import Diagnosis
from harness.record import Cause, VariantResult

POOL_WAIT_SHARE = 0.30  # of the time requests spend in the app
POOL_TIMEOUT_SHARE = 0.01
PINNED_IDLE_SHARE = 0.60  # of the hold, without SQL
TOKEN_WAIT_SHARE = 0.30  # of the response time's p95
DEFAULT_TOKENS = 40
SATURATED_CPU_SHARE = 0.8  # of one core: from here on more threads, or connections, cannot help


def connection_pinned(result: VariantResult) -> Diagnosis | None:
    idle = result.figures.hold_idle_share
    if not _waits_for_pool(result) or idle is None or idle < PINNED_IDLE_SHARE:
        return None
    # Where it is known who took it, and not only whose session it is for, that is the line: a task after the answer, say.
    place, _ = max(
        by_place(result.checkouts, lambda s: s.taken or s.session),
        key=lambda item: sum(s.hold_s - s.sql_s for s in item[1]),
        default=(None, []),
    )
    return Diagnosis(
        cause=Cause.CONNECTION_PINNED,
        frame=place,
        message=f"Connections are held while they have nothing to do: what was taken at {named(place)} is kept through "
        "everything its request waits for.",
        evidence=f"no SQL ran in {percent(idle)} of the time they were held" + timeouts(result),
    )


def pool_undersized(result: VariantResult) -> Diagnosis | None:
    if not _waits_for_pool(result) or (not _gives_up(result) and _is_saturated(result)):
        return None
    place, _ = engine(result, lambda s: s.wait_s)
    most_out = result.figures.connections_out_max
    return Diagnosis(
        cause=Cause.POOL_UNDERSIZED,
        frame=place,
        message=f"Requests wait for a connection although none is wasted: the pool made at {named(place)} is smaller than the load needs.",
        evidence=f"at most {most_out} connections out, {result.figures.checkout_waiting_max} requests waiting"
        + timeouts(result),
    )


def threads_exhausted(result: VariantResult) -> Diagnosis | None:
    f = result.figures
    if not f.token_wait_p95_s or not f.response_p95_s or (f.tokens_in_use_max or 0) < DEFAULT_TOKENS:
        return None
    if f.token_wait_p95_s < TOKEN_WAIT_SHARE * f.response_p95_s or _is_saturated(result):
        return None
    place = most(seen(result, Sight.IN_THREAD), lambda s: s.place)
    return Diagnosis(
        cause=Cause.THREADS_EXHAUSTED,
        frame=place,
        message="Requests wait for one of the worker threads that run `def` routes and dependencies"
        + (f": most are in {place}." if place else "."),
        evidence=f"{f.tokens_in_use_max} thread tokens in use, {f.tokens_waiting_max} waiting, "
        f"95 % of the requests waited up to {f.token_wait_p95_s * 1000:.0f} ms",
    )


def _waits_for_pool(result: VariantResult) -> bool:
    f = result.figures
    if _gives_up(result):
        return True
    if (f.checkout_wait_share or 0.0) * (1 - _opening_share(result)) < POOL_WAIT_SHARE:
        return False
    # Below its limit nobody waits for a pool, but for a new connection, or an old one to be tried.
    limits = [s.limit for s in result.checkouts if s.limit is not None]
    return not limits or (f.connections_out_max or 0) + (f.checkout_waiting_max or 0) >= min(limits)


def _gives_up(result: VariantResult) -> bool:
    return (result.figures.pool_timeout_share or 0.0) >= POOL_TIMEOUT_SHARE


def _is_saturated(result: VariantResult) -> bool:
    return (result.figures.cpu_share or 0.0) > SATURATED_CPU_SHARE


def _opening_share(result: VariantResult) -> float:
    """The share of the waits in which a new connection was opened: a larger pool would open it as well."""
    wait_s = sum(site.wait_s for site in result.checkouts)
    return sum(site.opening_s for site in result.checkouts) / wait_s if wait_s else 0.0
