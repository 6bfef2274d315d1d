"""A Locust worker: its part of the load, told of and reported through Locust's own channel to the master."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
from locust.env import Environment
from locust.runners import WorkerRunner
from msgspec import msgpack
from msgspec.structs import replace

from harness.load.engine import Engine, Part
from harness.load.files import make_room_for_connections
from harness.load.locustfile import LocustFileError, first_user, make_environment
from harness.load.recorder import Row
from harness.offset import SAME, Offset, disagreement

MESSAGE = "harness"  # the type of all our messages on Locust's channel
TIMES = ("start_s", "window_start_s", "end_s")  # of what the engine says at the end


class Worker:
    """Obeys four messages: "part" (which one is ours), "sequential", "load" (when the plan begins) and "end"."""

    def __init__(
        self,
        job: dict[str, Any],
        environment: Environment,
        master_host: str,
        master_port: int,
        master_clock: Offset = SAME,
        offset_again: Callable[[], Offset] | None = None,
    ) -> None:
        """master_clock: how far it is from ours; offset_again: asks for that anew. On the master's machine it is the same."""
        self._job = job
        self._environment = environment
        self._clock = master_clock
        self._offset_again = offset_again
        self._runner: WorkerRunner = self._environment.create_worker_runner(master_host, master_port)
        self._environment.events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)
        self._since = time.time()
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
                # before the master's order to start users, which is next
                self._engine.begin_load(self._clock.ours(msg.data["start_s"]))
                gevent.spawn(self._reporting, self._see_load_through, self._engine)
            case "end":
                os._exit(0)

    def silence_s(self) -> float:
        """How long the master has not been heard of. It answers a heartbeat every second."""
        return time.time() - (self._runner.last_heartbeat_timestamp or self._since)

    def _run_sequential(self, engine: Engine) -> None:
        engine.run_sequential(self._start_one_user, self._runner.stop)
        self._runner.stats.clear_all()  # the master's must not count this
        engine.send_rows()
        self._say("sequential_done")

    def _see_load_through(self, engine: Engine) -> None:
        done = engine.see_load_through(self._runner.stop)
        self._runner._send_stats()  # what Locust has counted since its last report: the master compares it with our rows
        if self._offset_again is not None:
            done["clock"] = disagreement(self._clock, self._offset_again())
            for key in TIMES:
                done[key] = self._clock.theirs(done[key])
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
        if kind == "rows" and self._clock is not SAME:
            content["rows"] = [self._by_master(row) for row in content["rows"]]
        packed = msgpack.encode({"kind": kind, **content})
        self._runner.send_message(MESSAGE, {"kind": kind, "packed": packed})

    def _by_master(self, row: Row) -> Row:
        """A row with its times by the master's clock."""
        theirs = self._clock.theirs
        done_s = None if row.done_s is None else theirs(row.done_s)
        return replace(row, intended_s=theirs(row.intended_s), sent_s=theirs(row.sent_s), done_s=done_s)


def work(job: dict[str, Any], master_port: Callable[[], int]) -> None:
    """The life of a worker process on the master's machine; it ends with its leash."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    port = master_port()  # first: from then on the process ends with its leash
    make_room_for_connections()  # a fork does not inherit it
    worker = Worker(job, make_environment(job["locustfile"], job["host"]), "127.0.0.1", port)
    worker.forever.wait()
