"""Whether something stays as it is over a window. Pure."""

from __future__ import annotations

from itertools import combinations
from math import erfc, sqrt

import numpy as np

from harness.stats import Floats

BATCHES = 10


def batch_means(values: Floats, batches: int = BATCHES) -> tuple[float, float]:
    """The mean of a series in time order, and its standard error.

    Neighbours in a series resemble each other, so that the textbook's error is too small; means of batches longer than that
    resemblance do not (method of batch means; Law & Kelton, Simulation Modeling and Analysis, 9.5.3). The error is infinite
    for fewer values than two per batch.
    """
    mean = float(values.mean()) if len(values) else 0.0
    if len(values) < 2 * batches:
        return mean, float("inf")
    means = [float(batch.mean()) for batch in np.array_split(values, batches)]
    return mean, float(np.std(means, ddof=1)) / sqrt(batches)


def trend(values: Floats) -> tuple[float, float]:
    """How much a series in time order changes from its beginning to its end, and how likely chance alone does as much.

    Returns (change, p): the change relative to the median, by Theil and Sen's slope, the median of the slopes between all pairs;
    p by Mann and Kendall's test, two-sided, with the normal approximation and its correction for ties (Gilbert, Statistical
    Methods for Environmental Pollution Monitoring, 16.4). (0, 1) for fewer than four values, or without a spread or a median.
    """
    n = len(values)
    median = float(np.median(values)) if n else 0.0
    if n < 4 or median == 0.0:
        return 0.0, 1.0
    pairs = [(float(values[j] - values[i]), j - i) for i, j in combinations(range(n), 2)]
    slope = float(np.median([rise / run for rise, run in pairs]))
    s = sum(np.sign(rise) for rise, _ in pairs)
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if variance <= 0:
        return 0.0, 1.0
    z = max(0.0, abs(s) - 1) / sqrt(variance)
    return slope * (n - 1) / median, erfc(z / sqrt(2))
