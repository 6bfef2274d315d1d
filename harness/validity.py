"""Whether a trial can be trusted, in words. Pure.

A reason makes the trial invalid: no figure of it is used. What only limits a figure is a warning, and travels with that figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from harness.measured import Contention
from harness.processes import process_count, summed
from harness.record import Outcome, Workload
from harness.stats import Floats, quantile
from harness.steadiness import BATCHES, batch_means, trend
from harness.window import Window

GENERATOR_CPU_SHARE = 0.9  # of one core
OTHERS_CORES = 0.25  # used by other processes while no core was idle
IDLE_CORES = 0.1
LATE_P99_S = 0.010  # schedule lag, while users were free to send
SKIPPED_SHARE = 0.001
CLOCK_S = 0.005
CLOCK_SHARE = 0.01
CLOCK_COUNT = 2
SAMPLE_S = 0.05  # between the probe's looks
SEEN_SHARE = 0.3  # of the looks, at least
LITTLE_SHARE = 0.1
LITTLE_SIGMAS = 4.0
LITTLE_REQUESTS = 0.5
TREND_P = 0.001
TREND_CHANGE = 0.5  # relative, over the window

Check = Callable[[Window, Workload], Iterator[str]]


def reasons(window: Window, workload: Workload, contention: Contention | None) -> list[str]:
    """Why the window's figures must not be used; empty when they may."""
    found = [] if contention is None else list(_others(contention))
    for check in CHECKS:
        found += check(window, workload)
    return found


def _others(contention: Contention) -> Iterator[str]:
    idle = contention.cores - contention.busy_cores
    if contention.others_cores > OTHERS_CORES and idle < IDLE_CORES * contention.cores:
        yield (
            f"other processes used {contention.others_cores:.1f} of the {contention.cores} cores while none was idle: "
            "stop them, or measure elsewhere"
        )


def _generator(window: Window, _: Workload) -> Iterator[str]:
    spent = window.generator_cpu_s
    if spent is not None and spent > GENERATOR_CPU_SHARE * window.length_s:
        yield (
            f"a load process used {spent / window.length_s * 100:.0f} % of its core: it limits what was measured, not the app "
            "(--load-workers spreads the load over more processes)"
        )


def _arrivals(window: Window, workload: Workload) -> Iterator[str]:
    """The open model's plan was kept: nothing skipped, and late only where all users were waiting for the app."""
    if workload.model != "open":
        return
    planned = _intended(window)
    skipped = pc.sum(pc.equal(planned["outcome"], Outcome.SKIPPED.value)).as_py() or 0
    if skipped > SKIPPED_SHARE * planned.num_rows:
        yield f"{skipped} of {planned.num_rows} planned arrivals were never sent: more users, or a lower rate"
    sent = planned.filter(pc.not_equal(planned["outcome"], Outcome.SKIPPED.value))
    lag = _numbers(sent, "sent_s") - _numbers(sent, "intended_s")
    p99 = quantile(lag[_was_free(sent, lag, workload.users)], 0.99)
    if p99 is not None and p99 > LATE_P99_S:
        yield (
            f"arrivals were sent late though users were free to send them (schedule lag p99 {p99 * 1000:.0f} ms): "
            "the load process could not keep the rate"
        )


def _was_free(sent: pa.Table, lag: Floats, users: int) -> NDArray[np.bool_]:
    """Which of the requests were meant to start while fewer than all users were busy."""
    intended, started = _numbers(sent, "intended_s"), np.sort(_numbers(sent, "sent_s"))
    ended = np.sort(np.nan_to_num(_numbers(sent, "done_s"), nan=np.inf))
    busy = np.searchsorted(started, intended) - np.searchsorted(ended, intended)
    return np.asarray(busy < users - 1)


def _clock(window: Window, _: Workload) -> Iterator[str]:
    """The app cannot begin before the client sends, nor the client end before the app has answered."""
    seen = _intended(window)
    seen = seen.filter(pc.and_(pc.is_valid(seen["start_s"]), pc.is_valid(seen["done_s"])))
    early = _numbers(seen, "start_s") < _numbers(seen, "sent_s") - CLOCK_S
    late = _numbers(seen, "first_byte_s") > _numbers(seen, "done_s") + CLOCK_S
    wrong = int((early | (late & _answered(seen))).sum())
    if wrong > max(CLOCK_COUNT, CLOCK_SHARE * seen.num_rows):
        yield f"{wrong} of {seen.num_rows} requests began before they were sent, or were answered before the app did: the clocks differ"


def _answered(seen: pa.Table) -> NDArray[np.bool_]:
    gave_up = (Outcome.CLIENT_TIMEOUT.value, Outcome.CONNECT_ERROR.value)
    return np.array([outcome not in gave_up for outcome in seen["outcome"].to_pylist()], dtype=bool)


