"""Little's law on simulated queues, and trends in made-up response times."""

from __future__ import annotations

import heapq
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.validity_stats import Floats, LittlesLaw, _mann_p, littles_law, trend

END_S = 60.0


def queue(seed: int, *, rate: float = 40.0, servers: int = 4, hold_s: float = 0.08) -> tuple[Floats, Floats]:
    """Poisson arrivals at servers with exponential holds (M/M/c), warmed up for 20 s: arrivals and residence times in seconds."""
    random = np.random.default_rng(seed)
    arrived = np.cumsum(random.exponential(1 / rate, int(rate * (END_S + 40)))) - 20.0
    free = [-100.0] * servers
    left = []
    for at in arrived:
        done = max(at, heapq.heappop(free)) + random.exponential(hold_s)
        heapq.heappush(free, done)
        left.append(done)
    return arrived, np.array(left) - arrived


def sampled(arrived: Floats, residence: Floats, every_s: float = 0.02) -> tuple[Floats, Floats]:
    at = np.arange(0.0, END_S, every_s)
    come = np.searchsorted(np.sort(arrived), at, side="right")
    gone = np.searchsorted(np.sort(arrived + residence), at, side="right")
    return at, (come - gone).astype(np.float64)


def of_window(arrived: Floats, residence: Floats, at: Floats, in_flight: Floats) -> LittlesLaw:
    found = littles_law(arrived, residence, at, in_flight, start_s=0.0, end_s=END_S)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(8))
def test_littles_law_holds_on_a_queue_within_its_error(seed: int) -> None:
    arrived, residence = queue(seed)
    law = of_window(arrived, residence, *sampled(arrived, residence))
    assert abs(law.ratio - 1) < 4 * law.standard_error
    assert law.standard_error < 0.05


@pytest.mark.parametrize("lost", [0.2, 0.5])
def test_rows_that_are_lost_break_it(lost: float) -> None:
    arrived, residence = queue(1)
    at, in_flight = sampled(arrived, residence)
    kept = np.random.default_rng(2).random(len(arrived)) > lost
    law = of_window(arrived[kept], residence[kept], at, in_flight)
    assert law.ratio == pytest.approx(1 / (1 - lost), rel=0.1)
    assert abs(law.ratio - 1) > 4 * law.standard_error


def test_samples_that_come_late_count_for_as_long_as_they_stood() -> None:
    """One request a second, of half a second each; most samples are taken while one is in flight."""
    arrived = np.arange(0.0, END_S)
    residence = np.full(len(arrived), 0.5)
    at = np.sort(np.concatenate([arrived + k for k in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)]))
    in_flight = np.where(at % 1 < 0.45, 1.0, 0.0)
    law = of_window(arrived, residence, at, in_flight)
    assert law.in_flight == pytest.approx(0.5)
    assert law.ratio == pytest.approx(1.0)


def test_nothing_is_said_of_a_window_without_arrivals_or_samples() -> None:
    at, none = np.arange(0.0, END_S), np.zeros(0)
    assert littles_law(none, none, at, np.zeros(len(at)), start_s=0.0, end_s=END_S) is None
    assert littles_law(at, np.ones(len(at)), at[:9], np.ones(9), start_s=0.0, end_s=END_S) is None


@given(order=st.permutations(list(range(6))))
def test_the_p_value_is_that_of_counting_all_orders(order: list[int]) -> None:
    def score(values: tuple[int, ...]) -> int:
        return int(sum(np.sign(b - a) for i, a in enumerate(values) for b in values[i + 1 :]))

    mine = abs(score(tuple(order)))
    share = sum(abs(score(other)) >= mine for other in permutations(range(6))) / 720
    assert _mann_p(score(tuple(order)), 6) == pytest.approx(share)


@given(change=st.floats(-0.6, 3.0), count=st.integers(50, 400))
def test_a_steady_change_is_found_in_its_size(change: float, count: int) -> None:
    times = np.linspace(0.0, 10.0, count, endpoint=False)
    found = trend(times, 0.05 * (1 + change) ** (times / 10.0), start_s=0.0, end_s=10.0)
    assert found is not None
    assert found.change == pytest.approx(change, abs=1e-6 + 0.01 * abs(change))
    if abs(change) > 1e-6:
        assert found.p_value == pytest.approx(2 / 3_628_800)  # one order of ten, or its reverse


def test_noise_without_a_trend_is_taken_for_one_as_seldom_as_the_p_value_says() -> None:
    random = np.random.default_rng(3)
    times = np.linspace(0.0, 10.0, 300, endpoint=False)
    found = [trend(times, random.lognormal(-3, 0.8, 300), start_s=0.0, end_s=10.0) for _ in range(300)]
    low = sum(f is not None and f.p_value < 0.05 for f in found)
    assert low <= 26  # 15 are due; more than 26 has a chance of 1 in 400


def test_one_slow_stretch_is_no_trend() -> None:
    times = np.linspace(0.0, 10.0, 500, endpoint=False)
    values = np.where((times > 4) & (times < 4.5), 2.0, 0.05 + 0.001 * (np.arange(500) * 7 % 11))
    found = trend(times, values, start_s=0.0, end_s=10.0)
    assert found is not None
    assert abs(found.change) < 0.05
    assert found.p_value > 0.05


def test_values_outside_the_window_or_too_few_say_nothing() -> None:
    times = np.linspace(0.0, 10.0, 100, endpoint=False)
    assert trend(times, np.ones(100), start_s=20.0, end_s=30.0) is None
    assert trend(times[:19], np.ones(19), start_s=0.0, end_s=10.0) is None
    assert trend(times, np.ones(100), start_s=0.0, end_s=10.0, batches=4) is None
