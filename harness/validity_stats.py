"""Statistics behind the question whether a window can be trusted: Little's law and a trend that should not be there. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST_BATCHES = 5  # below, no order of the batches is unlikely enough to speak of a trend


@dataclass(frozen=True, kw_only=True)
class LittlesLaw:
    """Requests in flight as they were sampled, against arrivals times residence."""

    in_flight: float  # L, mean over the window
    expected: float  # λW
    ratio: float  # L / (λW); 1 when the law holds
    standard_error: float  # of the ratio


@dataclass(frozen=True, kw_only=True)
class Trend:
    """What is left of a trend in a window."""

    change: float  # over the whole window, relative: 0.1 is 10 % more at its end than at its start
    p_value: float  # how often windows without a trend would show one as steady as this


def littles_law(
    arrived_s: Floats,
    residence_s: Floats,
    sampled_s: Floats,
    in_flight: Floats,
    *,
    start_s: float,
    end_s: float,
    batches: int = 10,
) -> LittlesLaw | None:
    """L = λW over a window, for any discipline and distribution (J. D. C. Little, Operations Research 9, 1961).

    arrived_s, residence_s: requests that arrived in the window, and how long each was in the system, also past the window's
    end; a request that had not ended makes W too small and the ratio too large. sampled_s, in_flight: how many were in the
    system at each of these moments, ascending; each counts until the next. All times in seconds on one clock.
    None when nothing arrived, or there are fewer samples than batches.

    The standard error is that of the mean of batch means, which keeps the autocorrelation within a batch out of it (Law &
    Kelton, Simulation Modeling and Analysis, section 9.5.3; for L = λW: Kim & Whitt, Operations Research 61, 2013). Both sides
    of the law are compared batch by batch: what moves both of them is no noise. Requests that lie across a batch's edge
    count as noise in every batch and cancel over the window, so the error is rather too large than too small.
    """
    inside = (arrived_s >= start_s) & (arrived_s < end_s)
    total = float(residence_s[inside].sum())
    if total <= 0 or np.count_nonzero((sampled_s >= start_s) & (sampled_s < end_s)) < batches:
        return None
    edges = np.linspace(start_s, end_s, batches + 1)
    length = (end_s - start_s) / batches
    sampled = np.diff(_area(sampled_s, in_flight, edges)) / length
    predicted = np.histogram(arrived_s[inside], edges, weights=residence_s[inside])[0] / length
    expected = total / (end_s - start_s)
    error = float(np.std(sampled - predicted, ddof=1)) / math.sqrt(batches)
    found = float(sampled.mean())
    return LittlesLaw(in_flight=found, expected=expected, ratio=found / expected, standard_error=error / expected)


def trend(times_s: Floats, values: Floats, *, start_s: float, end_s: float, batches: int = 10) -> Trend | None:
    """Whether positive values, such as response times, rise or fall over a window: then the warm-up was too short.

    The values are put into batches of equal size in the order of their times, and the logarithm of each batch's median is
    looked at: one slow request moves nothing. The change is that of the median of all slopes between two batches (Theil 1950;
    Sen, Journal of the American Statistical Association 63, 1968). The p-value, for both directions, is the exact one of Mann's
    test (Mann, Econometrica 13, 1945; Kendall, Rank Correlation Methods), which takes the batches as exchangeable: where values
    hang together for longer than a batch lasts it is too small. None with fewer than two values for each batch.
    """
    keep = (times_s >= start_s) & (times_s < end_s) & (values > 0)
    order = np.argsort(times_s[keep], kind="stable")
    if batches < _FEWEST_BATCHES or len(order) < 2 * batches:
        return None
    parts = np.array_split(order, batches)
    at = np.array([float(np.median(times_s[keep][part])) for part in parts])
    level = np.array([float(np.median(np.log(values[keep][part]))) for part in parts])
    earlier, later = np.triu_indices(batches, 1)
    rises = level[later] - level[earlier]
    apart = at[later] - at[earlier]
    slope = float(np.median(rises[apart > 0] / apart[apart > 0])) if (apart > 0).any() else 0.0
    change = math.expm1(min(slope * (end_s - start_s), 50.0))
    return Trend(change=change, p_value=_mann_p(int(np.sign(rises).sum()), batches))


def _area(at_s: Floats, values: Floats, edges: Floats) -> Floats:
    """The area below a step function up to each edge; the first value holds before it, too, and the last one after it."""
    times = np.concatenate([[min(edges[0], at_s[0])], at_s[1:], [max(edges[-1], at_s[-1])]])
    areas = np.concatenate([[0.0], np.cumsum(values * np.diff(times))])
    return np.asarray(np.interp(edges, times, areas), dtype=np.float64)


def _mann_p(score: int, n: int) -> float:
    """P(|S| ≥ |score|) over all orders of n values: S = n(n − 1)/2 less twice the inversions, which are counted exactly."""
    ways = [1]  # orders by their inversions; the next larger value stands before 0 to size − 1 of the others
    for size in range(2, n + 1):
        ways = [sum(ways[max(0, k - size + 1) : k + 1]) for k in range(len(ways) + size - 1)]
    most = n * (n - 1) // 2
    extreme = sum(count for inversions, count in enumerate(ways) if abs(most - 2 * inversions) >= abs(score))
    return extreme / math.factorial(n)
