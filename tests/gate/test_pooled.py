"""A quantile of all windows, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from harness.gate.pooled import Micros, shares_of_blocks, smooth_quantile

BLOCKS, REQUESTS, SPREAD = 24, 120, 0.4


def made_up(rng: np.random.Generator, *, stalls: int = 0) -> list[Micros]:
    """Log-normal times around 2 ms; in so many of the blocks a stall of the machine holds four requests for 15 ms more."""
    times = 2000 * np.exp(SPREAD * rng.standard_normal((BLOCKS, REQUESTS)))
    times[:stalls, :4] += 15_000
    return [np.sort(block).astype(np.int32) for block in times]


@pytest.mark.parametrize("probability", [0.5, 0.95, 0.99])
def test_the_quantile_is_the_one_of_the_distribution(probability: float) -> None:
    found = [shares_of_blocks(made_up(np.random.default_rng(n)), probability).mean() for n in range(40)]
    assert np.mean(found) == pytest.approx(np.log(0.002) + SPREAD * ndtri(probability), abs=0.02)


@pytest.mark.parametrize("probability", [0.5, 0.95])
def test_the_blocks_tell_how_far_the_quantile_is_off(probability: float) -> None:
    shares = [shares_of_blocks(made_up(np.random.default_rng(n)), probability) for n in range(200)]
    told = np.mean([s.var(ddof=1) / BLOCKS for s in shares]) ** 0.5
    assert told == pytest.approx(np.std([s.mean() for s in shares]), rel=0.2)


def test_stalls_in_a_third_of_the_windows_move_the_quantile_of_each_far_and_that_of_all_little() -> None:
    blocks = made_up(np.random.default_rng(1), stalls=BLOCKS // 3)
    of_all = shares_of_blocks(blocks, 0.95)
    of_each = np.log([np.quantile(block, 0.95) for block in blocks])
    assert of_all.mean() == pytest.approx(np.log(0.002) + SPREAD * ndtri(0.95), abs=0.1)
    assert of_all.std() < of_each.std() * 2
    assert smooth_quantile(np.log(np.sort(np.concatenate(blocks))), 0.95) == pytest.approx(of_all.mean() + np.log(1e6))


@settings(max_examples=50)
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=40), st.floats(0.05, 0.99))
def test_it_lies_between_the_least_and_the_most(values: list[int], probability: float) -> None:
    found = smooth_quantile(np.sort(np.array(values, dtype=np.float64)), probability)
    assert min(values) - 1e-6 <= found <= max(values) + 1e-6


def test_windows_of_unlike_size_count_by_their_requests() -> None:
    many, few = np.full(1000, 1000, dtype=np.int32), np.full(10, 50_000, dtype=np.int32)
    assert shares_of_blocks([many, few, many, few], 0.5).mean() == pytest.approx(np.log(0.001), abs=1e-6)


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        smooth_quantile(np.zeros(0), 0.5)
