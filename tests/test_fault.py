"""Restarts of Postgres in a window: when they are due, and what becomes of a trial whose Postgres stays away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SetupError
from harness.fault import RestartsInWindow, moments
from harness.record import Fault, Restart
from tests.waiting import wait_until

FAULT = Fault(restart_every_s=2.0, restart_after_s=0.5)
SOON = Fault(restart_every_s=0.2, restart_after_s=0.1)


@given(start_s=st.floats(1e9, 2e9), length_s=st.floats(0, 60), every_s=st.floats(0.5, 10), share=st.floats(0.1, 0.9))
def test_after_each_restart_the_load_goes_on_in_the_window(
    start_s: float, length_s: float, every_s: float, share: float
) -> None:
    fault = Fault(restart_every_s=every_s, restart_after_s=share * every_s)
    due = list(moments(fault, start_s, start_s + length_s))
    assert all(start_s <= at_s and at_s + every_s - fault.restart_after_s < start_s + length_s + 1e-3 for at_s in due)
    assert len(due) >= length_s / every_s - 2
    assert due == sorted(due)


def test_moments_are_those_of_the_clock_on_the_wall() -> None:
    assert list(moments(FAULT, 1000.6, 1006.1)) == [1002.5, 1004.5]
    assert list(moments(FAULT, 1000.4, 1001.9)) == []


def restarted(restart: Callable[[], None], fault: Fault = SOON) -> tuple[tuple[Restart, ...], list[str]]:
    started_s = time.monotonic()
    restarts = RestartsInWindow(fault, restart, window_s=1.0, t0_monotonic=started_s)
    restarts.begin()
    wait_until(lambda: time.monotonic() > started_s + 0.6, "a few rounds have passed")
    return restarts.end()


def test_each_restart_is_told_of_with_its_times() -> None:
    done, wrong = restarted(lambda: None)
    assert wrong == []
    assert len(done) >= 2
    assert all(0 <= r.began_s <= r.back_s < 2 for r in done)


def test_a_restart_that_outlasts_the_quiet_makes_the_trial_invalid() -> None:
    _, wrong = restarted(lambda: time.sleep(0.3))
    assert re.match(r"Postgres took \d\.\d s to restart, and the load pauses for 0\.1 s", wrong[0])


def test_a_restart_that_fails_makes_the_trial_invalid() -> None:
    def fail() -> None:
        raise SetupError("no such container")

    assert restarted(fail) == ((), ["Postgres could not be restarted: no such container"])


def test_a_window_without_a_restart_shows_nothing() -> None:
    done, wrong = restarted(lambda: None, Fault(restart_every_s=1e6, restart_after_s=1.0))
    assert (done, wrong) == ((), ["no restart of Postgres fell into the window: it is too short"])


def test_a_window_that_never_began_is_not_blamed() -> None:
    assert RestartsInWindow(FAULT, lambda: None, window_s=1.0, t0_monotonic=0.0).end() == ((), [])
