"""The load process: one Locust file, first with one user, then under the plan."""

from __future__ import annotations

import logging
import random
import resource
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import gevent
import msgpack
from locust import User
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from harness.load.canary import Canary
from harness.load.pacing import ClosedPacer, OpenPacer, PacedTasks, SequentialPacer
from harness.load.recorder import Recorder, hook_clients
from harness.record import Workload
from harness.workload import arrivals, spread_starts

SEND_EVERY_S = 0.5
SPREAD_SHARE = 0.8  # of the warm-up, over which the users of a closed workload begin
SEQUENTIAL_LIMIT_S = 15.0


class LoadJob:
    """One trial's load. ``job`` is made by :func:`harness.trial.load_job`."""

    def __init__(self, job: dict[str, Any], channel: Connection) -> None:
        self._job = job
        self._channel = channel
        self._workload = Workload(**job["workload"])
        self._open: OpenPacer | None = None
        self._canary: Canary | None = None
        self._tasks = PacedTasks()
        self._recorder = Recorder()
        hook_clients(self._recorder, self._take_intended)
        user_classes = _user_classes(job["locustfile"])
        self._environment = Environment(user_classes=user_classes, host=job["host"])
        for user_class in user_classes:
            user_class.host = job["host"]
        self._recorder.listen(self._environment.events.request)
        self._runner = self._environment.create_local_runner()

    def run(self) -> None:
        """Runs all phases and says "rows" as it goes and "done" at the end."""
        sender = gevent.spawn(self._send_and_obey)
        self._run_sequential()
        self._say("sequential_done")
        self._run_load()
        gevent.kill(sender)
        self._send_rows()

    def _run_sequential(self) -> None:
        if not self._job["sequential_tasks"]:
            return
        random.seed(0)  # the same choices in every trial: their answers are compared
        self._recorder.sequential = True
        pacer = SequentialPacer(self._job["sequential_tasks"])
        self._tasks.pacer = pacer
        self._runner.start(1, spawn_rate=100)
        pacer.done.wait(SEQUENTIAL_LIMIT_S)
        self._stop_users()
        self._recorder.sequential = False

    def _run_load(self) -> None:
        job, workload = self._job, self._workload
        start_s = time.monotonic()
        window_start_s = start_s + job["warmup_s"]
        end_s = window_start_s + job["window_s"]
        random.seed(job["seed"])
        self._tasks.pacer = self._pacer(start_s, end_s)
        self._recorder.finished = 0  # Locust's statistics start anew as well
        if workload.canary:
            self._canary = Canary(job["host"], workload.canary, workload.canary_rate_rps, self._recorder)
            self._canary.start(start_s, end_s, job["seed"])
        self._runner.start(workload.users, spawn_rate=workload.users)
        _sleep_until(window_start_s)
        cpu_s = _cpu_s()
        self._say("window")
        _sleep_until(end_s)
        cpu_s = _cpu_s() - cpu_s
        self._say("window_end")
        self._drain(end_s + job["drain_s"])
        self._stop_users()
        self._recorder.keep_unfinished()
        if self._open is not None:
            self._open.skip_rest()
        self._send_rows()
        self._say(
            "done",
            start_s=start_s,
            window_start_s=window_start_s,
            end_s=end_s,
            cpu_s=cpu_s,
            planned=self._recorder.planned,
            rows_finished=self._recorder.finished,
            locust_count=self._environment.stats.total.num_requests,
        )

    def _pacer(self, start_s: float, end_s: float) -> ClosedPacer | OpenPacer:
        workload, job = self._workload, self._job
        if workload.model == "open":
            schedule = arrivals(workload, start_s=start_s, end_s=end_s, seed=job["seed"])
            self._open = OpenPacer(schedule, self._recorder.keep_skipped)
            return self._open
        starts_s = [start_s + s for s in spread_starts(workload.users, SPREAD_SHARE * job["warmup_s"])]
        return ClosedPacer(starts_s, end_s, workload.think_s)

    def _take_intended(self, client: Any) -> float | None:
        if self._canary is not None and client is self._canary.session:
            return self._canary.take_intended()
        return self._open.take_intended(client) if self._open is not None else None

    def _drain(self, deadline_s: float) -> None:
        while self._recorder.in_flight and time.monotonic() < deadline_s:
            gevent.sleep(0.01)

    def _stop_users(self) -> None:
        """Kills the users where they stand. A request under way is kept as unfinished, by the caller."""
        self._environment.stop_timeout = 0
        self._runner.stop()

    def _send_and_obey(self) -> None:
        while True:
            gevent.sleep(SEND_EVERY_S)
            self._send_rows()
            if self._channel.poll(0):
                self._channel.recv_bytes()  # the parent says stop, or is gone
                sys.exit(0)

    def _send_rows(self) -> None:
        rows = self._recorder.take()
        if rows:
            self._say("rows", rows=rows)

    def _say(self, kind: str, **content: Any) -> None:
        self._channel.send_bytes(msgpack.packb({"kind": kind, **content}))


def run(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server. Says "failed" with a sentence when the Locust file is unusable."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    gevent.reinit()
    try:
        load = LoadJob(job, channel)
    except LocustFileError as error:
        channel.send_bytes(msgpack.packb({"kind": "failed", "error": str(error)}))
        return
    load.run()


class LocustFileError(Exception):
    """The Locust file cannot be used; carries the sentence for the user."""


def _user_classes(locustfile: str) -> list[type[User]]:
    try:
        classes = load_locustfile(locustfile)[0]
    except BaseException as error:
        raise LocustFileError(f"{Path(locustfile).name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not classes:
        raise LocustFileError(
            f"{Path(locustfile).name} defines no user; write a class derived from locust.FastHttpUser"
        )
    return list(classes.values())


def _sleep_until(at_s: float) -> None:
    gevent.sleep(max(0.0, at_s - time.monotonic()))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
