"""What the probe costs: one app with and without it, in turn, a route at a time.

Three servers of the app stand side by side, one with the probe and two without, each under a closed load of its own, and only
one of them runs at a time: a slice of 0.2 s each, as often as the probe sends its rows home, in random order, the others stopped.
Slices of one cycle are compared, and the median over the cycles is taken: what comes and goes on the machine more slowly hits all
three alike. They are kept to one and the same processor, and all else to the others, where the machine has two: on processors of
their own, the one that handles interrupts makes them differ by more than is to be seen. Two processes of the same app differ too,
by where their memory lies: so all of it is done with several generations of fresh servers, which start in alternating order.

Printed are the geometric mean over the generations and its 95 % interval. The rows "bare against bare" compare the two without:
they should be 1, and how far they are off is the error of the others.

    python -m benchmarks.probe_cost [--generations 10] [--cycles 14] [--slice 0.2] [--routes row-async,empty]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.bare_server import APP
from benchmarks.in_turn import Measured, Server, in_turn
from benchmarks.shown import geometric_mean, shown
from harness.forkserver import ForkServer
from harness.placement import put, side_by_side_here
from harness.postgres.server import start_postgres
from harness.target.target import PRELOAD, start_target

ROOT = Path(__file__).resolve().parent.parent
USERS = 12  # fewer than a pool has
ROUTES = {  # what it is; throughput at least and CPU at most, or None: shown, and not judged
    "row-async": ("a row by its key, response model", (0.97, 1.03)),
    "row-sync": ("a row by its key, response model", (0.97, 1.03)),
    "empty": ("no query", (0.92, 1.08)),
    "one-async": ("SELECT 1: the worst case of a query", None),
    "one-sync": ("SELECT 1: the worst case of a query", None),
}
BARE = "bare against bare"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """One server against another."""

    throughput: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--cycles", type=int, default=14)
    parser.add_argument("--slice", type=float, default=0.2)
    parser.add_argument("--routes", default=",".join(ROUTES))
    options = parser.parse_args()
    routes = [route for route in ROUTES if route in options.routes.split(",")]
    found: dict[tuple[str, bool], list[Ratio]] = {(route, probed): [] for route in routes for probed in (True, False)}
    place = side_by_side_here()
    cpus = place.load if place else None
    put(os.getpid(), cpus)
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = stack.enter_context(ForkServer(["harness.load.main"], cpus=cpus))
        postgres = stack.enter_context(
            start_postgres("embedded", run_token="probecost", cpus=place.postgres if place else None)
        )
        for number in range(options.generations):
            with generation(number, {"DATABASE_URL": postgres.url}, logs, place.target if place else None) as servers:
                for route in routes:
                    locustfile = ROOT / "benchmarks/apps" / f"locust_{route.replace('-', '_')}.py"
                    probed, bare, other_bare = in_turn(
                        loads,
                        servers,
                        locustfile,
                        USERS,
                        cycles=options.cycles,
                        slice_s=options.slice,
                        log=logs / "load.log",
                    )
                    found[route, True].append(ratio(probed, bare, other_bare))
                    found[route, False].append(ratio(other_bare, bare))
    show_and_exit(found, "on any processor" if place is None else f"on processor {place.target[0]} alone")


def ratio(of: Measured, *to: Measured) -> Ratio:
    """The median over the cycles, each against the (geometric) mean of the others' slices in it: a stall hits one slice, and not the median."""
    return Ratio(
        median_ratio(of.throughput_rps, [each.throughput_rps for each in to]),
        median_ratio(of.cpu_s_per_request, [each.cpu_s_per_request for each in to]),
    )


def median_ratio(of: Floats, to: Sequence[Floats]) -> float:
    return float(np.median(of / np.exp(np.mean(np.log(to), axis=0))))


def show_and_exit(found: Mapping[tuple[str, bool], Sequence[Ratio]], where: str) -> NoReturn:
    """Prints the table; found: by route, and whether it is that of the probe, the ratio of each generation."""
    table = Table("route", "what", "throughput with/without", "CPU per request with/without", "wanted", "met", box=None)
    met_all, generations = True, 0
    for (route, probed), ratios in found.items():
        what, limits = ROUTES[route] if probed else (BARE, None)
        throughput, cpu = [r.throughput for r in ratios], [r.cpu for r in ratios]
        wanted, met = judged(geometric_mean(throughput), geometric_mean(cpu), limits)
        met_all &= met is not False
        table.add_row(
            f"/{route}", what, shown(throughput), shown(cpu), wanted, "" if met is None else "yes" if met else "NO"
        )
        generations = len(ratios)
    Console(width=140).print(table)
    print(f"{generations} generations of servers, {where}; in brackets the 95 % interval of their mean.")
    sys.exit(0 if met_all else 1)


def judged(throughput: float, cpu: float, limits: tuple[float, float] | None) -> tuple[str, bool | None]:
    """What is wanted, and whether it is met; None where nothing is wanted."""
    if limits is None:
        return "", None
    least, most = limits
    return f"≥ {least:.2f}, ≤ {most:.2f}", throughput >= least and cpu <= most


@contextmanager
def generation(
    number: int, env: Mapping[str, str], logs: Path, cpus: Sequence[int] | None
) -> Iterator[tuple[Server, Server, Server]]:
    """The app in three processes, forked from one preloaded one: with the probe, and twice without. They are stopped."""
    with ForkServer(PRELOAD, cpus=cpus) as forks:
        if number == 0:
            rows = forks.spawn("benchmarks.bare_server:make_rows", {}, log=logs / "rows.log", env=env, cwd=ROOT)
            assert rows.receive(20) is not None, rows.last_log_lines()
            rows.stop()
        start = {"probed": start_probed, "bare": start_bare, "other_bare": start_bare}
        order = list(start) if number % 2 == 0 else list(start)[::-1]
        servers = {name: start[name](forks, env, logs / f"{name}.log") for name in order}
        for server in servers.values():
            server.hold()
        try:
            yield servers["probed"], servers["bare"], servers["other_bare"]
        finally:
            for server in servers.values():
                server.let_run()
                server.child.stop(grace_s=0.0)


def start_probed(forks: ForkServer, env: Mapping[str, str], log: Path) -> Server:
    target = start_target(forks, APP, app_dir=ROOT, env=env, log=log)
    return Server(target.child, target.url)


def start_bare(forks: ForkServer, env: Mapping[str, str], log: Path) -> Server:
    child = forks.spawn("benchmarks.bare_server:serve", {}, log=log, env=env, cwd=ROOT)
    ready = child.receive(20)
    assert ready is not None, "plain uvicorn did not start"
    return Server(child, f"http://127.0.0.1:{ready['port']}")


if __name__ == "__main__":
    main()
