"""Quantiles, held against their definition; and what may be said when some times were cut off."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats import Floats, Quantile, quantile, quantiles, share

PROBABILITIES = ("0.5", "0.9", "0.95", "0.99", "1")  # those that are reported, as the exact numbers they stand for

times = st.floats(0.0, 100.0)
many_times = st.lists(times, max_size=60)
probabilities = st.sampled_from(PROBABILITIES)


def by_definition(values: list[float], probability: str) -> float:
    """Type 1: the smallest value that has at least this share of the values at or below it."""
    least = Fraction(probability)
    return min(v for v in values if Fraction(sum(other <= v for other in values), len(values)) >= least)


def array(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)


@given(values=st.lists(times, min_size=1, max_size=120), probability=probabilities)
def test_quantile_is_what_its_definition_says(values: list[float], probability: str) -> None:
    assert quantile(array(values), float(probability)) == by_definition(values, probability)


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_no_count_of_values_is_rounded_to_the_wrong_one(probability: str) -> None:
    for n in range(1, 1_001):
        k = -(-n * Fraction(probability) // 1)
        assert quantile(np.arange(1.0, n + 1), float(probability)) == k, f"of {n} values"


@given(values=st.lists(times, min_size=1))
def test_without_cut_times_the_quantiles_are_exact_and_ascend(values: list[float]) -> None:
    found = quantiles(array(values), array([]), [float(p) for p in PROBABILITIES])
    assert found == [Quantile(by_definition(values, p), False) for p in PROBABILITIES]
    assert [f.value for f in found if f] == sorted(f.value for f in found if f)


@given(finished=many_times, cut=st.lists(st.tuples(times, times), min_size=1, max_size=30), probability=probabilities)
def test_cut_times_never_make_a_quantile_too_large_and_what_is_not_marked_is_exact(
    finished: list[float], cut: list[tuple[float, float]], probability: str
) -> None:
    """cut: how long it had lasted, and how much longer it would have."""
    (found,) = quantiles(array(finished), array([so_far for so_far, _ in cut]), [float(probability)])
    truth = by_definition(finished + [so_far + more for so_far, more in cut], probability)

    assert found is not None
    assert found.value <= truth
    if not found.lower_bound:
        assert found.value == truth


@given(values=st.lists(times, min_size=1, max_size=60, unique=True), which=st.randoms(), probability=probabilities)
def test_a_quantile_is_marked_exactly_when_longer_cut_times_would_move_it(
    values: list[float], which: Random, probability: str
) -> None:
    is_cut = [which.random() < 0.3 for _ in values]
    finished = [v for v, cut in zip(values, is_cut, strict=True) if not cut]
    unfinished = [v for v, cut in zip(values, is_cut, strict=True) if cut]
    (found,) = quantiles(array(finished), array(unfinished), [float(probability)])
    at_most = by_definition(finished + [inf] * len(unfinished), probability)

    assert found is not None
    assert found.lower_bound is (at_most != found.value)


@pytest.mark.parametrize(
    ("finished", "cut", "probability", "expected"),
    [
        ([1, 2, 3, 4], [], 0.5, Quantile(2.0, False)),
        ([1, 2, 3], [9], 0.5, Quantile(2.0, False)),  # the cut one lies above, however long it lasts
        ([1, 2, 3], [9], 1.0, Quantile(9.0, True)),
        ([5, 6, 7], [1], 0.5, Quantile(5.0, True)),  # it may have outlasted them all
        ([], [3], 0.5, Quantile(3.0, True)),
        ([], [], 0.5, None),
    ],
)
def test_quantiles_of_a_few_times(
    finished: list[float], cut: list[float], probability: float, expected: Quantile | None
) -> None:
    assert quantiles(array(finished), array(cut), [probability]) == [expected]


def test_no_values_have_no_quantile() -> None:
    assert quantile(array([]), 0.5) is None
    assert quantiles(array([]), array([]), [0.5, 0.9]) == [None, None]


@pytest.mark.parametrize(("part", "whole", "expected"), [(1, 4, 0.25), (0, 4, 0.0), (0, 0, None), (3, 0, None)])
def test_share_of_nothing_is_unknown(part: float, whole: float, expected: float | None) -> None:
    assert share(part, whole) == expected
