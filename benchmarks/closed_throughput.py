"""Our closed load against stock Locust's: the same Locust file, server and number of users, in alternating runs (A B B A).

python -m benchmarks.closed_throughput [--blocks 4] [--seconds 5] [--users 40]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.driving import LOCUSTFILE, LightServer, drive, light_server
from benchmarks.shown import Line, show_and_exit
from benchmarks.stock_locust import run_locust
from harness.forkserver import ForkServer
from harness.record import Workload

LEAST = 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--users", type=int, default=40)
    options = parser.parse_args()
    ratios, ours, stock = [], [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = stack.enter_context(ForkServer(["harness.load.main"]))
        forks = stack.enter_context(ForkServer([]))
        server = stack.enter_context(light_server(forks, folder / "log"))
        for block in range(options.blocks):
            if block % 2 == 0:
                ours.append(our_rps(loads, server, folder, options.users, options.seconds))
                stock.append(stock_rps(server, folder, options.users, options.seconds))
            else:
                stock.append(stock_rps(server, folder, options.users, options.seconds))
                ours.append(our_rps(loads, server, folder, options.users, options.seconds))
            ratios.append(ours[-1] / stock[-1])
    ratio = statistics.median(ratios)
    show_and_exit(
        [
            Line("ours", f"{statistics.median(ours):.0f} requests/s"),
            Line("stock Locust, FastHttpUser", f"{statistics.median(stock):.0f} requests/s"),
            Line(
                "ratio, median of the blocks",
                f"{ratio:.3f}  [{min(ratios):.3f}, {max(ratios):.3f}]",
                f"≥ {LEAST}",
                ratio >= LEAST,
            ),
        ]
    )


def our_rps(loads: ForkServer, server: LightServer, folder: Path, users: int, seconds: float) -> float:
    driven = drive(loads, server.url, Workload(users=users), folder / "log", warmup_s=1.0, window_s=seconds)
    start_s, end_s = driven.last["window_start_s"], driven.last["end_s"]
    completed: int = sum(row.done_s is not None and start_s <= row.done_s < end_s for row in driven.rows)
    return completed / seconds


def stock_rps(server: LightServer, folder: Path, users: int, seconds: float) -> float:
    """Requests by the time between Locust's first and last: its start and its end are not counted against it."""
    total = run_locust(LOCUSTFILE, server.url, folder, users=users, seconds=seconds + 1.0)
    return total.requests / (total.last_s - total.first_s)


if __name__ == "__main__":
    main()
