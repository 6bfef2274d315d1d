"""A Locust worker: its part of the load, told of and reported through Locust's own channel to the master."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import msgpack
from locust.runners import WorkerRunner

from harness.load.engine import Engine, Part
from harness.load.files import make_room_for_connections
from harness.load.locustfile import LocustFileError, first_user, make_environment

MESSAGE = "harness"  # the type of all our messages on Locust's channel


class Worker:
    """Obeys three messages: "part" (which one is ours), "sequential" and "load" (when the plan begins)."""

    def __init__(self, job: dict[str, Any], master_host: str, master_port: int) -> None:
        self._job = job
        self._environment = make_environment(job["locustfile"], job["host"])
        self._runner: WorkerRunner = self._environment.create_worker_runner(master_host, master_port)
        self._environment.events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)
        self._engine: Engine | None = None
        self._runner.register_message(MESSAGE, self._obey)
        self.forever = gevent.event.Event()  # never set
        self._say("ready")

    def _obey(self, msg: Any, **_: Any) -> None:
        match msg.data["kind"]:
            case "part":
                self._engine = Engine(
                    self._environment, self._job, Part(msg.data["index"], msg.data["count"]), self._say
                )
                gevent.spawn(self._engine.send_rows_forever)
            case "sequential" if self._engine is not None:
                gevent.spawn(self._reporting, self._run_sequential, self._engine)
            case "load" if self._engine is not None:
                self._engine.begin_load(msg.data["start_s"])  # before the master's order to start users, which is next
                gevent.spawn(self._reporting, self._see_load_through, self._engine)

    def _run_sequential(self, engine: Engine) -> None:
        engine.run_sequential(self._start_one_user, self._runner.stop)
        self._runner.stats.clear_all()  # the master's must not count this
        engine.send_rows()
        self._say("sequential_done")

    def _see_load_through(self, engine: Engine) -> None:
        done = engine.see_load_through(self._runner.stop)
        self._runner._send_stats()  # what Locust has counted since its last report: the master compares it with our rows
        self._say("done", **done)

    def _reporting(self, phase: Callable[[Engine], None], engine: Engine) -> None:
        try:
            phase(engine)
        except LocustFileError as error:
            self._say("failed", error=str(error))

    def _start_one_user(self) -> None:
        """As a runner of its own would: the master only ever starts users of all workers."""
        self._environment.events.test_start.fire(environment=self._environment)
        self._runner.spawn_users(first_user(self._environment.user_classes))

    def _say(self, kind: str, **content: Any) -> None:
        """Packed as the parent of the master reads it, so that the master can pass it on as it is."""
        packed = msgpack.packb({"kind": kind, **content})
        self._runner.send_message(MESSAGE, {"kind": kind, "packed": packed})


def work(job: dict[str, Any], master_port: Callable[[], int]) -> None:
    """The life of a worker process on the master's machine; it ends with its leash."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    make_room_for_connections()  # a fork does not inherit it
    worker = Worker(job, "127.0.0.1", master_port())
    worker.forever.wait()
