"""What the probe costs: one app with and without it, in alternating windows, a route at a time.

Throughput and CPU per request are compared window by window, each with its neighbour (A B B A); the median of the ratios is
printed with the 95 % interval of a bootstrap over the pairs. The server that is not loaded is stopped meanwhile.

    python -m benchmarks.probe_cost [--pairs 10] [--seconds 2]
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import uvicorn
from rich.console import Console
from rich.table import Table

from harness.forkserver import Child, ForkServer, send
from harness.postgres.server import start_postgres
from harness.record import Workload
from harness.target.target import PRELOAD, start_target

ROOT = Path(__file__).resolve().parent.parent
APP = "benchmarks.apps.one_query:app"
USERS = 16
ROUTES = {  # what it is; throughput at least and CPU at most, or None: shown, and not judged
    "row-async": ("a row by its key, response model", (0.97, 1.03)),
    "row-sync": ("a row by its key, response model", (0.97, 1.03)),
    "empty": ("no query", (0.92, 1.08)),
    "one-async": ("SELECT 1: the worst case of a query", None),
    "one-sync": ("SELECT 1: the worst case of a query", None),
}


@dataclass(frozen=True)
class Server:
    child: Child
    url: str

    @property
    def pid(self) -> int:
        return self.child.pid

    def cpu_s(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system


@dataclass(frozen=True)
class Measured:
    throughput_rps: float
    cpu_s_per_request: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    table = Table("route", "what", "throughput with/without", "CPU per request with/without", "wanted", "met", box=None)
    met_all = True
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = stack.enter_context(ForkServer(["harness.load.main"]))
        probed, bare = stack.enter_context(servers(logs))
        for route, (what, limits) in ROUTES.items():
            measured = [
                measure_pair(loads, n, probed, bare, route, options.seconds, logs) for n in range(options.pairs)
            ]
            throughput = interval([w.throughput_rps / wo.throughput_rps for w, wo in measured])
            cpu = interval([w.cpu_s_per_request / wo.cpu_s_per_request for w, wo in measured])
            wanted, met = judged(throughput[0], cpu[0], limits)
            met_all &= met is not False
            table.add_row(
                f"/{route}", what, shown(throughput), shown(cpu), wanted, "" if met is None else "yes" if met else "NO"
            )
    Console().print(table)
    sys.exit(0 if met_all else 1)


def judged(throughput: float, cpu: float, limits: tuple[float, float] | None) -> tuple[str, bool | None]:
    """What is wanted, and whether it is met; None where nothing is wanted."""
    if limits is None:
        return "", None
    least, most = limits
    return f"≥ {least:.2f}, ≤ {most:.2f}", throughput >= least and cpu <= most


@contextmanager
def servers(logs: Path) -> Iterator[tuple[Server, Server]]:
    """The app twice, each in a process of its own, forked from the same preloaded one: with the probe and without."""
    with start_postgres("embedded", run_token="probecost") as postgres, ForkServer(PRELOAD) as forks:
        env = {"DATABASE_URL": postgres.url}
        rows = forks.spawn("benchmarks.probe_cost:make_rows", {}, log=logs / "rows.log", env=env, cwd=ROOT)
        assert rows.receive(20) is not None, rows.last_log_lines()
        rows.stop()
        probed = start_target(forks, APP, app_dir=ROOT, env=env, log=logs / "probed.log")
        bare = forks.spawn("benchmarks.probe_cost:serve_bare", {"app": APP}, log=logs / "bare.log", env=env, cwd=ROOT)
        ready = bare.receive(20)
        assert ready is not None, "plain uvicorn did not start"
        both = Server(probed.child, probed.url), Server(bare, f"http://127.0.0.1:{ready['port']}")
        for server in both:
            os.kill(server.pid, signal.SIGSTOP)
        try:
            yield both
        finally:
            for server in both:
                os.kill(server.pid, signal.SIGCONT)
            probed.child.stop()
            bare.stop(grace_s=0.0)


def make_rows(_: dict[str, Any], channel: Connection) -> None:
    """Fills the database with what the app reads."""
    sys.path.insert(0, str(ROOT))
    importlib.import_module(APP.partition(":")[0]).make_rows()
    send(channel, {"kind": "done"})


def serve_bare(job: dict[str, Any], channel: Connection) -> None:
    """The app under uvicorn, with the target's settings and without its probe."""

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            send(channel, {"kind": "ready", "port": self.servers[0].sockets[0].getsockname()[1]})

    sys.path.insert(0, str(ROOT))
    config = uvicorn.Config(job["app"], port=0, log_level="warning", access_log=False, loop="asyncio")
    Announcing(config).run()


def measure_pair(
    loads: ForkServer, n: int, probed: Server, bare: Server, route: str, seconds: float, logs: Path
) -> tuple[Measured, Measured]:
    order = [probed, bare] if n % 2 == 0 else [bare, probed]
    found = {server.pid: window(loads, server, route, seconds, logs) for server in order}
    return found[probed.pid], found[bare.pid]


def window(loads: ForkServer, server: Server, route: str, seconds: float, logs: Path) -> Measured:
    """One closed-loop window against a server that runs only for it."""
    os.kill(server.pid, signal.SIGCONT)
    name = route.replace("-", "_")
    job = {
        "locustfile": str(ROOT / "benchmarks/apps" / f"locust_{name}.py"), "host": server.url, "seed": 1,
        "workload": asdict(Workload(users=USERS)), "sequential_tasks": 0,
        "warmup_s": 0.3, "window_s": seconds, "drain_s": 0.5,
    }  # fmt: skip
    child = loads.spawn("harness.load.main:run", job, log=logs / "load.log", cwd=ROOT)
    rows, done, cpu_s = [], None, 0.0
    while done is None:
        ready = wait([child.channel, server.child.channel], 60)
        assert ready, "the load process did not finish"
        if server.child.channel in ready:
            server.child.receive(0)  # as in a trial: with nobody to take them, its rows would pile up unsent
        if child.channel not in ready or (message := child.receive(0)) is None:
            continue
        if message["kind"] == "window":
            cpu_s = server.cpu_s()
        rows += message.get("rows", [])
        done = message if message["kind"] == "done" else None
    cpu_s = server.cpu_s() - cpu_s
    child.stop()
    os.kill(server.pid, signal.SIGSTOP)
    completed = sum(done["window_start_s"] <= row[6] < done["end_s"] for row in rows if row[6] is not None)
    assert all(row[8] == "ok" for row in rows if row[6] is not None), "every answer must be right"
    return Measured(completed / seconds, cpu_s / completed)


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """Median, and the 95 % interval of its bootstrap."""
    source = np.random.default_rng(1)
    medians = np.median(source.choice(ratios, (2000, len(ratios))), axis=1)
    return float(np.median(ratios)), float(np.quantile(medians, 0.025)), float(np.quantile(medians, 0.975))


def shown(found: tuple[float, float, float]) -> str:
    return f"{found[0]:.3f}  [{found[1]:.3f}, {found[2]:.3f}]"


if __name__ == "__main__":
    main()
