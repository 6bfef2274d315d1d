"""The load process: one Locust file, first with one user, then under the plan. With several workers it is their master."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import gevent
import gevent.event
from gevent.queue import SimpleQueue
from locust.env import Environment

from harness.forkserver import GO, Message, receive, send
from harness.load.engine import Engine, Part
from harness.load.files import make_room_for_connections
from harness.load.locustfile import LocustFileError, make_environment
from harness.load.master import Master, WorkersError
from harness.load.turns import TurnEngine

READABLE = 1


def run(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server.

    job: made by :func:`harness.driving.load_job`. Says "rows" as it goes and "done" at the end; "failed" with a sentence when the
    Locust file is unusable or a worker does not come, "lost" with one when a worker has ended too early. Where the job is held it waits
    after the sequential check, of which it says "sequential_done", until it is told "go". Where it is for turns it takes one each time
    that it is told "turn" (see :meth:`harness.load.turns.TurnEngine.take_turn`), and says "done" after each.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    gevent.reinit()
    make_room_for_connections()
    go = gevent.event.Event()
    if not job.get("held"):
        go.set()
    try:
        if job.get("workers", 1) > 1 or job.get("master"):
            master = Master(job, channel, go)
            gevent.spawn(_obey, channel, go, master.end)
            try:
                master.run()
            finally:
                master.dismiss()
        else:
            _run_alone(job, channel, go)
    except LocustFileError as error:
        send(channel, {"kind": "failed", "error": str(error)})
    except WorkersError as error:
        send(channel, {"kind": error.kind, "error": str(error)})


def _run_alone(job: dict[str, Any], channel: Connection, go: gevent.event.Event) -> None:
    def say(kind: str, **content: Any) -> None:
        send(channel, {"kind": kind, **content})

    environment = make_environment(job["locustfile"], job["host"])
    runner = environment.create_local_runner()
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    if job.get("turns"):
        _take_turns(environment, job, channel, say)
    engine = Engine(environment, job, Part(), say)
    gevent.spawn(_obey, channel, go, engine.send_rows)
    sender = gevent.spawn(engine.send_rows_forever)
    engine.run_sequential(lambda: runner.start(1, spawn_rate=100), lambda: stop_users(environment))
    say("sequential_done")
    go.wait()
    engine.begin_load(time.monotonic())
    runner.start(engine.users, spawn_rate=engine.users)
    done = engine.see_load_through(lambda: stop_users(environment))
    gevent.kill(sender)
    say("done", **done)


def _take_turns(
    environment: Environment, job: dict[str, Any], channel: Connection, say: Callable[..., None]
) -> NoReturn:
    """The sequential check, then a turn whenever the parent says so, until it says stop."""
    runner, turns = environment.runner, SimpleQueue[Message]()
    assert runner is not None
    engine = TurnEngine(environment, job, say)
    gevent.spawn(_obey, channel, gevent.event.Event(), engine.send_rows, turns)
    engine.run_sequential(lambda: runner.start(1, spawn_rate=100), lambda: stop_users(environment))
    engine.send_rows()
    say("sequential_done")
    while True:
        turn = turns.get()
        start = partial(runner.start, engine.users, spawn_rate=engine.users)
        say("done", **engine.take_turn(turn, start, partial(stop_users, environment)))


def stop_users(environment: Environment) -> None:
    """Kills the users of this process where they stand."""
    environment.stop_timeout = 0
    assert environment.runner is not None
    environment.runner.stop()


def _obey(
    channel: Connection,
    go: gevent.event.Event,
    last_words: Callable[[], None],
    turns: SimpleQueue[Message] | None = None,
) -> None:
    """The parent says go, or whose turn it is; at last it says stop, or is gone."""
    readable = gevent.get_hub().loop.io(channel.fileno(), READABLE)
    while True:
        gevent.get_hub().wait(readable)
        with suppress(EOFError, OSError):
            message = receive(channel)
            if message == GO:
                go.set()
                continue
            if turns is not None and message["kind"] == "turn":
                turns.put(message)
                continue
        break
    last_words()
    sys.exit(0)
