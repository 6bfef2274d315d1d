"""Whether blocks show that two variants do not differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.equivalence import judge_equivalence, ratio_interval
from harness.judgement import Equivalence, ExpectationResult
from harness.record import Expectation
from harness.report.words import measured
from tests import builders

COSTS_AS_MUCH = Expectation(
    that="both cost as much", metric="cpu_s_per_request", variant="buggy", over="fixed", equivalent_within=0.15
)


def judged(buggy: Sequence[float | None], fixed: Sequence[float | None]) -> ExpectationResult:
    """The expectation, held against one block for each value."""
    trials = [
        builders.trial(name=variant, block=block, cpu_s_per_request=value)
        for variant, values in (("buggy", buggy), ("fixed", fixed))
        for block, value in enumerate(values, start=1)
    ]
    return judge_equivalence(COSTS_AS_MUCH, trials)


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    # logarithms -0.1, 0, 0.1, 0.2: mean 0.05, standard error 0.0645, t(0.95; 3) = 2.3534
    mean, interval = ratio_interval([math.exp(x) for x in (-0.1, 0.0, 0.1, 0.2)])
    assert mean == pytest.approx(math.exp(0.05))
    assert interval == pytest.approx((math.exp(0.05 - 0.15190), math.exp(0.05 + 0.15190)), rel=1e-4)


def test_of_ten_blocks_a_few_that_a_stall_has_hit_do_not_count() -> None:
    stalled = [*[1.0, 1.02, 0.99, 1.01] * 2, 1.9, 0.6]
    mean, interval = ratio_interval(stalled)
    assert mean == pytest.approx(1.005, abs=0.005)
    assert interval is not None
    assert 0.97 < interval[0] < mean < interval[1] < 1.04
    assert ratio_interval(stalled[2:])[0] > 1.01, "of fewer all count"


def test_steady_blocks_within_the_margin_show_that_there_is_no_difference() -> None:
    found = judged([1.0, 2.1, 3.0, 4.0, 5.1, 6.0], [1.0, 2.0, 3.1, 4.0, 5.0, 6.1])
    assert (found.equivalence, found.met, found.undecided) == (Equivalence.SAME, True, False)
    assert measured(found).startswith("no difference: 1")


def test_blocks_beyond_the_margin_show_a_difference() -> None:
    found = judged([1.5, 1.52, 1.48, 1.5], [1.0, 1.0, 1.0, 1.0])
    assert (found.equivalence, found.met, found.undecided) == (Equivalence.DIFFERENT, False, False)


def test_a_small_difference_is_said_to_be_real() -> None:
    found = judged([1.05, 1.06, 1.05, 1.04], [1.0, 1.0, 1.0, 1.0])
    assert found.met
    assert "so a small one is real" in measured(found)


@pytest.mark.parametrize("fixed", [[0.5, 1.0, 2.0], [1.0], [1.0, 1.4]])
def test_what_scatters_or_is_alone_cannot_be_told(fixed: list[float]) -> None:
    found = judged([1.0] * len(fixed), fixed)
    assert (found.equivalence, found.met, found.undecided) == (Equivalence.UNTOLD, False, True)
    assert measured(found).startswith("cannot be told")


def test_blocks_are_paired_and_what_only_one_variant_has_is_left_out() -> None:
    found = judged([1.0, None, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 0.0])
    assert found.measured == pytest.approx(1.0)
    assert found.met
    assert judged([None], [1.0]).measured is None
    assert not judged([None], [1.0]).undecided


def test_invalid_trials_are_no_blocks() -> None:
    trials = [builders.trial(name=v, block=b, cpu_s_per_request=1.0) for v in ("buggy", "fixed") for b in (1, 2, 3)]
    trials[0] = replace(trials[0], figures=replace(trials[0].figures, cpu_s_per_request=9.0), invalid=("disturbed",))
    assert judge_equivalence(COSTS_AS_MUCH, trials).measured == pytest.approx(1.0)


@given(st.lists(st.floats(0.5, 2.0), min_size=2, max_size=9), st.floats(0.1, 10.0))
def test_the_order_of_the_two_does_not_matter_nor_their_unit(ratios: list[float], unit: float) -> None:
    one, other = judged(ratios, [1.0] * len(ratios)), judged([unit] * len(ratios), [unit * r for r in ratios])
    assert one.equivalence is other.equivalence or one.interval == pytest.approx((1 / 1.15, 1.15), rel=1e-6)
    assert one.measured is not None
    assert other.measured == pytest.approx(1 / one.measured)
