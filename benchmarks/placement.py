"""What it does to the figures who shares a core: app, load and Postgres on any of two cores, or kept to one each way.

Each arrangement has an app, a load process and a Postgres of its own, all on the first two usable cores; windows of a route with one
query, closed, take turns (A B C C B A), and the app that is not loaded is stopped meanwhile. Printed is the spread of throughput and
of p99 over the windows (coefficient of variation), each with the 95 % interval of a bootstrap over the windows.

    python -m benchmarks.placement [--windows 14] [--seconds 1.5]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.bare_server import APP
from benchmarks.driving import ROOT, drive
from harness.forkserver import ForkServer
from harness.placement import usable_cpus
from harness.postgres.server import start_postgres
from harness.record import Placement, Workload
from harness.target.target import PRELOAD, start_target

LOCUSTFILE = ROOT / "benchmarks/apps/locust_row_async.py"
WORKLOAD = Workload(users=16)


@dataclass(frozen=True)
class Arrangement:
    """An app that waits, stopped, and the load process that is kept where the arrangement wants it."""

    pid: int
    url: str
    loads: ForkServer

    def window(self, seconds: float, log: Path) -> tuple[float, float]:
        """Throughput in requests/s, and p99 of the response time in ms."""
        os.kill(self.pid, signal.SIGCONT)
        try:
            driven = drive(
                self.loads,
                self.url,
                WORKLOAD,
                log,
                locustfile=str(LOCUSTFILE),
                warmup_s=0.3,
                window_s=seconds,
                drain_s=0.5,
            )
        finally:
            os.kill(self.pid, signal.SIGSTOP)
        assert all(row.outcome == "ok" for row in driven.rows if row.done_s is not None), "every answer must be right"
        took_s = [row.done_s - row.intended_s for row in driven.window if row.done_s is not None]
        return len(took_s) / seconds, float(np.quantile(took_s, 0.99)) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=14)
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args()
    cpus = usable_cpus()
    if cpus is None or len(cpus) < 2:
        sys.exit("a process can be kept to a core only where the system lets it, and where there are two")
    found: dict[str, list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        arranged = {
            name: stack.enter_context(started(place, logs)) for name, place in arrangements(cpus[0], cpus[1]).items()
        }
        for n in range(options.windows):
            for name in arranged if n % 2 == 0 else reversed(arranged):
                found.setdefault(name, []).append(arranged[name].window(options.seconds, logs / "load.log"))
    table = Table("arrangement", "requests/s", "its spread", "p99, ms", "its spread", box=None)
    for name, windows in found.items():
        throughput, p99 = np.array(windows).T
        table.add_row(name, f"{np.median(throughput):.0f}", spread(throughput), f"{np.median(p99):.1f}", spread(p99))
    Console().print(table)


def arrangements(one: int, other: int) -> dict[str, Placement]:
    """Who is kept where, on two processors."""
    both = tuple(sorted((one, other)))
    return {
        "any core": Placement(target=both, load=both, postgres=both),
        "app alone": Placement(target=(one,), load=(other,), postgres=(other,)),
        "load alone": Placement(target=(one,), load=(other,), postgres=(one,)),
    }


@contextmanager
def started(place: Placement, logs: Path) -> Iterator[Arrangement]:
    """The app under the probe with a Postgres of its own, loaded once so that its connections are open."""
    with ExitStack() as stack:
        postgres = stack.enter_context(start_postgres("embedded", run_token="placement", cpus=place.postgres))
        forks = stack.enter_context(ForkServer(PRELOAD, cpus=place.target))
        loads = stack.enter_context(ForkServer(["harness.load.main"], cpus=place.load))
        env = {"DATABASE_URL": postgres.url}
        rows = forks.spawn("benchmarks.bare_server:make_rows", {}, log=logs / "rows.log", env=env, cwd=ROOT)
        assert rows.receive(20) is not None, rows.last_log_lines()
        rows.stop()
        target = start_target(forks, APP, app_dir=ROOT, env=env, log=logs / "app.log")
        arrangement = Arrangement(target.child.pid, target.url, loads)
        try:
            arrangement.window(0.3, logs / "load.log")
            yield arrangement
        finally:
            os.kill(target.child.pid, signal.SIGCONT)
            target.child.stop()


def spread(values: NDArray[np.float64]) -> str:
    """The coefficient of variation, and the interval of its bootstrap, in per cent."""
    samples = np.random.default_rng(1).choice(values, (2000, len(values)))
    low, high = np.quantile(samples.std(axis=1, ddof=1) / samples.mean(axis=1), (0.025, 0.975)) * 100
    return f"{values.std(ddof=1) / values.mean() * 100:.1f} %  [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    main()
