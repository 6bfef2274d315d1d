"""When may one look, and how sure must one be at each look: a group-sequential boundary from an error-spending function.
Pure.

A test that is looked at after every block, at the level of a test that is looked at once, is wrong far more often
than it says. Here the error rate is spent over the looks (K. K. G. Lan and D. L. DeMets, "Discrete sequential
boundaries for clinical trials", Biometrika 70, 1983), by the cube of the share of the budget that has passed (K. Kim
and D. L. DeMets, Biometrika 74, 1987), so that nearly all is left for the end. The crossing probabilities come from
the recursion of P. Armitage, C. K. McPherson and B. C. Rowe (J. R. Stat. Soc. A 132, 1969). For an unknown variance
each level is put to Student's t, the significance level approach of C. Jennison and B. W. Turnbull, *Group Sequential
Methods* (2000), section 3.8; `benchmarks/gate_power.py` checks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

POINTS = 241
MOST_Z = 12.0
NO_CHANCE = 1e-15

Floats = NDArray[np.float64]


def spent(fraction: float, alpha: float) -> float:
    """How much of the error rate may have been spent when so much of the budget has passed (0 to 1)."""
    return float(alpha * min(1.0, max(0.0, fraction)) ** 3)


@dataclass(frozen=True)
class _Walk:
    """A test's statistic as a walk over the looks, where it has not yet crossed."""

    levels: tuple[float, ...]  # of the looks so far
    grid: Floats
    density: Floats
    spent: float


def levels(blocks: tuple[int, ...], fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """The two-sided level at each look that keeps the chance of ever crossing at alpha, when nothing is there to be
    found.

    blocks: how many had been measured at each look, ascending; fractions: of the budget, at each look.
    """
    return _walked(blocks, fractions, alpha).levels


@lru_cache(maxsize=4096)
def _walked(blocks: tuple[int, ...], fractions: tuple[float, ...], alpha: float) -> _Walk:
    """Step by step, as each look but the last has been asked for before."""
    if not blocks:
        return _Walk((), np.zeros(1), np.ones(1), 0.0)
    before = _walked(blocks[:-1], fractions[:-1], alpha)
    now = max(before.spent, spent(fractions[-1], alpha))
    step, scale = float(np.sqrt(blocks[-1] - (blocks[-2] if len(blocks) > 1 else 0))), float(np.sqrt(blocks[-1]))
    bound = _bound(before.grid, before.density, step, scale, now - before.spent)
    grid, density = _carried(before.grid, before.density, step, bound * scale)
    return _Walk((*before.levels, 2.0 * float(ndtr(-bound))), grid, density, now)


def _bound(grid: Floats, density: Floats, step: float, scale: float, chance: float) -> float:
    """The z beyond which, on either side, a walk that is still inside steps with just this chance."""
    if chance < NO_CHANCE:
        return MOST_Z

    def excess(z: float) -> float:
        up, down = (z * scale - grid) / step, (-z * scale - grid) / step
        return float(density @ (ndtr(-up) + ndtr(down))) - chance

    return MOST_Z if excess(MOST_Z) > 0 else float(brentq(excess, 0.0, MOST_Z, xtol=1e-8))


def _carried(grid: Floats, density: Floats, step: float, edge: float) -> tuple[Floats, Floats]:
    """The walk after one more step, where it has not crossed; the density is given as weights on a grid (Simpson's rule)."""
    after = np.linspace(-edge, edge, POINTS)
    simpson = np.where(np.arange(POINTS) % 2, 4.0, 2.0)
    simpson[[0, -1]] = 1.0
    z = (after[:, None] - grid[None, :]) / step
    kernel = np.exp(-0.5 * z * z) / (step * np.sqrt(2 * np.pi))
    return after, (kernel @ density) * simpson * (after[1] - after[0]) / 3
