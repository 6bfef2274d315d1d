"""A quantile of all durations that an arm has shown, and how far each block moves it. Pure.

A machine that stalls for some milliseconds once a second or two spoils a handful of requests, all in one short window: that
window's p95 is then another figure, while the p95 of all windows together hardly moves. So a quantile is taken of the
durations of all windows of an arm, and how sure it is comes from the blocks: the quantile is taken once more without each of
them, the delete-a-block jackknife (J. Shao and C. F. J. Wu, Ann. Stat. 17, 1989: for quantiles it holds when what is left
out is more than the root of what there is, which a block of a few dozen blocks always is). So that leaving a few requests
out moves it by little, the quantile is the one of F. E. Harrell and C. E. Davis (Biometrika 69, 1982): a mean over the
order statistics around it, with the weights of a beta distribution; of logarithms here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

Floats = NDArray[np.float64]
Micros = NDArray[np.int32]

NO_WEIGHT = 1e-9  # of the order statistics beyond


def shares_of_blocks(blocks: Sequence[Micros], probability: float) -> Floats:
    """What each block has to say of the quantile of all: a logarithm of seconds for each.

    Their mean is the logarithm of the quantile of all blocks' durations (in µs), and their spread is that of pseudo-values:
    its standard error is theirs, as if they were independent figures. Raises ValueError where all blocks but one are empty.
    """
    logs = np.log(np.maximum(np.concatenate(blocks), 1) * 1e-6)
    block = np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
    order = np.argsort(logs, kind="stable")
    logs, block = logs[order], block[order]
    without = np.array([smooth_quantile(logs[block != number], probability) for number in range(len(blocks))])
    spread: Floats = (len(blocks) - 1) * (without.mean() - without)
    return smooth_quantile(logs, probability) + spread


def smooth_quantile(ascending: Floats, probability: float) -> float:
    """Harrell and Davis's quantile of values in ascending order. Raises ValueError when there are none."""
    first, weights = _weights(len(ascending), probability)
    return float(weights @ ascending[first : first + len(weights)])


@lru_cache(maxsize=65536)
def _weights(n: int, probability: float) -> tuple[int, Floats]:
    """The place of the first order statistic that counts, and the weights from there on."""
    if n == 0:
        raise ValueError("there is no quantile of nothing")
    a, b = (n + 1) * probability, (n + 1) * (1 - probability)
    first = int(np.floor(n * betaincinv(a, b, NO_WEIGHT)))
    last = int(np.ceil(n * betaincinv(a, b, 1 - NO_WEIGHT)))
    weights: Floats = np.diff(betainc(a, b, np.arange(first, last + 1) / n))
    return first, weights / weights.sum()