def _little(window: Window, _: Workload) -> Iterator[str]:
    """Little's law, L = λW: the requests that the probe counted in flight are those that the joined rows put there.

    Both sides are the target's view. Each sample is the mean since the one before, counted as requests begin and end, so what is
    compared is whether their rows arrived, once each, and with times of the same clock. The error that batch means give allows for
    samples across the window's ends.
    """
    if not window.has_probe or not window.samples.num_rows:
        return
    samples = summed(window.samples)
    inside = pc.and_(pc.greater_equal(samples["t_s"], window.start_s), pc.less(samples["t_s"], window.end_s))
    sampled = _numbers(samples.filter(inside), "in_flight")
    at_s = _numbers(samples, "t_s")
    covered_s = np.diff(at_s, prepend=at_s[0] - SAMPLE_S)[inside.to_numpy()]
    if len(sampled) < SEEN_SHARE * process_count(samples) * window.length_s / SAMPLE_S:
        yield f"the app was looked at only {len(sampled)} times in {window.length_s:.1f} s"
    by_rows = _in_flight_by_rows(window)
    found = float(np.average(sampled, weights=covered_s)) if covered_s.any() else 0.0
    error = batch_means(sampled)[1]
    if abs(found - by_rows) > max(LITTLE_REQUESTS, LITTLE_SHARE * by_rows, LITTLE_SIGMAS * error):
        yield (
            f"Little's law does not hold: {found:.1f} requests were counted in flight, the rows account for {by_rows:.1f} "
            "(rows were lost, or the clocks differ)"
        )


def _in_flight_by_rows(window: Window) -> float:
    """λW over the window: the time that requests spent in the app inside it, over its length."""
    served = window.requests.filter(pc.is_valid(window.requests["start_s"]))
    stray = np.array(window.strays, dtype=np.float64).reshape(-1, 2)
    starts = np.concatenate([_numbers(served, "start_s"), stray[:, 0]])
    ends = np.concatenate([np.nan_to_num(_numbers(served, "end_s"), nan=np.inf), stray[:, 1]])
    inside = np.minimum(ends, window.end_s) - np.maximum(starts, window.start_s)
    return float(np.maximum(inside, 0.0).sum() / window.length_s)


def _warmed_up(window: Window, _: Workload) -> Iterator[str]:
    """Nothing gets better during the window: caches are filled, connections open, users there.

    What gets worse is another matter: a leak does, and a queue that grows. See :func:`drifts`.
    """
    change, p = trend(_completions(window))
    if p < TREND_P and change > TREND_CHANGE:
        yield f"throughput still rose during the window, by {change * 100:.0f} % of its median: warm up for longer"


def drifts(window: Window) -> dict[str, str]:
    """The figures that depend on when in the window one looks, and why."""
    found: dict[str, str] = {}
    change, p = trend(_completions(window))
    if p < TREND_P and change < -TREND_CHANGE:
        found |= dict.fromkeys(("throughput_rps", "goodput_rps"), _moved(change))
    change, p = trend(_response_times(window))
    if p < TREND_P and abs(change) > TREND_CHANGE:
        found |= dict.fromkeys([f"response_{name}_s" for name in ("p50", "p90", "p95", "p99")], _moved(change))
    return found


def _moved(change: float) -> str:
    verb = "rose" if change > 0 else "fell"
    return f"{verb} during the window, by {abs(change) * 100:.0f} % of its median: another window would give another figure"


def _completions(window: Window) -> Floats:
    """Completions in each tenth of the window."""
    done = _numbers(_load(window), "done_s")
    counts, _ = np.histogram(done[~np.isnan(done)], bins=BATCHES, range=(window.start_s, window.end_s))
    return counts.astype(np.float64)


def _response_times(window: Window) -> Floats:
    """Median response time of the requests meant to start in each tenth of the window; tenths without one are left out."""
    sent = _intended(window)
    at, took = _numbers(sent, "intended_s"), _numbers(sent, "done_s") - _numbers(sent, "intended_s")
    tenth = np.clip(((at - window.start_s) / window.length_s * BATCHES).astype(int), 0, BATCHES - 1)
    ended = ~np.isnan(took)
    medians = [np.median(took[(tenth == i) & ended]) for i in range(BATCHES) if ((tenth == i) & ended).any()]
    return np.array(medians, dtype=np.float64)


def _load(window: Window) -> pa.Table:
    table = window.requests
    return table.filter(pc.and_(pc.equal(table["kind"], "load"), pc.not_equal(table["phase"], "sequential")))


def _intended(window: Window) -> pa.Table:
    return _load(window).filter(pc.equal(_load(window)["phase"], "window"))


def _numbers(table: pa.Table, column: str) -> Floats:
    found: Floats = table[column].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


CHECKS: tuple[Check, ...] = (_generator, _arrivals, _clock, _little, _warmed_up)
