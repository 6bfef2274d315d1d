"""Two load workers against one, with the same seed: whether what they send merges to the same figures, and what that costs.

One worker, two, two, one, and so on. The merged percentiles must lie no further from those of single runs than single runs lie
from one another.

    python -m benchmarks.workers_merge [--blocks 4] [--seconds 5] [--rate 400]
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.driving import Driven, drive, light_server
from benchmarks.shown import Line, show_and_exit
from harness.check import core_count
from harness.forkserver import ForkServer
from harness.record import Workload

USERS = 100
PROBABILITIES = (0.5, 0.9, 0.99)
MERGE_SHARE = 0.05
CLOCK_NOISE_S = 50e-6  # differences below this are no difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=400.0)
    options = parser.parse_args()
    workload = Workload(model="open", users=USERS, rate_rps=options.rate, arrivals="poisson")
    runs: dict[int, list[Driven]] = {1: [], 2: []}
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
        loads = stack.enter_context(ForkServer(["harness.load.main"]))
        forks = stack.enter_context(ForkServer([]))
        server = stack.enter_context(light_server(forks, log))
        for block in range(options.blocks):
            for workers in (1, 2) if block % 2 == 0 else (2, 1):
                driven = drive(loads, server.url, workload, log, workers=workers, window_s=options.seconds)
                runs[workers].append(driven)
    show_and_exit([same_arrivals(runs), *percentiles(runs), *cost(runs)])


def same_arrivals(runs: dict[int, list[Driven]]) -> Line:
    """The common schedule: every run has the same arrivals, from its start, whoever sends them."""
    offsets = {
        tuple(sorted(round(row.intended_s - run.last["start_s"], 6) for row in run.rows))
        for both in runs.values()
        for run in both
    }
    numbers = all(
        len({row.seq for row in run.rows if row.seq}) == sum(row.seq > 0 for row in run.rows) for run in runs[2]
    )
    met = len(offsets) == 1 and numbers
    return Line("schedules, sequence numbers", f"{len(offsets)}, {'distinct' if numbers else 'NOT distinct'}", "1", met)


def percentiles(runs: dict[int, list[Driven]]) -> list[Line]:
    found = {workers: np.array([quantiles_of(run) for run in both]) for workers, both in runs.items()}
    lines = []
    for column, p in enumerate(PROBABILITIES):
        single, merged = found[1][:, column], found[2][:, column]
        noise = max((abs(a - b) for a, b in combinations(single, 2)), default=0.0) + CLOCK_NOISE_S
        apart = abs(float(np.median(merged)) - float(np.median(single)))
        what = f"response p{p * 100:g}: one {np.median(single) * 1e3:.3f} ms, two {np.median(merged) * 1e3:.3f} ms"
        lines.append(Line(what, f"{apart * 1e3:.3f} ms apart", f"≤ {noise * 1e3:.3f} ms", apart <= noise))
    return lines


def quantiles_of(run: Driven) -> list[float]:
    times_s = [row.done_s - row.intended_s for row in run.window if row.done_s is not None]
    return [float(q) for q in np.quantile(times_s, PROBABILITIES, method="inverted_cdf")]


def cost(runs: dict[int, list[Driven]]) -> list[Line]:
    """Processor time of the window, by request: the senders', and the master's for the merge."""

    def per_request(run: Driven, seconds: float) -> float:
        return seconds / len(run.window) * 1e6

    single = np.median([per_request(run, run.last["cpu_s"]) for run in runs[1]])
    workers = np.median([per_request(run, sum(run.last["worker_cpu_s"])) for run in runs[2]])
    master = np.median([per_request(run, run.last["master_cpu_s"]) for run in runs[2]])
    share = float(np.median([merge_share(run) for run in runs[2]]))
    return [
        Line("processor time a request: one alone, two together", f"{single:.0f} µs, {workers:.0f} µs"),
        Line("the merge, in the master", f"{master:.0f} µs a request"),
        Line(
            "… of the processor time of this machine",
            f"{share * 100:.1f} %",
            f"< {MERGE_SHARE * 100:.0f} %",
            share < MERGE_SHARE,
        ),
        Line("requests a second, one worker", f"{np.median([rate_rps(run) for run in runs[1]]):.0f}"),
        Line("… two workers", f"{np.median([rate_rps(run) for run in runs[2]]):.0f}"),
    ]


def merge_share(run: Driven) -> float:
    """The master's processor time over all that the machine's cores had to give in the window."""
    return float(run.last["master_cpu_s"]) / (core_count() * length_s(run))


def rate_rps(run: Driven) -> float:
    return len(run.window) / length_s(run)


def length_s(run: Driven) -> float:
    return float(run.last["end_s"] - run.last["window_start_s"])


if __name__ == "__main__":
    main()
