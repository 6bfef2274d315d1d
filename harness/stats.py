"""Statistics on raw rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Quantile:
    """A quantile of times of which some were cut off."""

    value: float
    lower_bound: bool  # the true quantile is at least this: it lies among requests that had not ended


def quantiles(finished_s: Floats, unfinished_s: Floats, probabilities: Sequence[float]) -> list[Quantile | None]:
    """Quantiles of durations in seconds, some of which had not ended when the measurement did.

    finished_s: the durations that are known; unfinished_s: for each of the others, how long it had lasted so far. A cut-off
    duration is put in at what is known of it. That can only make a quantile too small, and it does not as long as the
    quantile lies below the shortest cut-off; from there on it is marked as a lower bound. None when there is no duration.
    The k-th smallest of n values is the quantile k/n (inverse of the empirical distribution function, Hyndman & Fan's type 1):
    a value that was really measured, never one in between.
    """
    values = np.concatenate([finished_s, unfinished_s])
    if not len(values):
        return [None for _ in probabilities]
    shortest_cut = float(unfinished_s.min()) if len(unfinished_s) else np.inf
    found = np.quantile(values, list(probabilities), method="inverted_cdf")
    return [Quantile(float(v), bool(v >= shortest_cut)) for v in found]


def quantile(values: Floats, probability: float) -> float | None:
    """One quantile (Hyndman & Fan's type 1) of values that are all known; None when there are none."""
    return float(np.quantile(values, probability, method="inverted_cdf")) if len(values) else None


def share(part: float, whole: float) -> float | None:
    """part / whole, or None when there is no whole."""
    return part / whole if whole else None
