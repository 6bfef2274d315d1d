"""Whether two variants differ by no more than a margin: two one-sided tests, with the block as the replicate. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import exp

import numpy as np

from harness.judgement import Equivalence, ExpectationResult
from harness.record import Expectation, Trial
from harness.trimmed import middle

LEVEL = 0.05  # of each of the two tests: the interval that both leave is one of 90 %


def judge_equivalence(expectation: Expectation, trials: Sequence[Trial]) -> ExpectationResult:
    """Judges an expectation that has ``equivalent_within`` and ``over`` by the valid trials of a pair."""
    margin = expectation.equivalent_within or 0.0
    ratios = _ratios(expectation, trials)
    if not ratios:
        return ExpectationResult(expectation=expectation, measured=None, met=False)
    measured, interval = ratio_interval(ratios)
    low, high = interval or (0.0, math.inf)
    if 1 / (1 + margin) <= low and high <= 1 + margin:
        found = Equivalence.SAME
    elif high < 1 / (1 + margin) or low > 1 + margin:
        found = Equivalence.DIFFERENT
    else:
        found = Equivalence.UNTOLD
    return ExpectationResult(
        expectation=expectation,
        measured=measured,
        met=found is Equivalence.SAME,
        equivalence=found,
        interval=interval,
    )


def ratio_interval(ratios: Sequence[float]) -> tuple[float, tuple[float, float] | None]:
    """The geometric mean of ratios, one of each block, and its 90 % interval, by Student's t on their logarithms.

    To reject both "smaller than the margin allows" and "larger than it allows" at 5 % is to find this interval inside the margin
    (D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987). Of ten or more the mean is the trimmed one, see
    :mod:`harness.trimmed`. No interval for a single block.
    """
    logs = np.log(np.array(ratios, dtype=np.float64))
    if len(logs) < 2:
        return exp(float(logs.mean())), None
    found = middle(logs)
    half = found.reach(LEVEL)
    return exp(found.value), (exp(found.value - half), exp(found.value + half))


def _ratios(expectation: Expectation, trials: Sequence[Trial]) -> list[float]:
    """The figure of the one variant over that of the other, for each block in which both have it and it is not zero."""
    ours, theirs = (_by_block(trials, v, expectation.metric) for v in (expectation.variant, expectation.over))
    return [ours[block] / theirs[block] for block in sorted(ours.keys() & theirs.keys())]


def _by_block(trials: Sequence[Trial], variant: str | None, metric: str) -> dict[int, float]:
    measured = {t.block: getattr(t.figures, metric) for t in trials if t.variant == variant and not t.invalid}
    return {block: value for block, value in measured.items() if value}
