"""The middle of what blocks say, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from harness.trimmed import middle

BLOCKS = 24
SOME = st.lists(st.floats(-10, 10), min_size=4, max_size=40)


@settings(max_examples=50)
@given(SOME)
def test_with_nothing_left_out_it_is_the_plain_mean_and_its_t_test(values: list[float]) -> None:
    found = middle(np.array(values), 0.0)
    assert found.value == pytest.approx(np.mean(values))
    if found.error:
        assert found.p == pytest.approx(ttest_1samp(values, 0.0).pvalue, rel=1e-6)


@settings(max_examples=50)
@given(SOME, st.floats(-5, 5))
def test_it_moves_with_the_values_and_its_error_does_not(values: list[float], by: float) -> None:
    here, there = middle(np.array(values)), middle(np.array(values) + by)
    assert there.value == pytest.approx(here.value + by, abs=1e-6)
    assert there.error == pytest.approx(here.error, abs=1e-6)


def test_a_fifth_of_the_blocks_may_say_what_they_like() -> None:
    values = np.linspace(-1.0, 1.0, BLOCKS)
    stalled = values.copy()
    stalled[-4:] = 1000.0
    assert middle(stalled) == middle(values) or middle(stalled).value == pytest.approx(middle(values).value, abs=0.02)
    assert middle(stalled).error < 1.2 * middle(values).error


@pytest.mark.parametrize("heavy", [False, True])
def test_it_is_wrong_no_more_often_than_it_says(heavy: bool) -> None:
    rng = np.random.default_rng(1)
    draws = rng.standard_t(2, (4000, BLOCKS)) if heavy else rng.standard_normal((4000, BLOCKS))
    assert np.mean([middle(values).p < 0.05 for values in draws]) == pytest.approx(0.05, abs=0.012)


def test_what_never_varies_is_certain() -> None:
    assert (middle(np.zeros(6)).p, middle(np.full(6, 0.5)).p) == (1.0, 0.0)
