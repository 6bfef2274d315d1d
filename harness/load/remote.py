"""A worker on another machine: finds the master, sets its clock by it, takes a job and does its part of one trial."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import gevent
from locust.env import Environment
from locust.rpc import Message, zmqrpc
from msgspec import msgpack

from harness.forkserver import send
from harness.load.files import make_room_for_connections
from harness.load.locustfile import LocustFileError, make_environment
from harness.load.reception import HELLO, VERSIONS
from harness.load.worker import MESSAGE, Worker
from harness.offset import Offset, best_offset

READABLE = 1
ANSWER_S = 1.0  # after which a master is taken not to be there
ASK_AGAIN_S = 0.3
PATIENCE_S = 60.0
ROUND_TRIPS = 20
SILENCE_S = 5.0  # of a master that has gone without a word
LOOK_EVERY_S = 0.5


class NoMaster(Exception):
    """Nobody answers there, or nobody does any more."""


class Post:
    """Questions to the master, outside of Locust's own traffic. A context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._id = f"hello_{uuid4().hex}"
        self._client = zmqrpc.Client(host, port, self._id)

    def ask(self, kind: str, **content: Any) -> dict[str, Any]:
        """The answer. Raises NoMaster."""
        self._client.send(Message(HELLO, {"kind": kind, **content}, self._id))
        with gevent.Timeout(ANSWER_S, NoMaster):
            return dict(self._client.recv().data)

    def offset(self) -> Offset:
        """How far the master's clock is ahead of ours. Raises NoMaster."""
        trips = []
        for _ in range(ROUND_TRIPS):
            left_s = time.monotonic()
            answer = self.ask("time", asked_s=left_s)
            trips.append((left_s, float(answer["now_s"]), time.monotonic()))
        return best_offset(trips)

    def __enter__(self) -> Post:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close(linger=0)  # what was asked of nobody is not to be asked later


def run(address: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server. address: host and port of the master. Says "working" when it has a job; ends with the trial."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    gevent.reinit()
    make_room_for_connections()  # a fork does not inherit it
    gevent.spawn(_end_when_told, channel)
    host, port = address["host"], address["port"]
    found = _find_job(channel, host, port)
    if found is None:
        return
    job, offset = found
    sys.path[:0] = [str(Path(job["folder"]).resolve()), str(Path.cwd())]  # for what the Locust file imports
    send(channel, {"kind": "working", "host": job["host"]})
    try:
        environment = environment_of(job)
    except LocustFileError as error:
        _give_up(host, port, str(error))
        return
    worker = Worker(job, environment, host, port, offset, lambda: _offset_again(host, port))
    gevent.spawn(_end_with_master, worker)
    worker.forever.wait()


def environment_of(job: dict[str, Any]) -> Environment:
    """The environment of the Locust file that came with the job. Raises LocustFileError."""
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        file = Path(folder) / job["locustfile"]
        file.write_text(job["source"], encoding="utf-8")
        return make_environment(str(file), job["host"])


def _find_job(channel: Connection, host: str, port: int) -> tuple[dict[str, Any], Offset] | None:
    """Asks until there is one. None after a minute: whoever has started this process starts a new one."""
    told: str | None = None
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        with suppress(NoMaster), Post(host, port) as post:
            answer = post.ask("job", versions=VERSIONS)
            if answer["kind"] == "job":
                return answer["job"], post.offset()
            if answer["kind"] == "refused" and answer["error"] != told:
                told = answer["error"]
                send(channel, {"kind": "refused", "error": told})
        gevent.sleep(ASK_AGAIN_S)
    return None


def _offset_again(host: str, port: int) -> Offset:
    with Post(host, port) as post:
        return post.offset()


def _give_up(host: str, port: int, why: str) -> None:
    """Tells the master, which has given us a place that we cannot fill."""
    name = f"failed_{uuid4().hex}"
    client = zmqrpc.Client(host, port, name)
    packed = msgpack.encode({"kind": "failed", "error": why})
    client.send(Message(MESSAGE, {"kind": "failed", "packed": packed}, name))
    client.close(linger=1000)


def _end_with_master(worker: Worker) -> None:
    while worker.silence_s() < SILENCE_S:
        gevent.sleep(LOOK_EVERY_S)
    os._exit(0)


def _end_when_told(channel: Connection) -> None:
    """The parent says stop, or is gone."""
    gevent.get_hub().wait(gevent.get_hub().loop.io(channel.fileno(), READABLE))
    os._exit(0)
