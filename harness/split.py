"""Where the response time went: from the rows of one or more windows to the splits of a variant. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.measured import LatencySplit
from harness.stats import Floats
from harness.window import Window

BANDS = {"p50": (0.40, 0.60), "p99": (0.985, 1.0)}  # quantiles of the response time
LEAST_REQUESTS = 5  # in a band, which is widened to hold them
LEAST_IN_ALL = 10
MEASURED = ("token", "checkout", "sql", "upstream", "loop", "own")  # the parts that the probe books, as answer_*_s


def latency_split(windows: Sequence[Window]) -> tuple[LatencySplit, ...]:
    """The splits of the requests around the median and around the 99th percentile.

    Empty without a probe, or with fewer than 10 requests that it saw to their end. Windows of a variant are pooled by their rows.
    """
    if not all(w.has_probe for w in windows):
        return ()
    table = pa.concat_tables([_answered(w) for w in windows])
    if table.num_rows < LEAST_IN_ALL:
        return ()
    parts = request_parts({name: _column(table, name) for name in COLUMNS})
    response_s = _column(table, "done_s") - _column(table, "intended_s")
    order = np.argsort(response_s, kind="stable")
    return tuple(_band(around, order, response_s, parts) for around in BANDS)


def request_parts(rows: dict[str, Floats]) -> dict[str, Floats]:
    """For each request the seconds of each part, none negative, which add up to done - intended.

    rows: the columns of :data:`COLUMNS`, of requests with an answer. The app's time, from its call to the answer's last byte, is cut to
    what lies between sending and done. What the probe booked in it can exceed it where a request does several things at once:
    all booked parts are then shortened by one factor. What they do not fill is ``other``.
    """
    intended_s, done_s = rows["intended_s"], rows["done_s"]
    sent_s = np.clip(rows["sent_s"], intended_s, done_s)
    start_s = np.clip(rows["start_s"], sent_s, done_s)
    last_s = np.clip(rows["last_byte_s"], start_s, done_s)
    inside_s = last_s - start_s
    booked = {part: np.maximum(rows[f"answer_{part}_s"], 0.0) for part in MEASURED}
    total_s = sum(booked.values(), start=np.zeros_like(inside_s))
    factor = np.divide(inside_s, total_s, out=np.ones_like(inside_s), where=total_s > inside_s)
    parts = {part: seconds * factor for part, seconds in booked.items()}
    parts["loop"] = parts["loop"] + (start_s - sent_s) + (done_s - last_s)
    return parts | {"unsent": sent_s - intended_s, "other": np.maximum(inside_s - total_s, 0.0)}


COLUMNS = ("intended_s", "sent_s", "done_s", "start_s", "last_byte_s", *(f"answer_{part}_s" for part in MEASURED))


def _band(around: str, order: np.typing.NDArray[np.intp], response_s: Floats, parts: dict[str, Floats]) -> LatencySplit:
    count = len(order)
    first, last = (round(q * count) for q in BANDS[around])
    if (lacking := LEAST_REQUESTS - (last - first)) > 0:
        last = min(count, last + lacking // 2)
        first = last - LEAST_REQUESTS
    chosen = order[first:last]
    means = {f"{part}_s": float(seconds[chosen].mean()) for part, seconds in parts.items()}
    return LatencySplit(
        around=around,
        from_quantile=first / count,
        to_quantile=last / count,
        requests=len(chosen),
        response_s=float(response_s[chosen].mean()),
        **means,
    )


def _answered(window: Window) -> pa.Table:
    """The load's requests that were meant to start in the window, and whose answer both sides saw."""
    table = window.requests
    wanted = pc.and_(pc.equal(table["kind"], "load"), pc.not_equal(table["phase"], "sequential"))
    for bound in (
        pc.greater_equal(table["intended_s"], window.start_s),
        pc.less(table["intended_s"], window.end_s),
        pc.is_valid(table["done_s"]),
        pc.is_valid(table["answer_own_s"]),
    ):
        wanted = pc.and_(wanted, bound)
    return table.filter(pc.fill_null(wanted, False))


def _column(table: pa.Table, name: str) -> Floats:
    found: Floats = table[name].to_numpy(zero_copy_only=False)
    return found
