"""How well arrivals keep to their schedule, from one core, and whether Poisson arrivals are Poisson when they are sent.

The gaps between the sends of each seed are held against the exponential distribution of the rate that was asked for (Anderson and
Darling's A², nothing estimated), at the 1 % level: 99 of 100 seeds would pass it if sending were perfect.

    python -m benchmarks.arrivals [--seconds 60] [--rate 2000] [--seeds 100] [--seed-seconds 5] [--together 4]
"""

from __future__ import annotations

import argparse
import math
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.driving import Row, collect, drive, light_server, start_load
from benchmarks.shown import Line, show_and_exit
from harness.forkserver import ForkServer
from harness.record import Workload

USERS = 100
POISSON_RPS = 200.0
USED_SHARE = 0.85  # of the arrivals expected: a fixed number, so that where the window ends selects among no gaps
ANDERSON_DARLING_1_PERCENT = 3.857  # of A² for a fully known distribution (D'Agostino & Stephens 1986, table 4.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--seed-seconds", type=float, default=5.0)
    parser.add_argument("--together", type=int, default=4, help="seeds that run at the same time")
    options = parser.parse_args()
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
        loads = stack.enter_context(ForkServer(["harness.load.main"]))
        forks = stack.enter_context(ForkServer([]))
        server = stack.enter_context(light_server(forks, log))
        lines = pacing(loads, server.url, log, options.rate, options.seconds)
        lines.append(poisson(loads, server.url, log, options.seeds, options.seed_seconds, options.together))
    show_and_exit(lines)


def pacing(loads: ForkServer, host: str, log: Path, rate_rps: float, seconds: float) -> list[Line]:
    """Planned against sent, and the schedule lag."""
    workload = Workload(model="open", users=USERS, rate_rps=rate_rps, arrivals="even")
    driven = drive(loads, host, workload, log, warmup_s=1.0, window_s=seconds)
    planned, rows = round(rate_rps * seconds), driven.window
    start_s, end_s = driven.last["window_start_s"], driven.last["end_s"]
    sent = sum(row.outcome != "skipped" and start_s <= row.sent_s < end_s for row in rows)
    lag_ms = np.array([row.sent_s - row.intended_s for row in rows if row.outcome != "skipped"]) * 1e3
    p50, p99, p999 = np.quantile(lag_ms, [0.5, 0.99, 0.999], method="inverted_cdf")
    off = abs(sent - planned) / planned
    cpu = driven.last["cpu_s"] / seconds
    return [
        Line(f"sent in the window, of {planned} planned", f"{sent} ({off:.3%} off)", "within 0.1 %", off <= 0.001),
        Line("schedule lag p50", f"{p50:.3f} ms"),
        Line("schedule lag p99", f"{p99:.3f} ms", "≤ 2 ms", bool(p99 <= 2)),
        Line("schedule lag p99.9", f"{p999:.3f} ms", "≤ 10 ms", bool(p999 <= 10)),
        Line("late, skipped", f"{driven.last['late']}, {driven.last['skipped']}"),
        Line("generator, share of a core", f"{cpu:.2f}", "≤ 1", cpu <= 1),
    ]


def poisson(loads: ForkServer, host: str, log: Path, seeds: int, seconds: float, together: int) -> Line:
    """How many seeds pass."""
    workload = Workload(model="open", users=USERS, rate_rps=POISSON_RPS, arrivals="poisson")
    passed = 0
    for first in range(0, seeds, together):
        running = [
            start_load(loads, host, workload, log, seed=seed, warmup_s=0.2, window_s=seconds)
            for seed in range(first, min(first + together, seeds))
        ]
        passed += sum(is_exponential(collect(load).window, seconds) for load in running)
    least = math.ceil(0.95 * seeds)
    return Line("seeds whose gaps, as sent, are exponential", f"{passed} of {seeds}", f"≥ {least}", passed >= least)


def is_exponential(rows: list[Row], seconds: float) -> bool:
    sent_s = np.sort([row.sent_s for row in rows if row.outcome != "skipped"])
    gaps_s = np.diff(sent_s)[: int(USED_SHARE * POISSON_RPS * seconds)]
    return anderson_darling(gaps_s, 1 / POISSON_RPS) < ANDERSON_DARLING_1_PERCENT


def anderson_darling(gaps_s: NDArray[np.float64], mean_s: float) -> float:
    """A² of these gaps against the exponential distribution with that mean (Anderson & Darling 1954)."""
    gaps = np.sort(gaps_s) / mean_s
    n = len(gaps)
    weights = 2 * np.arange(1, n + 1) - 1
    return float(-n - np.sum(weights * (np.log(-np.expm1(-gaps)) - gaps[::-1])) / n)


if __name__ == "__main__":
    main()
