"""Servers under load of their own, of which only one runs at a time: short slices in turn, so that what the machine does hits all alike."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.driving import Row
from harness.contention import own_cpu_s
from harness.forkserver import Child, ForkServer
from harness.record import Workload

ROOT = Path(__file__).resolve().parent.parent
WARM_CYCLES = 6  # until all connections are open and the code has run often
ON_ITS_WAY_S = 0.002  # an answer may arrive so long after the server was stopped
# A server that was stopped is late with all that it does by the clock, and its memory is in no cache: neither is part of serving.
RESUME_S = 0.03
LONGEST_S = 120.0  # of a load, which is ended before


@dataclass(frozen=True)
class Server:
    """A process that serves, and is stopped (SIGSTOP) while it is not its turn."""

    child: Child
    url: str

    def cpu_s(self) -> float:
        """All the processor time it has taken."""
        return own_cpu_s(self.child.pid)

    def let_run(self) -> None:
        os.kill(self.child.pid, signal.SIGCONT)

    def hold(self) -> None:
        os.kill(self.child.pid, signal.SIGSTOP)


@dataclass(frozen=True)
class Turn:
    """A slice of one server."""

    start_s: float
    end_s: float
    cpu_s: float


@dataclass(frozen=True)
class Measured:
    """What a server did, one value a turn."""

    throughput_rps: NDArray[np.float64]
    cpu_s_per_request: NDArray[np.float64]


@dataclass
class _Lane:
    server: Server
    load: Child
    rows: list[Row] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


def in_turn(
    loads: ForkServer,
    servers: Sequence[Server],
    locustfile: Path,
    users: int,
    *,
    cycles: int,
    slice_s: float,
    log: Path,
) -> list[Measured]:
    """What each of the servers did under a closed load, in so many cycles of one slice of each, in random order.

    All servers are stopped before and after. Raises AssertionError where an answer is wrong or a load ends by itself.
    """
    job = {
        "locustfile": str(locustfile), "seed": 1, "workload": asdict(Workload(users=users)), "sequential_tasks": 0,
        "warmup_s": 0.0, "window_s": LONGEST_S, "drain_s": 0.0,
    }  # fmt: skip
    lanes = []
    for server in servers:
        load = loads.spawn("harness.load.main:run", job | {"host": server.url}, log=log, cwd=ROOT)
        lanes.append(_Lane(server, load))
        message = load.receive(20)
        assert message is not None and message["kind"] == "sequential_done", "the load did not start"
    _rotate(lanes, WARM_CYCLES + cycles, slice_s)
    return [_measured(lane) for lane in lanes]


def _rotate(lanes: Sequence[_Lane], cycles: int, slice_s: float) -> None:
    chance = random.Random(cycles)
    for _ in range(cycles):
        for lane in chance.sample(
            lanes, len(lanes)
        ):  # mirrored, the outer ones would come upon caches of their own in every other slice
            _run(lane, lanes, slice_s)


def _run(lane: _Lane, lanes: Sequence[_Lane], slice_s: float) -> None:
    lane.server.let_run()
    _listen(lanes, RESUME_S)
    start_s, cpu_s = time.monotonic(), lane.server.cpu_s()
    _listen(lanes, slice_s)
    lane.turns.append(Turn(start_s, time.monotonic(), lane.server.cpu_s() - cpu_s))
    lane.server.hold()


def _listen(lanes: Sequence[_Lane], for_s: float) -> None:
    """Takes what loads and probes say, for so long: with nobody to take it, it would pile up unsent."""
    until_s = time.monotonic() + for_s
    while (left_s := until_s - time.monotonic()) > 0:
        _take(lanes, left_s)


def _take(lanes: Sequence[_Lane], within_s: float) -> None:
    channels = {lane.load.channel: lane for lane in lanes} | {lane.server.child.channel: None for lane in lanes}
    for channel in wait(list(channels), within_s):
        lane = channels[channel]  # type: ignore[index]
        if lane is None:
            next(each for each in lanes if each.server.child.channel is channel).server.child.receive(0)
        elif (message := lane.load.receive(0)) is not None:
            assert message["kind"] != "done", "the load ended before it was to"
            lane.rows += [Row(*row) for row in message.get("rows", [])]


def _measured(lane: _Lane) -> Measured:
    for message in lane.load.stop():
        lane.rows += [Row(*row) for row in message.get("rows", [])]
    done = [row for row in lane.rows if row.done_s is not None]
    wrong = [row for row in done if row.outcome != "ok"]
    assert not wrong, f"every answer must be right, and {len(wrong)} of {len(done)} are not: {wrong[0]}"
    at_s = np.sort([row.done_s for row in done])
    turns = lane.turns[WARM_CYCLES:]
    edges = [(turn.start_s + ON_ITS_WAY_S, turn.end_s + ON_ITS_WAY_S) for turn in turns]
    answers = np.diff(np.searchsorted(at_s, edges)).ravel()
    assert answers.all(), "a server answered nothing in its turn"
    ran_s = np.array([turn.end_s - turn.start_s for turn in turns])
    return Measured(answers / ran_s, np.array([turn.cpu_s for turn in turns]) / answers)
