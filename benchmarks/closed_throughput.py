"""Our closed load against stock Locust's: the same Locust file, server and number of users.

Both send to one light server, but only one of them runs at a time: a slice of 0.2 s each, in random order, the other stopped. Slices of
one cycle are compared, by what the server answered in them, and the median over the cycles is taken: what the machine does hits both
alike. Loads are kept to one processor and the server to another, where there are two. Two processes of the same program differ by where
their memory lies: so it is done with several generations of them. Printed are the geometric mean over the generations and its 95 %
interval.

    python -m benchmarks.closed_throughput [--generations 6] [--cycles 30] [--slice 0.2] [--users 40]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np

from benchmarks.driving import LOCUSTFILE, LightServer, light_server, start_load
from benchmarks.shown import Line, geometric_mean, show_and_exit, shown
from benchmarks.stock_locust import start_locust
from harness.forkserver import Child, ForkServer
from harness.placement import put, side_by_side_here
from harness.record import Workload

LEAST = 0.9
WARM_CYCLES = 4
WARM_ANSWERS = 2000  # by each, before it is measured
STARTING_S = 30.0
RESUME_S = 0.03  # what was stopped finds its memory in no cache
LONGEST_S = 120.0  # of a load, which is ended before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--cycles", type=int, default=30)
    parser.add_argument("--slice", type=float, default=0.2)
    parser.add_argument("--users", type=int, default=40)
    options = parser.parse_args()
    ratios, ours, stock = [], [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = side_by_side_here()
        loads = stack.enter_context(ForkServer(["harness.load.main"], cpus=place.load if place else None))
        forks = stack.enter_context(ForkServer([], cpus=place.target if place else None))
        server = stack.enter_context(light_server(forks, folder / "log"))
        for seed in range(options.generations):
            with Contest(loads, server, folder, options.users, place.load if place else None) as contest:
                rates = contest.rates(options.cycles, options.slice, random.Random(seed))
            ours.append(np.median(rates[0]))
            stock.append(np.median(rates[1]))
            ratios.append(float(np.median(rates[0] / rates[1])))
    ratio = geometric_mean(ratios)
    show_and_exit(
        [
            Line("ours", f"{np.median(ours):.0f} requests/s"),
            Line("stock Locust, FastHttpUser", f"{np.median(stock):.0f} requests/s"),
            Line("ratio", shown(ratios), f"≥ {LEAST}", ratio >= LEAST),
        ]
    )


class Contest(ExitStack):
    """Our load process and stock Locust, of which one runs."""

    def __init__(
        self, loads: ForkServer, server: LightServer, folder: Path, users: int, cpus: tuple[int, ...] | None
    ) -> None:
        super().__init__()
        self._server = server
        try:
            self._start(loads, folder, users, cpus)
        except BaseException:
            self.close()
            raise

    def _start(self, loads: ForkServer, folder: Path, users: int, cpus: tuple[int, ...] | None) -> None:
        server = self._server
        self._ours = start_load(
            loads, server.url, Workload(users=users), folder / "load.log", warmup_s=0.0, window_s=LONGEST_S
        )
        self.callback(_end_ours, self._ours)
        self._wait_until_warm(self._listen)
        _hold(self._ours.pid)
        self._stock = start_locust(LOCUSTFILE, server.url, folder, users=users, seconds=LONGEST_S)
        self.callback(_end_stock, self._stock)
        put(self._stock.pid, cpus)
        self._wait_until_warm(time.sleep)
        _hold(self._stock.pid)

    def rates(
        self, cycles: int, slice_s: float, chance: random.Random
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Answers per second in each cycle: two rows, of ours and of stock Locust."""
        rates = np.zeros((2, WARM_CYCLES + cycles))
        pids, pauses = (self._ours.pid, self._stock.pid), (self._listen, time.sleep)
        for cycle in range(WARM_CYCLES + cycles):
            for which in chance.sample(range(2), 2):
                os.kill(pids[which], signal.SIGCONT)
                pauses[which](RESUME_S)
                start_s, before = time.monotonic(), self._server.answers()
                pauses[which](slice_s)
                rates[which, cycle] = (self._server.answers() - before) / (time.monotonic() - start_s)
                _hold(pids[which])
        return rates[:, WARM_CYCLES:]

    def _wait_until_warm(self, pause: Callable[[float], object]) -> None:
        wanted, deadline_s = self._server.answers() + WARM_ANSWERS, time.monotonic() + STARTING_S
        while self._server.answers() < wanted:
            assert time.monotonic() < deadline_s, "a load does not start"
            pause(0.05)

    def _listen(self, for_s: float) -> None:
        """Takes the rows of our load, while it runs: with nobody to take them they would pile up, and one that is stopped may not end its sentence."""
        until_s = time.monotonic() + for_s
        while (left_s := until_s - time.monotonic()) > 0:
            if wait([self._ours.channel], left_s):
                self._ours.receive(0)


def _hold(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def _end_ours(load: Child) -> None:
    os.kill(load.pid, signal.SIGCONT)
    load.stop(grace_s=0.0)


def _end_stock(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


if __name__ == "__main__":
    main()
