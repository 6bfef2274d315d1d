"""Ticks, thinning and label placement: arithmetic for charts. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from harness.report import units
from harness.report.charts.model import Floats

SHORTEST_S = 1e-6  # what a log axis of times begins with at the least
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def nice_ticks(highest: float, at_most: int = 5) -> list[float]:
    """Round values from 0 up to the highest, ``at_most`` of them."""
    if highest <= 0:
        return [0.0]
    rough = highest / (at_most - 1)
    base = 10.0 ** math.floor(math.log10(rough))
    step = next((s * base for s in _STEPS if s * base >= rough * 0.999), 10 * base)
    return [round(i * step, 12) for i in range(int(highest / step + 1e-9) + 1)]


def labelled(values: Sequence[float], words: Callable[[float], str]) -> list[tuple[float, str]]:
    """Ticks with their words; the zero needs no unit."""
    return [(v, "0" if v == 0 else words(v)) for v in values]


def decade_ticks(lowest: float, highest: float) -> list[tuple[float, str]]:
    """Ticks of a log axis between two times in seconds: powers of ten, and threefold ones where those are few."""
    first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    tens = [10.0**e for e in range(first, last + 1)]
    inside = [t for t in tens if lowest <= t * 1.000001 and t <= highest * 1.000001]
    if len(inside) < 3:
        inside = [t for ten in tens for t in (ten, 3 * ten) if lowest <= t * 1.000001 and t <= highest * 1.000001]
    return [(t, units.seconds(t)) for t in inside]


def log_limits(lowest: float, highest: float) -> tuple[float, float]:
    """Limits of a log axis: the range with room to breathe, and at least a decade and a half."""
    low, high = math.log10(max(lowest, SHORTEST_S)), math.log10(max(highest, lowest, SHORTEST_S))
    missing = max(0.0, 1.5 - (high - low)) / 2
    return 10 ** (low - missing - 0.12), 10 ** (high + missing + 0.12)


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Moves labels apart so that neighbours keep the gap and all stay between low and high where there is room.

    The order of the labels is kept.
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = [min(max(positions[i], low), high) for i in order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    over = placed[-1] - high if placed else 0.0
    if over > 0:
        placed[-1] -= over
        for i in range(len(placed) - 2, -1, -1):
            placed[i] = min(placed[i], placed[i + 1] - gap)
    out = [0.0] * len(placed)
    for place, i in zip(placed, order, strict=True):
        out[i] = place
    return out


def thin_peaks(t: Floats, columns: Sequence[Floats], at_most: int) -> tuple[Floats, list[Floats]]:
    """Fewer samples that keep every peak: the highest value of each equal stretch of time.

    A stretch whose values are all missing gives NaN.
    """
    if len(t) <= at_most:
        return t, list(columns)
    edges = np.linspace(0, len(t), at_most + 1).astype(int)[:-1]
    return t[edges], [np.fmax.reduceat(c, edges) for c in columns]
