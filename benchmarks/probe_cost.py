"""What the probe costs: one app with and without it, in alternating windows, a route at a time.

Both servers are kept to one and the same processor, where the machine has two: on processors of their own, or on none, the one that
handles interrupts makes them differ by more than is to be seen. The server that is not loaded is stopped meanwhile. Throughput and
CPU per request are compared window by window, each with its neighbour (A B B A). Two processes of the same app differ too, by
where their memory lies: so all of it is done with several generations of fresh servers, which start in alternating order. Printed
are the mean of the generations' medians and, in brackets, the lowest and the highest of them. The row "bare against bare" compares the
app without the probe with another of its kind: it should be 1, and how far it is off is the error of the others.

    python -m benchmarks.probe_cost [--generations 3] [--pairs 4] [--seconds 1.2]
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import uvicorn
from rich.console import Console
from rich.table import Table

from harness.forkserver import Child, ForkServer, send
from harness.placement import usable_cpus
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
ALIKE = "row-async"  # on which bare is compared with bare
WARM_S = 0.2


@dataclass(frozen=True)
class Server:
    child: Child
    url: str

    @property
    def pid(self) -> int:
        return self.child.pid

    def cpu_s(self) -> float:
        """All the processor time it has taken: Linux's clock of a process, for /proc counts in hundredths of a second."""
        return time.clock_gettime((~self.pid << 3) | 2)


@dataclass(frozen=True)
class Measured:
    throughput_rps: float
    cpu_s_per_request: float


@dataclass(frozen=True)
class Ratio:
    """One server against another."""

    throughput: float
    cpu: float


@dataclass(frozen=True)
class Generation:
    """Servers that live at the same time."""

    probed: Server
    bare: Server
    other_bare: Server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.2)
    options = parser.parse_args()
    found: dict[str, list[Ratio]] = {name: [] for name in (*ROUTES, "")}
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = stack.enter_context(ForkServer(["harness.load.main"]))
        postgres = stack.enter_context(start_postgres("embedded", run_token="probecost"))
        env = {"DATABASE_URL": postgres.url}
        for number in range(options.generations):
            with generation(number, env, logs) as servers:

                def ratio(of: Server, to: Server, route: str) -> Ratio:
                    return compare(loads, of, to, route, options.pairs, options.seconds, logs)

                for route in ROUTES:
                    found[route].append(ratio(servers.probed, servers.bare, route))
                found[""].append(ratio(servers.other_bare, servers.bare, ALIKE))
    show_and_exit(found)


def show_and_exit(found: Mapping[str, Sequence[Ratio]]) -> NoReturn:
    """Prints the table; found: by route, and by "" for bare against bare, the ratio of each generation."""
    cpus = shared_cpu()
    where = "on any processor" if cpus is None else f"on processor {cpus[0]} alone"
    table = Table("route", "what", "throughput with/without", "CPU per request with/without", "wanted", "met", box=None)
    met_all = True
    for route, (what, limits) in ROUTES.items():
        throughput, cpu = [r.throughput for r in found[route]], [r.cpu for r in found[route]]
        wanted, met = judged(mean(throughput), mean(cpu), limits)
        met_all &= met is not False
        table.add_row(
            f"/{route}", what, shown(throughput), shown(cpu), wanted, "" if met is None else "yes" if met else "NO"
        )
    alike = found[""]
    table.add_row(
        f"/{ALIKE}", "bare against bare", shown([r.throughput for r in alike]), shown([r.cpu for r in alike]), "", ""
    )
    Console().print(table)
    Console().print(f"{len(alike)} generations of servers, {where}; in brackets the lowest and the highest of them.")
    sys.exit(0 if met_all else 1)


def judged(throughput: float, cpu: float, limits: tuple[float, float] | None) -> tuple[str, bool | None]:
    """What is wanted, and whether it is met; None where nothing is wanted."""
    if limits is None:
        return "", None
    least, most = limits
    return f"≥ {least:.2f}, ≤ {most:.2f}", throughput >= least and cpu <= most


def shared_cpu() -> tuple[int] | None:
    """The processor that both servers are kept to; None where load and Postgres would have to share it."""
    cpus = usable_cpus() or ()
    return (cpus[-1],) if len(cpus) > 1 else None


@contextmanager
def generation(number: int, env: Mapping[str, str], logs: Path) -> Iterator[Generation]:
    """The app in three processes, forked from one preloaded one: with the probe, and twice without. They are stopped (SIGSTOP)."""
    with ForkServer(PRELOAD, cpus=shared_cpu()) as forks:
        if number == 0:
            rows = forks.spawn("benchmarks.probe_cost:make_rows", {}, log=logs / "rows.log", env=env, cwd=ROOT)
            assert rows.receive(20) is not None, rows.last_log_lines()
            rows.stop()
        start = {"probed": start_probed, "bare": start_bare, "other_bare": start_bare}
        order = list(start) if number % 2 == 0 else list(start)[::-1]
        servers = {name: start[name](forks, env, logs / f"{name}.log") for name in order}
        for server in servers.values():
            os.kill(server.pid, signal.SIGSTOP)
        try:
            yield Generation(**servers)
        finally:
            for server in servers.values():
                os.kill(server.pid, signal.SIGCONT)
                server.child.stop(grace_s=0.0)


def start_probed(forks: ForkServer, env: Mapping[str, str], log: Path) -> Server:
    target = start_target(forks, APP, app_dir=ROOT, env=env, log=log)
    return Server(target.child, target.url)


def start_bare(forks: ForkServer, env: Mapping[str, str], log: Path) -> Server:
    child = forks.spawn("benchmarks.probe_cost:serve_bare", {"app": APP}, log=log, env=env, cwd=ROOT)
    ready = child.receive(20)
    assert ready is not None, "plain uvicorn did not start"
    return Server(child, f"http://127.0.0.1:{ready['port']}")


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


def compare(loads: ForkServer, of: Server, to: Server, route: str, pairs: int, seconds: float, logs: Path) -> Ratio:
    """The median over so many pairs of neighbouring windows, after one for each that opens its connections and does not count."""
    for server in (of, to):
        window(loads, server, route, WARM_S, logs)
    throughput, cpu = [], []
    for n in range(pairs):
        order = (of, to) if n % 2 == 0 else (to, of)
        found = {server.pid: window(loads, server, route, seconds, logs) for server in order}
        throughput.append(found[of.pid].throughput_rps / found[to.pid].throughput_rps)
        cpu.append(found[of.pid].cpu_s_per_request / found[to.pid].cpu_s_per_request)
    return Ratio(float(np.median(throughput)), float(np.median(cpu)))


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


def mean(ratios: Sequence[float]) -> float:
    """The geometric mean: as far above 1 as below it is no difference."""
    return float(np.exp(np.mean(np.log(ratios))))


def shown(ratios: Sequence[float]) -> str:
    return f"{mean(ratios):.3f}  [{min(ratios):.3f}, {max(ratios):.3f}]"


if __name__ == "__main__":
    main()
