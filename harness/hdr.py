"""Response times as a percentile distribution in the text format of HdrHistogram (``.hgrm``), which its plotters read. Pure.

Made from the raw rows at a resolution of one microsecond: every value is one that was measured, no bucket has rounded it. In the
format's own terms that is a single bucket with a sub-bucket for each microsecond.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.stats import Floats

TICKS = 5  # for each halving of the distance to 100 %, as in HdrHistogram's own output


def hgrm(finished_s: Floats, unfinished_s: Floats) -> str:
    """The text of the file, in milliseconds, from durations in seconds.

    unfinished_s: of the requests that had not ended, how long each had lasted so far. Each enters as that lower bound, and the
    last line says how many there are. The percentile k/n is the k-th smallest of n values, as in :mod:`harness.stats`.
    """
    micros = np.sort(np.rint(np.concatenate([finished_s, unfinished_s]) * 1e6).astype(np.int64))
    n = len(micros)
    millis = micros / 1e3 if n else np.zeros(1)
    sub_buckets = 1 << int(micros[-1]).bit_length() if n else 1
    lines = [
        f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}",
        "",
        *_steps(micros),
        f"#[Mean    = {millis.mean():12.3f}, StdDeviation   = {millis.std():12.3f}]",
        f"#[Max     = {millis[-1]:12.3f}, Total count    = {n:12d}]",
        f"#[Buckets = {1:12d}, SubBuckets     = {sub_buckets:12d}]",
        f"# milliseconds; {len(unfinished_s)} of {n} requests had not ended: each is in as the time it had lasted, a lower bound",
    ]
    return "\n".join(lines) + "\n"


def _steps(micros: NDArray[np.int64]) -> Iterator[str]:
    n = len(micros)
    for part, whole in _distances(n):
        value = micros[max(0, n - n * part // whole - 1)]
        count = np.searchsorted(micros, value, side="right")
        yield f"{value / 1e3:12.3f} {1 - part / whole:14.12f} {count:10d} {whole / part:14.2f}"
    if n:
        yield f"{micros[-1] / 1e3:12.3f} {1:14.12f} {n:10d}"


def _distances(n: int) -> Iterator[tuple[int, int]]:
    """How far each percentile is from 1, as a fraction: 0, 0.1, … 0.5, 0.55, … 0.75, 0.775, …, down to 1/n."""
    whole = 2 * TICKS
    while n * (2 * TICKS) >= whole:
        for part in range(2 * TICKS, TICKS, -1):
            if n * part >= whole:
                yield part, whole
        whole *= 2
