"""The middle of what blocks say, and how sure it is, when a few of them say something else altogether. Pure.

A machine's noise has long tails: most blocks agree within a few per cent, and in some a stall has hit one arm. Those count for as much as all
others together in a mean, and in its standard error. So the lowest and the highest fifth is left out, and the error comes
from the winsorised variance (J. W. Tukey and D. H. McLaughlin, Sankhyā A 25, 1963; K. K. Yuen, Biometrika 61, 1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRIMMED = 0.2  # at either end
FEWEST = 10  # values, below which none is left out: what is left of so few would say little of how sure it is
ROUNDING = 1e-9


@dataclass(frozen=True)
class Middle:
    """A trimmed mean."""

    value: float
    error: float  # its standard error
    freedom: int  # degrees of freedom, for Student's t
    blocks: int

    @property
    def p(self) -> float:
        """Two-sided, of a true value of zero. What never varies is certain."""
        if self.error == 0.0:
            return 0.0 if abs(self.value) > ROUNDING else 1.0
        from scipy.special import stdtr  # takes long to import, and few commands need it

        return float(2 * stdtr(self.freedom, -abs(self.value) / self.error))

    def reach(self, level: float) -> float:
        """Half the width of its interval: beyond either end lies the true value with at most this probability."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 1 - level)) * self.error


def middle(values: Floats, share: float = TRIMMED) -> Middle:
    """The mean of what is left without this share at either end; a share of 0 is the plain mean and its standard error.

    values: two or more; see :data:`FEWEST`. Rounding does not count as noise.
    """
    n = len(values)
    cut = int(share * n) if n >= FEWEST else 0
    ascending = np.sort(values)
    left = ascending[cut : n - cut]
    drawn_in = np.clip(ascending, left[0], left[-1])
    squares = float(np.square(drawn_in - drawn_in.mean()).sum())
    h = len(left)
    error = float(np.sqrt(squares / (h * (h - 1))))
    largest = max(1.0, float(np.abs(left).max()))
    return Middle(value=float(left.mean()), error=error if error > ROUNDING * largest else 0.0, freedom=h - 1, blocks=n)
