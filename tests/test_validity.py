"""What makes a trial invalid, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from harness.measured import Contention
from harness.record import Workload
from harness.validity import drifts, reasons
from harness.window import Window
from tests.builders import END_S, START_S, request, unfinished, window

CLOSED = Workload(users=10)
OPEN = Workload(model="open", users=10, rate_rps=20.0)
TICKS = [START_S + 0.05 * n for n in range(200)]


def steady(took_s: float = 0.2, per_s: int = 20) -> list[dict[str, Any]]:
    return [request(START_S + n / per_s, took_s) for n in range(10 * per_s)]


def looks(in_flight: float) -> list[dict[str, Any]]:
    """The probe's samples: numbers whose mean is the one given."""
    counts = [int((n + 1) * in_flight) - int(n * in_flight) for n in range(len(TICKS))]
    return [{"t_s": t, "in_flight": count} for t, count in zip(TICKS, counts, strict=True)]


def measured(rows: Sequence[dict[str, Any]], in_flight: float = 4.0, cpu_s: float = 1.0) -> Window:
    return window(rows, samples=looks(in_flight), generator_cpu_s=cpu_s)


@pytest.mark.parametrize("workload", [CLOSED, OPEN], ids=["closed", "open"])
def test_a_steady_window_on_a_quiet_machine_is_valid(workload: Workload) -> None:
    quiet = Contention(cores=2, busy_cores=1.6, others_cores=0.05)
    assert reasons(measured(steady()), workload, quiet) == []
    assert drifts(measured(steady())) == {}


@pytest.mark.parametrize(
    ("busy", "others", "valid"),
    [
        (2.0, 1.0, False),
        (2.0, 0.1, True),  # the harness itself fills the machine
        (1.5, 0.8, True),  # somebody else is busy, on a core that was idle anyway
    ],
)
def test_others_matter_once_no_core_is_idle(busy: float, others: float, valid: bool) -> None:
    found = reasons(measured(steady()), CLOSED, Contention(cores=2, busy_cores=busy, others_cores=others))
    assert (found == []) is valid
    assert valid or "other processes used 1.0 of the 2 cores" in found[0]


def test_a_load_process_without_cpu_left_is_what_was_measured() -> None:
    (found,) = reasons(measured(steady(), cpu_s=9.5), CLOSED, None)
    assert found.startswith("a load process used 95 % of its core")


def test_arrivals_that_were_never_sent_are_not_the_plan() -> None:
    rows = steady() + [request(15.0, None, "skipped", sent_s=15.0) for _ in range(2)]
    (found,) = reasons(measured(rows), OPEN, None)
    assert found.startswith("2 of 202 planned arrivals were never sent")


def test_arrivals_that_are_late_while_users_are_free_are_the_generators_fault() -> None:
    late = [request(t, 0.2, sent_s=t + 0.05, start_s=t + 0.05) for t in (row["intended_s"] for row in steady())]
    (found,) = reasons(measured(late, in_flight=3.0), OPEN, None)
    assert "schedule lag p99 50 ms" in found


def test_arrivals_that_are_late_because_all_users_wait_are_the_apps_fault() -> None:
    """Ten users, all of them busy for a second each: the app answers ten a second, and twenty arrive."""
    rows, free_s = [], [START_S] * 10
    for n in range(200):
        intended_s = START_S + n / 20
        sent_s = max(intended_s, min(free_s))
        free_s[free_s.index(min(free_s))] = sent_s + 1.0
        rows.append(request(intended_s, sent_s + 1.0 - intended_s, sent_s=sent_s, start_s=sent_s))
    assert reasons(measured(rows, in_flight=9.7), OPEN, None) == []


def test_clocks_that_differ_are_noticed() -> None:
    rows = [request(row["intended_s"], 0.2, start_s=row["intended_s"] - 0.1) for row in steady()]
    (found,) = reasons(measured(rows, in_flight=6.0), CLOSED, None)
    assert found.endswith("the clocks differ")


@pytest.mark.parametrize(("seen", "valid"), [(4.0, True), (4.4, True), (6.0, False), (2.0, False)])
def test_littles_law_ties_what_was_seen_to_what_was_recorded(seen: float, valid: bool) -> None:
    """Twenty requests a second that take 0.2 s each put four in flight."""
    found = reasons(measured(steady(), in_flight=seen), CLOSED, None)
    assert (found == []) is valid
    assert valid or f"{seen:.1f} requests were counted in flight, the rows account for 4.0" in found[0]


def test_a_long_look_counts_for_as_long_as_it_was() -> None:
    """For half of the window the interpreter is held for 0.25 s at a time, with six in flight; in the rest there are two."""
    half_s = START_S + 5
    samples = [{"t_s": t, "in_flight": 2.0} for t in TICKS if t < half_s]
    samples += [{"t_s": half_s + 0.25 * n, "in_flight": 6.0} for n in range(1, 20)]
    found = reasons(window(steady(), samples=samples, generator_cpu_s=1.0), CLOSED, None)
    assert found == []


def test_requests_that_never_ended_are_in_flight_to_the_end() -> None:
    stuck = [unfinished(START_S, start_s=START_S) for _ in range(4)]
    assert reasons(measured([*stuck, *steady()], in_flight=8.0), CLOSED, None) == []


def test_an_app_that_was_hardly_looked_at_is_not_known() -> None:
    found = reasons(window(steady(), samples=looks(4.0)[:30]), CLOSED, None)
    assert found[0] == "the app was looked at only 30 times in 10.0 s"


def test_without_a_probe_only_the_clients_are_judged() -> None:
    assert reasons(window(steady(), has_probe=False), CLOSED, None) == []


def ramp(first_per_s: int, last_per_s: int) -> list[dict[str, Any]]:
    rates = [first_per_s + (last_per_s - first_per_s) * tenth // 9 for tenth in range(10)]
    return [request(START_S + tenth + n / rate, 0.001) for tenth, rate in enumerate(rates) for n in range(rate)]


def test_throughput_that_still_rises_means_that_the_warm_up_was_too_short() -> None:
    (found,) = reasons(measured(ramp(10, 30), in_flight=0.02), CLOSED, None)
    assert found.startswith("throughput still rose")


def test_throughput_that_falls_is_what_a_leak_looks_like() -> None:
    falling = measured(ramp(30, 10), in_flight=0.02)
    assert reasons(falling, CLOSED, None) == []
    assert drifts(falling)["throughput_rps"].startswith("fell during the window")


def test_response_times_that_still_grow_travel_with_a_warning() -> None:
    rows = [request(START_S + n / 20, 0.01 + 0.01 * n) for n in range(200)]
    growing = window([row for row in rows if row["done_s"] < END_S], has_probe=False)
    assert set(drifts(growing)) >= {"response_p50_s", "response_p99_s"}
    assert drifts(growing)["response_p99_s"].startswith("rose during")
