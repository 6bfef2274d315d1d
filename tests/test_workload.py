"""Intended starts: exact, seeded, and truly Poisson where they say so."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.record import Workload
from harness.workload import arrivals, even_arrivals, spread_starts

EVEN = Workload(model="open", rate_rps=50.0, arrivals="even")
POISSON = Workload(model="open", rate_rps=50.0, arrivals="poisson")
SEEDS = range(20)
# Of A² when the distribution is fully known (D'Agostino & Stephens 1986, table 4.2): exceeded in 0.1 % of all samples.
ANDERSON_DARLING_LIMIT = 6.0

rates = st.floats(0.5, 500.0)
starts = st.floats(0.0, 1e6)  # a monotonic clock may have run for days


def poisson(seed: int, count: int, rate_rps: float = 50.0) -> list[float]:
    """The first so many arrivals, so that where a window ends does not select among the gaps."""
    found = list(arrivals(POISSON, start_s=0.0, end_s=2 * count / rate_rps, seed=seed))
    assert len(found) > count
    return found[:count]


def gaps(at_s: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise([0.0, *at_s])]


def anderson_darling(times_s: list[float], mean_s: float) -> float:
    """A²: how far these times are from being exponential with that mean. 1 on average when they are."""
    n = len(times_s)
    survival = sorted((math.exp(-t / mean_s) for t in times_s), reverse=True)
    terms = (
        (2 * i - 1) * (math.log1p(-survival[i - 1]) + math.log(survival[n - i])) for i in range(1, n + 1)
    )  # fmt: skip
    return -n - sum(terms) / n


@pytest.mark.parametrize(
    ("rate_rps", "start_s", "end_s", "expected"),
    [
        (4.0, 0.0, 1.0, [0.0, 0.25, 0.5, 0.75]),
        (4.0, 10.0, 10.6, [10.0, 10.25, 10.5]),
        (4.0, 10.0, 10.5, [10.0, 10.25]),  # the end is not part of the window
        (0.5, 3.0, 4.0, [3.0]),
        (4.0, 1.0, 1.0, []),
        (4.0, 2.0, 1.0, []),
    ],
)
def test_even_arrivals_are_where_the_rate_puts_them(
    rate_rps: float, start_s: float, end_s: float, expected: list[float]
) -> None:
    assert list(even_arrivals(rate_rps, start_s=start_s, end_s=end_s)) == expected


@given(rate_rps=rates, start_s=starts, count=st.integers(1, 2_000))
def test_even_arrivals_do_not_add_up_rounding_errors(rate_rps: float, start_s: float, count: int) -> None:
    found = list(even_arrivals(rate_rps, start_s=start_s, end_s=start_s + (count + 0.5) / rate_rps))
    exact = Fraction(start_s) + Fraction(count) / Fraction(rate_rps)

    assert len(found) == count + 1
    assert abs(Fraction(found[-1]) - exact) <= 2 * Fraction(math.ulp(found[-1]))


def test_even_workload_ignores_the_seed() -> None:
    one, other = (list(arrivals(EVEN, start_s=1.0, end_s=3.0, seed=seed)) for seed in (1, 2))
    assert one == other == list(even_arrivals(50.0, start_s=1.0, end_s=3.0))


@given(seed=st.integers(0, 2**32), rate_rps=rates, start_s=starts, length_s=st.floats(0.0, 5.0))
def test_poisson_arrivals_ascend_within_the_window_and_repeat(
    seed: int, rate_rps: float, start_s: float, length_s: float
) -> None:
    workload = Workload(model="open", rate_rps=rate_rps, arrivals="poisson")
    found, again = (
        list(arrivals(workload, start_s=start_s, end_s=start_s + length_s, seed=seed)) for _ in range(2)
    )  # fmt: skip

    assert found == again
    assert found == sorted(found)
    assert all(start_s <= at_s < start_s + length_s for at_s in found)


def test_each_seed_has_its_own_arrivals() -> None:
    assert len({tuple(poisson(seed, 50)) for seed in SEEDS}) == len(SEEDS)


def test_a_longer_window_begins_like_a_shorter_one() -> None:
    short, long = (list(arrivals(POISSON, start_s=0.0, end_s=end_s, seed=1)) for end_s in (2.0, 4.0))
    assert long[: len(short)] == short


@pytest.mark.parametrize("seed", SEEDS)
def test_poisson_gaps_are_exponential(seed: int) -> None:
    found = gaps(poisson(seed, 1_000))

    assert fmean(found) == pytest.approx(1 / 50, rel=4 / math.sqrt(1_000))  # four standard errors
    assert anderson_darling(found, 1 / 50) < ANDERSON_DARLING_LIMIT


def test_poisson_gaps_are_exponential_over_all_seeds_together() -> None:
    """A small bias that each seed alone would hide: A² has mean 1 and standard deviation 0.76."""
    found = [anderson_darling(gaps(poisson(seed, 1_000)), 1 / 50) for seed in SEEDS]
    assert fmean(found) == pytest.approx(1.0, abs=3 * 0.76 / math.sqrt(len(SEEDS)))


def test_poisson_gaps_do_not_depend_on_one_another() -> None:
    found = gaps(poisson(1, 5_000))
    mean = fmean(found)
    together = fmean((a - mean) * (b - mean) for a, b in pairwise(found))
    assert abs(together / fmean((g - mean) ** 2 for g in found)) < 4 / math.sqrt(len(found))


def test_the_anderson_darling_test_can_fail() -> None:
    even = gaps([at_s + 0.02 for at_s in even_arrivals(50.0, start_s=0.0, end_s=20.0)])
    slow = gaps(poisson(1, 1_000))
    assert anderson_darling(even, 1 / 50) > 10 * ANDERSON_DARLING_LIMIT
    assert anderson_darling(slow, 1 / 60) > ANDERSON_DARLING_LIMIT


def test_a_closed_workload_has_no_arrivals() -> None:
    with pytest.raises(ValueError, match="only an open workload"):
        list(arrivals(Workload(), start_s=0.0, end_s=1.0, seed=1))


@pytest.mark.parametrize(("users", "expected"), [(1, [0.0]), (4, [0.0, 0.5, 1.0, 1.5]), (0, [])])
def test_users_begin_evenly_spread(users: int, expected: list[float]) -> None:
    assert spread_starts(users, 2.0) == expected


@given(users=st.integers(1, 2_000), over_s=st.floats(0.01, 100.0))
def test_every_user_begins_within_the_time_and_no_two_together(users: int, over_s: float) -> None:
    found = spread_starts(users, over_s)
    assert len(found) == len(set(found)) == users
    assert found == sorted(found)
    assert found[0] == 0.0
    assert found[-1] < over_s
