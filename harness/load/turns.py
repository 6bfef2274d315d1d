"""The load in turns: users who stay, and who send while it is their server's turn and at no other time.

Servers that are compared take turns of a fraction of a second. To start the users anew for each would take longer than the turn.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from gevent.queue import SimpleQueue
from locust.env import Environment

from harness.load.canary import Canary
from harness.load.clock import sleep_until
from harness.load.engine import Engine, Part, Say, process_cpu_s
from harness.load.pacing import ClosedTurnPacer, OpenPacer
from harness.workload import arrivals

STARTING_LIMIT_S = 5.0
LOOK_S = 0.001  # at whether the last answer is there


class TurnEngine(Engine):
    """Drives the users of a Locust runner, one turn at a time."""

    def __init__(self, environment: Environment, job: dict[str, Any], say: Say) -> None:
        super().__init__(environment, job, Part(), say)
        self._schedules: SimpleQueue[Iterator[float]] = SimpleQueue()
        self._released = True  # all arrivals of the turn
        self._there = False  # the users
        self._closed = ClosedTurnPacer(self._workload.think_s)
        if self._workload.model == "open":
            self._open = OpenPacer(self._arrivals(), self._recorder.keep_skipped)
        if self._workload.canary:
            self._canary = Canary(job["host"], self._workload.canary, self._workload.canary_rate_rps, self._recorder)

    def take_turn(
        self, turn: dict[str, Any], start_users: Callable[[], None], stop_users: Callable[[], None]
    ) -> dict[str, Any]:
        """Sends for so long, and returns when the last answer is there, with what became of it.

        turn: warmup_s and window_s, its two parts; seed; stay, whether the users stay for the next one, with their connections. What is
        not answered within the job's drain_s is given up, and then they do not stay. Raises LocustFileError when no user gets over
        its on_start.
        """
        random.seed(turn["seed"])
        if not self._there:
            self._bring(start_users)
        cpu_s, start_s = process_cpu_s(), time.monotonic()
        end_s = start_s + turn["warmup_s"] + turn["window_s"]
        self._begin(start_s, end_s, turn["seed"])
        sleep_until(end_s)
        while self._busy and time.monotonic() < end_s + self._job["drain_s"]:
            gevent.sleep(LOOK_S)
        over_s = time.monotonic()
        if self._busy or not turn["stay"]:
            self._send_home(stop_users)
        self.send_rows()
        return {
            "window_start_s": start_s + turn["warmup_s"],
            "end_s": over_s,
            "cpu_s": process_cpu_s() - cpu_s,
            "broken_starts": sorted(self._starting.values()),
        }

    @property
    def _busy(self) -> bool:
        waits = self._open is not None and (not self._released or self._open.has_waiting)
        return waits or bool(self._recorder.in_flight)

    def _bring(self, start_users: Callable[[], None]) -> None:
        runner = self._environment.runner
        self._tasks.pacer = self._open or self._closed
        start_users()
        deadline_s = time.monotonic() + STARTING_LIMIT_S
        while runner is not None and runner.user_count < self.users and time.monotonic() < deadline_s:
            gevent.sleep(LOOK_S)
        while self._recorder.in_flight and time.monotonic() < deadline_s:  # what they do on their start
            gevent.sleep(LOOK_S)
        self._refuse_broken_start(self.users)
        gc.freeze()  # the collector need not look at what is there by now
        self._there = True

    def _begin(self, start_s: float, end_s: float, seed: int) -> None:
        if self._open is None:
            self._closed.begin(end_s)
        else:
            self._released = False
            self._schedules.put(arrivals(self._workload, start_s=start_s, end_s=end_s, seed=seed))
        if self._canary is not None:
            self._canary.start(start_s, end_s, seed)

    def _arrivals(self) -> Iterator[float]:
        while True:
            yield from self._schedules.get()
            self._released = True

    def _send_home(self, stop_users: Callable[[], None]) -> None:
        stop_users()
        self._recorder.keep_unfinished()
        if self._open is not None:
            self._open.skip_waiting()
        self._there = False
