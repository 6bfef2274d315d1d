"""Each mechanism is named from its figures alone, and from nothing else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.diagnosis import diagnose
from harness.record import Cause, CheckoutSite, Frame, LoopHold, VariantResult
from tests.builders import frame, result

APP, LIBRARY = frame(12, "quote"), Frame(file="urllib3.connection", line=203, function="connect")
SESSION, TAKEN, ENGINE = frame(7, "get_db"), frame(20, "read"), frame(3, "<module>")

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


def hold(held_s: float, *, user: Frame | None = APP, route: str | None = "GET /quote") -> LoopHold:
    return LoopHold(user=user, offender=LIBRARY, route=route, held_s=held_s, times=10)


def site(**known: Any) -> CheckoutSite:
    plain: dict[str, Any] = {"taken": TAKEN, "session": SESSION, "engine": ENGINE, "route": "/", "checkouts": 100}
    plain |= dict.fromkeys(("timeouts", "opened", "outlived"), 0)
    return CheckoutSite(**(plain | {"wait_s": 1.0, "hold_s": 2.0, "sql_s": 1.6} | known))


def measured(*sites: CheckoutSite, holds: tuple[LoopHold, ...] = (), **figures: Any) -> VariantResult:
    """Healthy but for what is given; the window is 10 s."""
    return replace(result(**(HEALTHY | figures)), checkouts=sites or (site(),), holds=holds)


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
        measured(site(outlived=50, session=None)), Cause.CONNECTION_LEAKED, TAKEN,
    ),
    "the leak is one place's of several, over all its routes": (
        measured(site(session=OTHER, checkouts=900), *[site(outlived=2, checkouts=20, route=r) for r in ("/a", "/b")]),
        Cause.CONNECTION_LEAKED, SESSION,
    ),
    "a connection is opened per request": (
        measured(site(engine=OTHER, opened=1), site(opened=99), connects_per_request=1.0),
        Cause.CONNECTION_CHURN, ENGINE,
    ),
    "connections are held idle while others wait": (
        measured(site(session=OTHER, hold_s=99.0, sql_s=98.0), site(hold_s=20.0, sql_s=2.0),
                 checkout_wait_share=0.8, hold_idle_share=0.9),
        Cause.CONNECTION_PINNED, SESSION,
    ),
    "connections are held in use while others wait": (
        measured(site(engine=OTHER, wait_s=0.1), site(wait_s=50.0), checkout_wait_share=0.8),
        Cause.POOL_UNDERSIZED, ENGINE,
    ),
    "requests give up waiting": (measured(pool_timeout_share=0.05), Cause.POOL_UNDERSIZED, ENGINE),
    "no thread is free": (measured(**NO_TOKENS), Cause.THREADS_EXHAUSTED, None),
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
        (measured(site(outlived=4)), measured(site(outlived=5)), Cause.CONNECTION_LEAKED),  # of 100
        (measured(site(outlived=2, checkouts=9)), measured(site(outlived=3, checkouts=9)), Cause.CONNECTION_LEAKED),
        (measured(connects_per_request=0.49), measured(connects_per_request=0.5), Cause.CONNECTION_CHURN),
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


def test_a_few_held_connections_without_anyone_waiting_are_no_bug() -> None:
    assert causes(measured(hold_idle_share=0.99)) == []


def test_independent_causes_are_all_named_and_come_before_what_waits() -> None:
    both = measured(holds=(hold(5.0),), checkout_wait_share=0.5)
    assert causes(both) == [Cause.LOOP_BLOCKED, Cause.POOL_UNDERSIZED]


def test_who_opens_connections_for_each_request_makes_it_wait_for_them() -> None:
    churns = measured(site(opened=90), connects_per_request=1.0, checkout_wait_share=0.5)
    assert causes(churns) == [Cause.CONNECTION_CHURN]


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
        {"connects_per_request": 1.0},
        {"checkout_wait_share": 0.8},
        {"checkout_wait_share": 0.8, "hold_idle_share": 0.9},
    ],
)
def test_a_place_that_is_unknown_is_not_called_none(figures: dict[str, Any]) -> None:
    """As in an app of which no line is in the stack: its pool is used by a library alone."""
    rest = {name: value for name, value in figures.items() if name != "outlived"}
    nowhere = site(taken=None, session=None, engine=None, outlived=figures.get("outlived", 0))
    (found,) = diagnose(measured(nowhere, **rest))
    assert "None" not in found.message + found.evidence
