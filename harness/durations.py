"""How long requests took, and how long connections were held. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.record import Outcome
from harness.stats import Floats
from harness.window import Checkout, Window


def durations(table: pa.Table, windows: Sequence[Window]) -> tuple[Floats, Floats]:
    """Response times of the requests that ended, and for the others the time they had lasted when their trial ended; in seconds.

    table: requests of these windows, as in :mod:`harness.store`.
    """
    table = table.filter(pc.not_equal(table["outcome"], Outcome.SKIPPED.value))
    times = numbers(table, "done_s") - numbers(table, "intended_s")
    ended = ~np.isnan(times)
    last_seen = {w.requests["trial"][0].as_py(): _last_moment(w) for w in windows if w.requests.num_rows}
    cut = table.filter(pa.array(~ended))
    so_far = [last_seen[t] - s for t, s in zip(cut["trial"].to_pylist(), cut["intended_s"].to_pylist(), strict=True)]
    return times[ended], np.maximum(np.array(so_far, dtype=np.float64), 0.0)


def holds(checkouts: Sequence[Checkout]) -> Floats:
    """For how many seconds each connection was out that was given back."""
    returned = [(c.got_s, c.returned_s) for c in checkouts]
    return np.array([end - begin for begin, end in returned if begin and end], dtype=np.float64)


def numbers(table: pa.Table, column: str) -> Floats:
    """A column as floats; what is missing is NaN."""
    found: Floats = table[column].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _last_moment(window: Window) -> float:
    """Up to when the trial's clients were seen to wait."""
    done = numbers(window.requests, "done_s")
    return float(max(window.end_s, np.nanmax(done, initial=0.0)))
