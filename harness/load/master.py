"""The master of several workers: starts them, tells each its part, and passes on what they say as if it came from one."""

from __future__ import annotations

import time
from collections import defaultdict
from multiprocessing.connection import Connection
from typing import Any

import gevent
import gevent.event
from locust.exception import RPCError
from locust.runners import STATE_MISSING, MasterRunner
from msgspec import msgpack

from harness.forkserver import send
from harness.load.engine import SEQUENTIAL_LIMIT_S, process_cpu_s
from harness.load.leash import Leashed, fork_leashed
from harness.load.locustfile import make_environment
from harness.load.reception import Reception
from harness.load.worker import MESSAGE, work

CONNECT_LIMIT_S = 15.0
COME_LIMIT_S = 30.0  # from other machines
FAREWELL_S = 0.1
LEAD_S = 0.2  # between telling the workers when to begin and beginning
REPORT_LIMIT_S = 10.0  # after the plan has ended
LOOK_EVERY_S = 0.5
SUMMED = ("users_left", "planned", "rows_finished", "sent", "late", "skipped", "without_request")


class WorkersError(Exception):
    """The workers cannot do the load; carries the sentence for the user.

    kind: "failed" before anything was measured, "lost" after that.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class Master:
    """One load with ``job["workers"]`` workers: forked here, or let in at ``job["master"]``, where those of other machines come to.

    Raises LocustFileError and WorkersError, as :meth:`run` does.
    """

    def __init__(self, job: dict[str, Any], channel: Connection, go: gevent.event.Event) -> None:
        """go: set when the load may begin."""
        self._job = job
        self._channel = channel
        self._go = go
        self._count = int(job["workers"])
        self._workers: list[Leashed] = []
        if not job.get("master"):
            for _ in range(self._count):  # before there is a runner, whose sockets are not for them
                self._workers.append(fork_leashed(lambda port: work(job, port), self._workers, [channel.fileno()]))
        self._environment = make_environment(job["locustfile"], job["host"])
        self._runner = self._listening(*(job.get("master") or ("127.0.0.1", 0)))
        self._reception = Reception(self._runner, job, self._count) if job.get("master") else None
        self._environment.events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)
        self._runner.register_message(MESSAGE, self._hear)
        self._said: dict[str, dict[str, bytes]] = defaultdict(dict)  # by kind: the workers that said it, and what
        self._news = gevent.event.Event()
        self._failure: WorkersError | None = None
        self._cpu_s = 0.0  # of this process, from the beginning of the window to its end

    def _listening(self, host: str, port: int) -> MasterRunner:
        try:
            return self._environment.create_master_runner(host, port)
        except (SystemExit, RPCError) as error:  # Locust exits where the port is taken
            raise WorkersError("failed", f"--load-master {host}:{port} cannot be listened at: is it taken?") from error

    def run(self) -> None:
        """Runs all phases, and says what one process would."""
        try:
            self._run()
        except TimeoutError as error:
            raise WorkersError("lost", str(error)) from error

    def _run(self) -> None:
        for number, worker in enumerate(self._workers, start=1):
            worker.tell(self._runner.server.port)
            gevent.spawn(self._watch, number, worker)
        ids = self._connected()
        for index, worker_id in enumerate(ids):
            self._tell(worker_id, "part", index=index, count=self._count)
        self._tell(ids[0], "sequential")
        self._wait_for("sequential_done", 1, SEQUENTIAL_LIMIT_S + REPORT_LIMIT_S)
        send(self._channel, {"kind": "sequential_done"})
        self._go.wait()
        self._run_load(ids)
        send(self._channel, self._merged())

    def end(self) -> None:
        """Ends the workers; what they have said has been passed on."""
        for worker in self._workers:
            worker.leash.close()
        self.dismiss()

    def dismiss(self) -> None:
        """Lets workers of other machines go; those of this one end with this process."""
        if self._reception is not None:
            for worker_id in self._said["ready"]:
                self._tell(worker_id, "end")
            gevent.sleep(FAREWELL_S)  # for the messages to leave

    def _connected(self) -> list[str]:
        """The workers' ids, in the order in which Locust deals out users: the first get those that are left over."""
        try:
            self._wait_for("ready", self._count, self._connect_limit_s())
        except TimeoutError:
            raise WorkersError("failed", self._who_is_missing()) from None
        gevent.spawn(self._watch_heartbeats)
        return sorted(self._said["ready"])

    def _connect_limit_s(self) -> float:
        return float(self._job.get("connect_limit_s", CONNECT_LIMIT_S if self._reception is None else COME_LIMIT_S))

    def _who_is_missing(self) -> str:
        came = f"only {len(self._said['ready'])} of {self._count} load workers connected in time"
        if self._reception is None:
            return f"{came}; try fewer --load-workers, and see whether the Locust file waits for something when it is imported"
        if self._reception.refused:
            return f"{came}: {self._reception.refused}"
        host, port = self._job["master"]
        return f"{came}; start each with harness worker --master HOST:{port}, where HOST reaches {host} here"

    def _run_load(self, ids: list[str]) -> None:
        job, users = self._job, self._job["workload"]["users"]
        start_s = time.monotonic() + LEAD_S
        for worker_id in ids:
            self._tell(worker_id, "load", start_s=start_s)
        gevent.spawn(self._runner.start, users, spawn_rate=users)
        plan_s = LEAD_S + job["warmup_s"] + job["window_s"]
        self._wait_for("window", 1, plan_s + REPORT_LIMIT_S)
        send(self._channel, {"kind": "window"})
        cpu_s = process_cpu_s()
        self._wait_for("window_end", 1, plan_s + REPORT_LIMIT_S)
        send(self._channel, {"kind": "window_end"})
        self._wait_for("done", self._count, plan_s + job["drain_s"] + REPORT_LIMIT_S)
        self._cpu_s = process_cpu_s() - cpu_s

    def _merged(self) -> dict[str, Any]:
        """One "done" out of those of all workers."""
        parts = [msgpack.decode(packed) for _, packed in sorted(self._said["done"].items())]
        cpu_s = [part["cpu_s"] for part in parts]
        merged = {key: None if parts[0][key] is None else sum(part[key] for part in parts) for key in SUMMED}
        return {
            **parts[0],
            **merged,
            "cpu_s": max(cpu_s),  # each has a core to itself: the busiest is the one that may be short of it
            "worker_cpu_s": cpu_s,
            "master_cpu_s": self._cpu_s,
            "locust_count": self._environment.stats.total.num_requests,
            "clocks": [f"load worker {n}: {part['clock']}" for n, part in enumerate(parts, 1) if part.get("clock")],
            "broken_starts": [error for part in parts for error in part["broken_starts"]],
        }

    def _tell(self, worker_id: str, kind: str, **content: Any) -> None:
        self._runner.send_message(MESSAGE, {"kind": kind, **content}, client_id=worker_id)

    def _hear(self, msg: Any, **_: Any) -> None:
        kind, packed = msg.data["kind"], msg.data["packed"]
        if kind == "rows":
            self._channel.send_bytes(packed)
        elif kind == "failed":
            self._fail(WorkersError("failed", msgpack.decode(packed)["error"]))
        else:
            self._said[kind][msg.node_id] = packed
            self._news.set()

    def _wait_for(self, kind: str, count: int, limit_s: float) -> None:
        """Returns when so many workers have said it. Raises WorkersError when one fails, TimeoutError when the time is up."""
        deadline_s = time.monotonic() + limit_s
        while self._failure is None and len(self._said[kind]) < count:
            self._news.clear()
            if not self._news.wait(deadline_s - time.monotonic()):
                raise TimeoutError(f"not every load worker said {kind!r} within {limit_s:.0f} s")
        if self._failure is not None:
            raise self._failure

    def _watch(self, number: int, worker: Leashed) -> None:
        how = worker.wait()
        if len(self._said["ready"]) < self._count:
            self._fail(WorkersError("failed", f"load worker {number} of {self._count} {how} before the load began"))
        elif len(self._said["done"]) < self._count:
            self._fail(WorkersError("lost", f"load worker {number} of {self._count} {how} before the trial did"))

    def _watch_heartbeats(self) -> None:
        """Locust marks a worker of which it hears nothing: one on another machine, or one that is stuck."""
        while True:
            gevent.sleep(LOOK_EVERY_S)
            if any(client.state == STATE_MISSING for client in self._runner.clients.all):
                self._fail(WorkersError("lost", f"one of {self._count} load workers has not been heard of for seconds"))

    def _fail(self, error: WorkersError) -> None:
        self._failure = self._failure or error
        self._news.set()
