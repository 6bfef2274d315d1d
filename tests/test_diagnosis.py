"""Each mechanism is named from its figures alone, and from nothing else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.diagnosis import diagnose
from harness.inside import CheckoutSite, Frame, LoopHold, RouteUse, Sight, Sighting
from harness.record import Cause, InvariantResult, VariantResult
from tests.builders import frame, result

APP, LIBRARY = frame(12, "quote"), Frame(file="urllib3.connection", line=203, function="connect")
SESSION, TAKEN, ENGINE = frame(7, "get_db"), frame(20, "read"), frame(3, "<module>")
ENDPOINT, INNER, OUTER = frame(40, "list_orders"), frame(52, "show"), frame(45, "list_orders")
GLOBAL = frame(16, "<module>")
PARTS = (CheckoutSite, LoopHold, Sighting, RouteUse, InvariantResult)

HEALTHY: dict[str, Any] = {
    "requests": 1000,
    "goodput_rps": 100.0,
    "response_p95_s": 0.1,
    "pool_timeout_share": 0.0,
    "checkout_wait_share": 0.1,
    "hold_idle_share": 0.2,
    "connections_out_max": 10,
    "checkout_waiting_max": 3,
    "connects_per_request": 0.01,
    "tokens_in_use_max": 12,
    "tokens_waiting_max": 0,
    "token_wait_p95_s": 0.001,
}
NO_TOKENS: dict[str, Any] = {"tokens_in_use_max": 40, "tokens_waiting_max": 60, "token_wait_p95_s": 0.05}


def hold(held_s: float, *, user: Frame | None = APP, route: str | None = "GET /quote", loops: int = 1) -> LoopHold:
    return LoopHold(user=user, offender=LIBRARY, route=route, held_s=held_s, times=10, loops=loops)


def site(**known: Any) -> CheckoutSite:
    plain: dict[str, Any] = {"taken": None, "session": SESSION, "engine": ENGINE, "route": "/", "checkouts": 100}
    plain |= dict.fromkeys(("timeouts", "opened", "outlived"), 0)
    return CheckoutSite(**(plain | {"wait_s": 1.0, "hold_s": 2.0, "sql_s": 1.6} | known))


def sight(kind: Sight, times: int = 50, **known: Any) -> Sighting:
    plain: dict[str, Any] = {"what": "", "told": "", "place": None, "via": None, "route": "GET /"}
    return Sighting(kind=kind, times=times, **(plain | known))


def failed(what: str, told: str = "", times: int = 50, **known: Any) -> Sighting:
    return sight(Sight.FAILED, times, what=what, told=told, **({"place": INNER, "via": OUTER} | known))


def use(**known: Any) -> RouteUse:
    plain: dict[str, Any] = {"name": "/orders", "route": "GET /", "endpoint": ENDPOINT, "answers": 1000}
    plain |= {"wrong_bodies": 0, "hidden_timeouts": 0, "bytes_mean": 500.0, "queries_mean": 2.0}
    return RouteUse(**(plain | known))


def lost(rows: int = 40) -> InvariantResult:
    return InvariantResult(name="orders", promised=100, kept=100 - rows, promised_by=("/orders",))


def measured(
    *parts: CheckoutSite | LoopHold | Sighting | RouteUse | InvariantResult,
    holds: tuple[LoopHold, ...] = (),
    **figures: Any,
) -> VariantResult:
    """Healthy but for what is given: 1000 requests in a window of 10 s."""
    of: dict[type, list[Any]] = {t: [p for p in parts if isinstance(p, t)] for t in PARTS}
    return replace(
        result(**(HEALTHY | figures)),
        checkouts=tuple(of[CheckoutSite]) or (site(),),
        holds=holds or tuple(of[LoopHold]),
        sightings=tuple(of[Sighting]),
        routes=tuple(of[RouteUse]) or (use(),),
        invariants=tuple(of[InvariantResult]),
    )


def causes(of: VariantResult) -> list[Cause]:
    return [d.cause for d in diagnose(of)]


OTHER = frame(30, "other")
FOUND = {
    "a line of the app holds the loop": (measured(holds=(hold(9.0),)), Cause.LOOP_BLOCKED, APP),
    "the library alone is seen to": (measured(holds=(hold(9.0, user=None),)), Cause.LOOP_BLOCKED, LIBRARY),
    "the app's line matters from less on": (
        measured(holds=(hold(2.5, user=None), hold(1.5))), Cause.LOOP_BLOCKED, APP,
    ),
    "sessions outlive their requests": (measured(site(outlived=50)), Cause.CONNECTION_LEAKED, SESSION),
    "a leak without a session is where it was taken": (
        measured(site(outlived=50, session=None, taken=TAKEN)), Cause.CONNECTION_LEAKED, TAKEN,
    ),
    "the leak is one place's of several, over all its routes": (
        measured(site(session=OTHER, checkouts=900), *[site(outlived=2, checkouts=20, route=r) for r in ("/a", "/b")]),
        Cause.CONNECTION_LEAKED, SESSION,
    ),
    "a connection is opened per request": (
        measured(site(engine=OTHER, not_reused=1), site(not_reused=99)), Cause.CONNECTION_CHURN, ENGINE,
    ),
    "connections are held idle while others wait": (
        measured(site(session=OTHER, hold_s=99.0, sql_s=98.0), site(hold_s=20.0, sql_s=2.0),
                 checkout_wait_share=0.8, hold_idle_share=0.9),
        Cause.CONNECTION_PINNED, SESSION,
    ),
    "a task after the answer holds a connection of its request's session": (
        measured(site(hold_s=9.0, sql_s=8.0), site(taken=TAKEN, hold_s=20.0, sql_s=2.0), checkout_wait_share=0.8, hold_idle_share=0.9),
        Cause.CONNECTION_PINNED, TAKEN,
    ),
    "connections are held in use while others wait": (
        measured(site(engine=OTHER, wait_s=0.1), site(wait_s=50.0), checkout_wait_share=0.8),
        Cause.POOL_UNDERSIZED, ENGINE,
    ),
    "requests give up waiting": (measured(pool_timeout_share=0.05), Cause.POOL_UNDERSIZED, ENGINE),
    "no thread is free": (measured(**NO_TOKENS), Cause.THREADS_EXHAUSTED, None),
    "no thread is free, and it is seen where they are": (
        measured(sight(Sight.IN_THREAD, 20, place=OTHER), sight(Sight.IN_THREAD, 900, place=ENDPOINT), **NO_TOKENS),
        Cause.THREADS_EXHAUSTED, ENDPOINT,
    ),
    "a second connection is waited for with the first in hand": (
        measured(site(), site(taken=TAKEN, session=None, nested=30, timeouts=20), pool_timeout_share=0.3),
        Cause.SELF_DEADLOCK, TAKEN,
    ),
    "a request uses its session twice at once": (
        measured(failed("InvalidRequestError", "session is provisioning a new connection; concurrent operations are not permitted")),
        Cause.SESSION_SHARED, OUTER,
    ),
    "a driver is asked twice at once": (
        measured(failed("InterfaceError \N{LEFTWARDS ARROW} InterfaceError", "cannot perform operation: another operation is in progress")),
        Cause.SESSION_SHARED, OUTER,
    ),
    "a session of the module's": (
        measured(site(session=GLOBAL, outlived=90), failed("PendingRollbackError", "rolled back")), Cause.SESSION_SHARED, GLOBAL,
    ),
    "a connection was dead when it was handed out": (
        measured(failed("OperationalError \N{LEFTWARDS ARROW} AdminShutdown \N{LEFTWARDS ARROW} connection lost")),
        Cause.STALE_CONNECTION, ENGINE,
    ),
    "the server lets nobody in": (
        measured(failed("OperationalError", "FATAL:  sorry, too many clients already")), Cause.SERVER_OVERCOMMITTED, ENGINE,
    ),
    "a query for each row": (
        measured(use(queries_mean=99.0), sight(Sight.REPEATED, 90, what="SELECT 1", place=INNER), sight(Sight.REPEATED, 9, what="SELECT 2", place=OTHER)),
        Cause.TOO_MANY_QUERIES, INNER,
    ),
    "an answer with all rows": (measured(use(), use(name="/all", bytes_mean=3e5)), Cause.OVERSIZED_RESPONSE, ENDPOINT),
    "a commit that nobody awaits": (
        measured(lost(), sight(Sight.UNKEPT, 40, place=OTHER), sight(Sight.UNAWAITED, 40, what="AsyncSession.commit", place=INNER)),
        Cause.WRITE_LOST, INNER,
    ),
    "rows that nobody commits": (measured(sight(Sight.UNKEPT, 40, place=INNER)), Cause.WRITE_LOST, INNER),
    "rows that nobody commits, written nobody knows where": (measured(sight(Sight.UNKEPT, 40)), Cause.WRITE_LOST, ENDPOINT),
    "work after the answer fails": (
        measured(sight(Sight.AFTER_ANSWER, 40, what="IntegrityError", place=INNER)), Cause.WRITE_LOST, INNER,
    ),
    "all is committed, and not all is there": (measured(lost(1)), Cause.WRITE_LOST, ENDPOINT),
    "an exception is answered as a success": (
        measured(sight(Sight.MASKED, 40, what="KeyError", place=INNER, via=OTHER)), Cause.ERROR_MASKED, OTHER,
    ),
    "who gets no connection is answered as if he had": (measured(use(hidden_timeouts=200)), Cause.ERROR_MASKED, ENDPOINT),
    "an input that nobody reckoned with": (measured(failed("TypeError")), Cause.CONTRACT_BROKEN, INNER),
    "an answer that its own model refuses": (
        measured(failed("ResponseValidationError", place=None, via=None)), Cause.CONTRACT_BROKEN, ENDPOINT,
    ),
    "a good status with a wrong answer": (measured(use(wrong_bodies=200)), Cause.CONTRACT_BROKEN, ENDPOINT),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "cause", "place"), FOUND.values(), ids=FOUND.keys())
def test_each_mechanism_is_named_with_its_place(seen: VariantResult, cause: Cause, place: Frame | None) -> None:
    (found,) = diagnose(seen)
    assert (found.cause, found.frame) == (cause, place)
    assert found.evidence
    assert place is None or str(place) in found.message


def test_nothing_is_named_on_healthy_figures() -> None:
    assert diagnose(measured(holds=(hold(0.5),))) == ()


def test_nothing_is_named_where_nothing_was_measured() -> None:
    assert diagnose(result()) == ()


@pytest.mark.parametrize(
    ("below", "at", "cause"),
    [
        (measured(holds=(hold(0.99),)), measured(holds=(hold(1.0),)), Cause.LOOP_BLOCKED),
        (measured(holds=(hold(2.99, user=None),)), measured(holds=(hold(3.0, user=None),)), Cause.LOOP_BLOCKED),
        (measured(hold(3.99, loops=4)), measured(hold(4.0, loops=4)), Cause.LOOP_BLOCKED),  # each for a tenth
        (measured(site(outlived=4)), measured(site(outlived=5)), Cause.CONNECTION_LEAKED),  # of 100
        (measured(site(outlived=2, checkouts=9)), measured(site(outlived=3, checkouts=9)), Cause.CONNECTION_LEAKED),
        (measured(site(not_reused=49)), measured(site(not_reused=50)), Cause.CONNECTION_CHURN),
        (measured(site(nested=9, timeouts=2)), measured(site(nested=9, timeouts=3)), Cause.SELF_DEADLOCK),
        (measured(failed("TypeError", times=9)), measured(failed("TypeError", times=10)), Cause.CONTRACT_BROKEN),
        (measured(use(wrong_bodies=9)), measured(use(wrong_bodies=10)), Cause.CONTRACT_BROKEN),
        (measured(use(hidden_timeouts=9)), measured(use(hidden_timeouts=10)), Cause.ERROR_MASKED),
        (measured(use(queries_mean=19.9)), measured(use(queries_mean=20.0)), Cause.TOO_MANY_QUERIES),
        (measured(use(bytes_mean=99e3)), measured(use(bytes_mean=100e3)), Cause.OVERSIZED_RESPONSE),
        (measured(lost(0)), measured(lost(1)), Cause.WRITE_LOST),
        (
            measured(sight(Sight.MASKED, 2), requests=20),
            measured(sight(Sight.MASKED, 3), requests=20),
            Cause.ERROR_MASKED,
        ),
        (measured(checkout_wait_share=0.29), measured(checkout_wait_share=0.3), Cause.POOL_UNDERSIZED),
        (measured(pool_timeout_share=0.009), measured(pool_timeout_share=0.01), Cause.POOL_UNDERSIZED),
        (
            measured(**NO_TOKENS | {"tokens_in_use_max": 39}),
            measured(**NO_TOKENS | {"tokens_in_use_max": 40}),
            Cause.THREADS_EXHAUSTED,
        ),
        (
            measured(**NO_TOKENS | {"token_wait_p95_s": 0.029}),
            measured(**NO_TOKENS | {"token_wait_p95_s": 0.031}),
            Cause.THREADS_EXHAUSTED,
        ),
    ],
)
def test_thresholds(below: VariantResult, at: VariantResult, cause: Cause) -> None:
    assert (causes(below), causes(at)) == ([], [cause])


@pytest.mark.parametrize(("idle", "cause"), [(0.59, Cause.POOL_UNDERSIZED), (0.6, Cause.CONNECTION_PINNED)])
def test_idle_connections_tell_a_pinned_pool_from_a_small_one(idle: float, cause: Cause) -> None:
    assert causes(measured(checkout_wait_share=0.8, hold_idle_share=idle)) == [cause]


@pytest.mark.parametrize("idle", [0.2, 0.9])
def test_a_leak_hides_the_wait_that_it_causes(idle: float) -> None:
    drained = measured(site(outlived=50), checkout_wait_share=0.9, pool_timeout_share=0.8, hold_idle_share=idle)
    assert causes(drained) == [Cause.CONNECTION_LEAKED]


def test_a_leak_hides_the_threads_that_wait_for_its_pool() -> None:
    drained = measured(site(outlived=50), checkout_wait_share=0.9, **NO_TOKENS)
    assert causes(drained) == [Cause.CONNECTION_LEAKED]


def test_a_pool_that_is_waited_for_hides_the_threads_that_wait() -> None:
    assert causes(measured(checkout_wait_share=0.9, **NO_TOKENS)) == [Cause.POOL_UNDERSIZED]


@pytest.mark.parametrize(
    ("opening_s", "expected"), [(0.0, [Cause.POOL_UNDERSIZED]), (6.0, []), (4.0, [Cause.POOL_UNDERSIZED])]
)
def test_who_waits_until_a_connection_is_opened_does_not_wait_for_a_larger_pool(
    opening_s: float, expected: list[Cause]
) -> None:
    assert (
        causes(measured(site(wait_s=6.0, opening_s=opening_s), site(wait_s=4.0), checkout_wait_share=0.5)) == expected
    )


@pytest.mark.parametrize(
    ("gave_up", "expected"), [(0.0, []), (0.05, [Cause.POOL_UNDERSIZED])], ids=["all get one", "some give up"]
)
def test_a_larger_pool_is_not_asked_for_where_the_processor_is_full(gave_up: float, expected: list[Cause]) -> None:
    full = measured(checkout_wait_share=0.5, pool_timeout_share=gave_up, cpu_share=0.97)
    assert causes(full) == expected


def test_a_few_held_connections_without_anyone_waiting_are_no_bug() -> None:
    assert causes(measured(hold_idle_share=0.99)) == []


def test_a_pool_is_waited_for_only_at_its_limit() -> None:
    assert causes(measured(site(limit=15), checkout_wait_share=0.6, connections_out_max=15)) == [Cause.POOL_UNDERSIZED]
    assert causes(measured(site(limit=15), pool_timeout_share=0.1, connections_out_max=9)) == [Cause.POOL_UNDERSIZED]


def test_independent_causes_are_all_named_and_come_before_what_waits() -> None:
    both = measured(holds=(hold(5.0),), checkout_wait_share=0.5)
    assert causes(both) == [Cause.LOOP_BLOCKED, Cause.POOL_UNDERSIZED]


def test_who_opens_connections_for_each_request_makes_it_wait_for_them() -> None:
    churns = measured(site(not_reused=90), checkout_wait_share=0.5)
    assert causes(churns) == [Cause.CONNECTION_CHURN]


INNOCENT = {
    "who waits is in line for a new connection, and not for the pool": measured(
        site(limit=15), checkout_wait_share=0.6, connections_out_max=7, checkout_waiting_max=7
    ),
    "a pool is filled, and what overflows it is closed again": measured(site(opened=70, not_reused=1)),
    "a second connection is taken, and always there": measured(site(taken=TAKEN, nested=90)),
    "a session of the module's that nobody clashes in": measured(site(session=GLOBAL)),
    "a failed flush that its own request passes over": measured(failed("PendingRollbackError")),
    "an upstream fails": measured(failed("ConnectTimeout"), failed("TimeoutError", "QueuePool limit of size 5")),
    "many statements, each another": measured(
        use(queries_mean=30.0), *[sight(Sight.REPEATED, 20, place=frame(n)) for n in range(4)]
    ),
    "a large file, without a query": measured(use(bytes_mean=4e6, queries_mean=0.0)),
    "a coroutine is thrown away, and nothing is missing": measured(
        sight(Sight.UNAWAITED, what="AsyncSession.commit", place=INNER)
    ),
}


@pytest.mark.parametrize("seen", INNOCENT.values(), ids=INNOCENT.keys())
def test_what_looks_alike_is_not_named(seen: VariantResult) -> None:
    assert causes(seen) == []


WAITS: dict[str, Any] = {"checkout_wait_share": 0.9, "pool_timeout_share": 0.3}
FIRST = {
    "a deadlock is why the pool runs dry": (
        measured(site(taken=TAKEN, nested=30, timeouts=20), **WAITS), [Cause.SELF_DEADLOCK],
    ),
    "a shared session is never given back, and loses rows": (
        measured(site(session=GLOBAL, outlived=99), failed("IllegalStateChangeError"), lost(), use(wrong_bodies=90)),
        [Cause.SESSION_SHARED],
    ),
    "a leak that the collector cleans up after opens connections": (
        measured(site(outlived=90, not_reused=90), **WAITS), [Cause.CONNECTION_LEAKED],
    ),
    "who is told nothing of an error reads a wrong answer": (
        measured(use(hidden_timeouts=90, wrong_bodies=90)), [Cause.ERROR_MASKED],
    ),
    "a masked error does not hide why it came": (
        measured(use(hidden_timeouts=90), **WAITS), [Cause.ERROR_MASKED, Cause.POOL_UNDERSIZED],
    ),
    "queries by the hundred keep the pool busy": (
        measured(use(queries_mean=99.0), sight(Sight.REPEATED, place=INNER), **WAITS), [Cause.TOO_MANY_QUERIES],
    ),
    "what is too large also takes the loop": (
        measured(hold(9.0), use(bytes_mean=4e5)), [Cause.OVERSIZED_RESPONSE, Cause.LOOP_BLOCKED],
    ),
    "a lost row is not found again": (measured(lost(), use(wrong_bodies=90)), [Cause.WRITE_LOST]),
    "dead connections break answers": (
        measured(failed("OperationalError \N{LEFTWARDS ARROW} connection lost"), failed("StatementError")), [Cause.STALE_CONNECTION],
    ),
    "who opens connections for each request uses up the server's": (
        measured(site(not_reused=90), failed("OperationalError", "FATAL: sorry, too many clients already")), [Cause.CONNECTION_CHURN],
    ),
    "a server that lets nobody in makes all wait": (
        measured(failed("OperationalError", "FATAL: sorry, too many clients already"), **WAITS), [Cause.SERVER_OVERCOMMITTED],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "named"), FIRST.values(), ids=FIRST.keys())
def test_a_cause_comes_before_what_it_explains(seen: VariantResult, named: list[Cause]) -> None:
    assert causes(seen) == named


def test_more_threads_cannot_help_a_process_that_uses_its_whole_core() -> None:
    assert causes(measured(**NO_TOKENS, cpu_share=0.3)) == [Cause.THREADS_EXHAUSTED]
    assert causes(measured(**NO_TOKENS, cpu_share=0.95)) == []


def test_the_evidence_holds_the_figures() -> None:
    (blocked,) = diagnose(measured(holds=(hold(5.0),)))
    assert blocked.evidence == "50\N{NO-BREAK SPACE}% of the window, 10 times, 500 ms each"
    (leaked,) = diagnose(measured(site(outlived=50), pool_timeout_share=0.86))
    assert (
        leaked.evidence
        == "50 of 100 checkouts outlived their request; 86\N{NO-BREAK SPACE}% of the requests gave up waiting for one"
    )


@pytest.mark.parametrize(
    "figures",
    [
        {"outlived": 50},
        {"not_reused": 50},
        {"checkout_wait_share": 0.8},
        {"checkout_wait_share": 0.8, "hold_idle_share": 0.9},
    ],
)
def test_a_place_that_is_unknown_is_not_called_none(figures: dict[str, Any]) -> None:
    """As in an app of which no line is in the stack: its pool is used by a library alone."""
    of_site = {name: value for name, value in figures.items() if name in ("outlived", "not_reused")}
    rest = {name: value for name, value in figures.items() if name not in of_site}
    nowhere = site(taken=None, session=None, engine=None, **of_site)
    (found,) = diagnose(measured(nowhere, **rest))
    assert "None" not in found.message + found.evidence
