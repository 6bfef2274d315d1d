"""What one process does of the load: the sequential check, then its part of the plan, recorded."""

from __future__ import annotations

import gc
import random
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

import gevent
from locust import User
from locust.env import Environment

from harness.load.canary import Canary
from harness.load.clock import sleep_until
from harness.load.locustfile import LocustFileError
from harness.load.pacing import LATE_BOUND_S, ArrivalCounts, ClosedPacer, OpenPacer, PacedTasks, SequentialPacer
from harness.load.recorder import Recorder, hook_clients
from harness.record import Workload
from harness.workload import arrivals, spread_starts

SEND_EVERY_S = 0.1  # often, so that what there is to send never takes long
MOST_TOLD = 60  # requests under way that a watcher is told of
SPREAD_SHARE = 0.8  # of the warm-up, over which the users of a closed workload begin
SEQUENTIAL_LIMIT_S = 15.0

Say = Callable[..., None]  # a kind of message, and its content by keyword


@dataclass(frozen=True)
class Part:
    """One of ``count`` equal parts of the load: every count-th arrival, or user, from ``index`` on."""

    index: int = 0
    count: int = 1


class Engine:
    """Drives the users of a Locust runner, which starts them. ``job`` is made by :func:`harness.driving.load_job`."""

    def __init__(self, environment: Environment, job: dict[str, Any], part: Part, say: Say) -> None:
        self._environment = environment
        self._job = job
        self._part = part
        self._say = say
        self._workload = Workload(**job["workload"])
        self._recorder = Recorder(first_seq=1 + part.index, seq_step=part.count)
        self._tasks = PacedTasks()
        self._open: OpenPacer | None = None
        self._canary: Canary | None = None
        self._start_s = 0.0
        self._starting: dict[int, str] = {}  # users that ended in their on_start, and why
        hook_clients(self._recorder, self._take_intended)
        self._recorder.listen(environment.events.request)
        environment.events.user_error.add_listener(self._note_error)

    @property
    def users(self) -> int:
        return self._workload.users

    @property
    def window_start_s(self) -> float:
        return self._start_s + float(self._job["warmup_s"])

    @property
    def end_s(self) -> float:
        return self.window_start_s + float(self._job["window_s"])

    def send_rows_forever(self) -> None:
        """Says "rows" every so often; to be spawned."""
        while True:
            gevent.sleep(SEND_EVERY_S)
            self.send_rows()

    def send_rows(self) -> None:
        rows = self._recorder.take()
        if rows:
            self._say("rows", rows=rows)
        if self._job.get("watched"):
            self._say("under_way", **self._recorder.under_way(MOST_TOLD))

    def run_sequential(self, start_user: Callable[[], None], stop_users: Callable[[], None]) -> None:
        """One user does so many tasks. Raises LocustFileError when it does not get over its on_start."""
        if not self._job["sequential_tasks"]:
            return
        random.seed(0)  # the same choices in every trial: their answers are compared
        self._recorder.sequential = True
        pacer = SequentialPacer(self._job["sequential_tasks"])
        self._tasks.pacer = pacer
        start_user()
        deadline_s = time.monotonic() + SEQUENTIAL_LIMIT_S
        while not pacer.done.wait(0.1) and time.monotonic() < deadline_s and not self._has_left():
            pass
        stop_users()
        self._recorder.keep_unfinished()
        self._recorder.sequential = False
        self._refuse_broken_start(users=1)

    def begin_load(self, start_s: float) -> None:
        """Makes ready for users: from now on they are admitted by the plan, which begins at ``start_s`` (monotonic)."""
        job, workload = self._job, self._workload
        self._start_s = start_s
        self._starting.clear()
        random.seed(job["seed"] + (self._part.index << 32))  # each part its own choices
        self._recorder.finished = 0  # Locust's statistics start anew as well
        self._tasks.pacer = self._pacer()
        if workload.canary and self._part.index == 0:
            self._canary = Canary(job["host"], workload.canary, workload.canary_rate_rps, self._recorder)
            self._canary.start(start_s, self.end_s, job["seed"])

    def see_load_through(self, stop_users: Callable[[], None]) -> dict[str, Any]:
        """Returns when the plan has ended, with what became of it. Raises LocustFileError when no user got over its on_start."""
        sleep_until(self.window_start_s)
        self._say("window")
        gc.freeze()  # the collector need not look at what is there by now
        cpu_s = process_cpu_s()
        sleep_until(self.end_s)
        cpu_s = process_cpu_s() - cpu_s
        users_left = self._users_left()
        self._say("window_end")
        self._drain(self.end_s + self._job["drain_s"])
        stop_users()
        self._recorder.keep_unfinished()
        if self._open is not None:
            self._open.close()
        if not self._job["sequential_tasks"]:
            self._refuse_broken_start(self._users)
        self.send_rows()
        counts = self._open.counts if self._open is not None else None
        return {
            "start_s": self._start_s,
            "window_start_s": self.window_start_s,
            "end_s": self.end_s,
            "cpu_s": cpu_s,
            "planned": self._recorder.planned,
            "rows_finished": self._recorder.finished,
            "locust_count": self._environment.stats.total.num_requests,
            **(asdict(counts) if counts else dict.fromkeys(f.name for f in fields(ArrivalCounts))),
            "broken_starts": sorted(self._starting.values()),
            "users_left": users_left,
        }

    @property
    def _users(self) -> int:
        """Of this part."""
        return len(range(self._part.index, self._workload.users, self._part.count))

    def _has_left(self) -> bool:
        """Whether the one user of the sequential check is gone, by itself."""
        runner = self._environment.runner
        assert runner is not None
        spawning = runner.spawning_greenlet
        return (spawning is None or spawning.ready()) and runner.user_count == 0

    def _users_left(self) -> int:
        """How many are gone by themselves, after their start; in an open model it is the arrivals that count."""
        runner = self._environment.runner
        assert runner is not None
        if self._open is not None:
            return 0
        return sum(runner.target_user_classes_count.values()) - runner.user_count - len(self._starting)

    def _pacer(self) -> ClosedPacer | OpenPacer:
        workload, job, part = self._workload, self._job, self._part
        if workload.model == "open":
            schedule = arrivals(workload, start_s=self._start_s, end_s=self.end_s, seed=job["seed"])
            self._open = OpenPacer(
                islice(schedule, part.index, None, part.count),
                self._recorder.keep_skipped,
                count_from_s=self.window_start_s,
                late_bound_s=job.get("late_bound_s", LATE_BOUND_S),
            )
            return self._open
        starts_s = [self._start_s + s for s in spread_starts(workload.users, SPREAD_SHARE * job["warmup_s"])]
        return ClosedPacer(starts_s[part.index :: part.count], self.end_s, workload.think_s)

    def _take_intended(self, client: Any) -> float | None:
        if self._canary is not None and client is self._canary.session:
            return self._canary.take_intended()
        return self._open.take_intended(client) if self._open is not None else None

    def _drain(self, deadline_s: float) -> None:
        while time.monotonic() < deadline_s and (self._recorder.in_flight or (self._open and self._open.has_backlog)):
            gevent.sleep(0.01)

    def _note_error(self, user_instance: Any, exception: Exception, **_: Any) -> None:
        """Locust fires its event with the user itself only from on_start; errors in tasks come with their task set."""
        if isinstance(user_instance, User):
            name = type(user_instance).__name__
            self._starting[id(user_instance)] = f"{name}.on_start raised {type(exception).__name__}: {exception}"

    def _refuse_broken_start(self, users: int) -> None:
        if self._starting and len(self._starting) >= users:
            file = Path(self._job["locustfile"]).name
            raise LocustFileError(f"{file} cannot be used: no user gets started; {next(iter(self._starting.values()))}")


def process_cpu_s() -> float:
    """Processor time that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
