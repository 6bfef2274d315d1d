"""Trends and the error of a mean, on series whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.steadiness import batch_means, trend


def test_a_straight_rise_is_a_trend_of_its_size() -> None:
    change, p = trend(np.linspace(1.0, 3.0, 10))
    assert change == pytest.approx(1.0)  # from 1 to 3 around a median of 2
    assert p == pytest.approx(8.3e-5, rel=0.01)  # S = 45 of 45, z = 44 / sqrt(125)


@given(st.lists(st.floats(0.1, 10.0), min_size=4, max_size=12))
def test_a_series_and_its_mirror_change_by_opposite_amounts(values: list[float]) -> None:
    forwards, p = trend(np.array(values))
    backwards, p_back = trend(np.array(values[::-1]))
    assert forwards == pytest.approx(-backwards)
    assert p == pytest.approx(p_back)
    assert 0 <= p <= 1


@pytest.mark.parametrize("values", [[], [1.0, 2.0, 3.0], [5.0] * 10, [0.0] * 10], ids=str)
def test_nothing_is_concluded_from_too_little(values: list[float]) -> None:
    assert trend(np.array(values)) == (0.0, 1.0)


def test_noise_is_seldom_called_a_trend() -> None:
    source = np.random.default_rng(1)
    found = [trend(source.normal(10.0, 3.0, 10))[1] < 0.05 for _ in range(400)]
    assert 0.01 < np.mean(found) < 0.08


def test_the_error_of_a_mean_grows_with_what_neighbours_share() -> None:
    source = np.random.default_rng(1)
    steps = source.normal(0.0, 1.0, 4000)
    shared = np.array([steps[max(0, i - 50) : i + 1].sum() for i in range(len(steps))])
    truths, errors = [], []
    for part in np.split(shared, 10):
        mean, error = batch_means(part)
        truths.append(mean)
        errors.append(error)
    naive = float(np.std(shared)) / np.sqrt(400)
    spread = float(np.std(truths))
    assert float(np.median(errors)) > 2 * naive  # and that is right:
    assert 0.4 * spread < float(np.median(errors)) < 2.5 * spread


def test_the_error_is_unknown_for_too_few_values() -> None:
    assert batch_means(np.array([1.0, 3.0])) == (2.0, float("inf"))
