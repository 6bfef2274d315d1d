"""From the rows of one or more windows to their figures. Pure.

Windows of a variant are pooled by their rows: percentiles of percentiles mean nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.durations import durations, holds, numbers
from harness.measured import Figures
from harness.places import hold_s, overlaps
from harness.processes import process_count, summed
from harness.record import FAILURES, InvariantResult, Outcome
from harness.stats import Floats, quantile, quantiles, share
from harness.window import Checkout, Window


@dataclass
class _Pool:
    """Windows side by side, ready to be counted."""

    windows: Sequence[Window]
    length_s: float = field(init=False)
    intended: pa.Table = field(init=False)  # load requests meant to start in a window
    completed: pa.Table = field(init=False)  # load requests that ended in a window
    canary: pa.Table = field(init=False)
    samples: pa.Table = field(init=False)
    checkouts: list[Checkout] = field(init=False)

    def __post_init__(self) -> None:
        self.length_s = sum(w.length_s for w in self.windows)
        self.intended = pa.concat_tables([_between(_kind(w, "load"), "intended_s", w) for w in self.windows])
        self.completed = pa.concat_tables([_between(_kind(w, "load"), "done_s", w) for w in self.windows])
        self.canary = pa.concat_tables([_between(_kind(w, "canary"), "intended_s", w) for w in self.windows])
        self.samples = pa.concat_tables([_between(summed(w.samples), "t_s", w) for w in self.windows])
        self.checkouts = [c for w in self.windows for c in w.checkouts if overlaps(c, w)]


def measure(windows: Sequence[Window], ceiling_rps: float | None = None) -> tuple[Figures, dict[str, str]]:
    """The figures of the windows pooled, and for each figure that is limited, the reason."""
    pool = _Pool(windows)
    warnings: dict[str, str] = {}
    has_probe = all(w.has_probe for w in windows)
    figures: dict[str, Any] = {"window_s": pool.length_s, "requests": pool.intended.num_rows}
    figures |= _rates(pool, ceiling_rps, warnings)
    figures |= _shares(pool, has_probe)
    figures |= _response_times(pool, warnings)
    figures |= _postgres(pool)
    if has_probe:
        figures |= _loop(pool) | _threads(pool) | _connections(pool) | _work(pool)
    return Figures(**figures), warnings


def promises_lost(invariants: Sequence[InvariantResult]) -> int | None:
    """How many promises were not kept; None where none was looked at."""
    return sum(result.lost for result in invariants) if invariants else None


def outcomes(windows: Sequence[Window]) -> dict[str, int]:
    """How the requests meant to start in the windows ended."""
    counts = Counter(_Pool(windows).intended["outcome"].to_pylist())
    return {o.value: counts[o.value] for o in Outcome if counts[o.value]}


def _rates(pool: _Pool, ceiling_rps: float | None, warnings: dict[str, str]) -> dict[str, Any]:
    completed = pool.completed.num_rows
    right = _count(pool.completed, Outcome.OK)
    goodput = right / pool.length_s
    if completed < 20:
        warnings["throughput_rps"] = warnings["goodput_rps"] = (
            f"only {completed} requests ended in {pool.length_s:.1f} s"
        )
    generator_s = _generator_cpu_s(pool)
    return {
        "throughput_rps": completed / pool.length_s,
        "goodput_rps": goodput,
        "ceiling_rps": ceiling_rps,
        "ceiling_share": None if ceiling_rps is None else goodput / ceiling_rps,
        "generator_cpu_share": None if generator_s is None else generator_s / pool.length_s,
    }


def _shares(pool: _Pool, has_probe: bool) -> dict[str, Any]:
    unfinished = _count(pool.intended, Outcome.UNFINISHED)
    finished = pool.intended.num_rows - unfinished - _count(pool.intended, Outcome.SKIPPED)
    pool_timeouts = _count(pool.intended, Outcome.POOL_TIMEOUT)
    failed = sum(_count(pool.intended, outcome) for outcome in FAILURES)
    return {
        "unfinished": unfinished,
        "failed_share": share(failed, finished),
        # From outside only those are seen that tell of themselves: some are a number, none is not.
        "pool_timeout_share": share(pool_timeouts, finished) if has_probe or pool_timeouts else None,
        "http_error_share": share(_count(pool.intended, Outcome.HTTP_ERROR), finished),
        "wrong_body_share": share(_count(pool.intended, Outcome.WRONG_BODY), finished),
        "bytes_per_response": _mean(pool.completed.filter(pc.less(pool.completed["status"], 400)), "bytes"),
    }


def _response_times(pool: _Pool, warnings: dict[str, str]) -> dict[str, Any]:
    finished, cut = durations(pool.intended, pool.windows)
    figures: dict[str, Any] = {}
    for label, p in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
        figures |= _bounded(f"response_{label}_s", finished, cut, p, warnings)
    finished, cut = durations(pool.canary, pool.windows)
    for label, p in (("p50", 0.5), ("p99", 0.99)):
        figures |= _bounded(f"canary_{label}_s", finished, cut, p, warnings)
    sent = pool.intended.filter(pc.not_equal(pool.intended["outcome"], Outcome.SKIPPED.value))
    lag = numbers(sent, "sent_s") - numbers(sent, "intended_s")
    figures["schedule_lag_p99_s"] = quantile(lag, 0.99)
    return figures


def _bounded(name: str, finished: Floats, cut: Floats, p: float, warnings: dict[str, str]) -> dict[str, float | None]:
    (found,) = quantiles(finished, cut, [p])
    if found is None:
        return {name: None}
    if found.lower_bound:
        warnings[name] = f"at least: {len(cut)} of {len(finished) + len(cut)} requests had not ended when the trial did"
    elif (count := len(finished) + len(cut)) - 1 < p * count < count:
        warnings[name] = f"the largest of only {count} requests"
    return {name: found.value}


def _loop(pool: _Pool) -> dict[str, Any]:
    lag = numbers(pool.samples, "loop_lag_s")
    lag = lag[~np.isnan(lag)]
    held_s = sum(
        h.held_s / process_count(w.samples) for w in pool.windows for h in w.holds if w.start_s <= h.t_s <= w.end_s
    )
    return {
        "loop_lag_p99_s": quantile(lag, 0.99),
        "loop_lag_max_s": quantile(lag, 1.0),
        "loop_held_share": min(1.0, held_s / pool.length_s),
    }


def _threads(pool: _Pool) -> dict[str, Any]:
    served = _served(pool.completed)
    return {
        "tokens_in_use_max": _largest(pool.samples, "tokens_in_use"),
        "tokens_waiting_max": _largest(pool.samples, "tokens_waiting"),
        "token_wait_p95_s": quantile(numbers(served, "token_wait_s"), 0.95),
        "tokens_per_request": _mean(served, "tokens"),
    }


def _connections(pool: _Pool) -> dict[str, Any]:
    served = _served(pool.completed)
    took = served.filter(pc.greater(served["checkouts"], 0))
    held_s = sum(hold_s(c, w) for w in pool.windows for c in w.checkouts if overlaps(c, w))
    sql_s = sum(c.sql_s for c in pool.checkouts)
    spent = numbers(served, "end_s") - numbers(served, "start_s")
    return {
        "connections_out_max": _largest(pool.samples, "connections_out"),
        "checkout_waiting_max": _largest(pool.samples, "checkout_waiting"),
        "checkout_wait_p95_s": quantile(numbers(served, "checkout_wait_s"), 0.95),
        "checkout_wait_share": share(float(numbers(served, "checkout_wait_s").sum()), float(spent.sum())),
        "hold_p50_s": quantile(holds(pool.checkouts), 0.5),
        "hold_idle_share": max(0.0, 1 - sql_s / held_s) if held_s else None,
        "outlived_per_request": _mean(took, "outlived"),
    }


def _work(pool: _Pool) -> dict[str, Any]:
    served = _served(pool.completed)
    # Where no answer was right, what the others took says more than nothing.
    right = served.filter(pc.equal(served["outcome"], Outcome.OK.value))
    if not right.num_rows:
        right = served.filter(pc.is_valid(served["status"]))
    cpu_s = _sum([_cpu_s(w) for w in pool.windows])
    generator_s = _generator_cpu_s(pool)
    return {
        "queries_per_request": _mean(right, "queries"),
        "connects_per_request": _mean(right, "connects"),
        "sql_p50_s": quantile(numbers(right, "sql_s"), 0.5),
        "cpu_s_per_request": None if cpu_s is None else share(cpu_s, pool.completed.num_rows),
        "cpu_share": None if cpu_s is None else cpu_s / pool.length_s,
        "cpu_over_generator_cpu": share(cpu_s, generator_s) if cpu_s is not None and generator_s is not None else None,
        "rss_max_bytes": _largest(pool.samples, "rss_bytes"),
    }


def _postgres(pool: _Pool) -> dict[str, Any]:
    table = pa.concat_tables([_between(w.postgres, "t_s", w) for w in pool.windows])
    return {
        "postgres_sessions_max": _largest(table, "sessions"),
        "idle_in_transaction_max": _largest(table, "idle_in_transaction"),
        "lock_waits_max": _largest(table, "lock_waits"),
    }


def _generator_cpu_s(pool: _Pool) -> float | None:
    return _sum([w.generator_cpu_s for w in pool.windows])


def _sum(values: Sequence[float | None]) -> float | None:
    """None where one is not known."""
    known = [v for v in values if v is not None]
    return sum(known) if len(known) == len(values) else None


def _cpu_s(window: Window) -> float | None:
    """CPU time of the target in the window, from the samples nearest to its ends; None when there are none."""
    if not window.samples.num_rows:
        return None
    spent_s = 0.0
    for process in pc.unique(window.samples["process"]):
        mine = window.samples.filter(pc.equal(window.samples["process"], process))
        t, cpu = numbers(mine, "t_s"), numbers(mine, "cpu_s")
        spent_s += float(np.interp(window.end_s, t, cpu) - np.interp(window.start_s, t, cpu))
    return spent_s


def _kind(window: Window, kind: str) -> pa.Table:
    table = window.requests
    counted = pc.and_(pc.equal(table["kind"], kind), pc.not_equal(table["phase"], "sequential"))
    return table.filter(counted)


def _between(table: pa.Table, column: str, window: Window) -> pa.Table:
    inside = pc.and_(pc.greater_equal(table[column], window.start_s), pc.less(table[column], window.end_s))
    return table.filter(pc.fill_null(inside, False))


def _served(table: pa.Table) -> pa.Table:
    """The rows that the probe saw."""
    return table.filter(pc.is_valid(table["start_s"]))


def _count(table: pa.Table, outcome: Outcome) -> int:
    return int(pc.sum(pc.equal(table["outcome"], outcome.value)).as_py() or 0)


def _largest(table: pa.Table, column: str) -> int | None:
    largest: int | None = pc.max(table[column]).as_py() if table.num_rows else None
    return largest


def _mean(table: pa.Table, column: str) -> float | None:
    mean: float | None = pc.mean(table[column]).as_py() if table.num_rows else None
    return mean
