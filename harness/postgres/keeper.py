"""The process that owns Postgres for one run, and removes it however the run ends.

Started by ``server.py`` in a session of its own, so that Ctrl-C in the terminal does not reach it. The first line on stdin
is the job, each further one asks for a restart, and each is answered with a line on stdout; the end of stdin, which comes also when
the parent is killed, is the order to clean up.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from harness.errors import SetupError
from harness.postgres.embedded import embedded_server
from harness.postgres.provided import Provided


def provide(job: dict[str, Any]) -> AbstractContextManager[Provided]:
    """The server that a job asks for; entering it makes it ready."""
    match job["provider"]:
        case "embedded":
            return embedded_server()
        case "docker":
            from harness.postgres.docker import docker_server  # as below: only whom it concerns pays for it

            return docker_server(Path(job["compose_file"]), job["run_token"])
    from harness.postgres.users import users_server

    return users_server(job["url"], job["run_token"])


def keep() -> None:
    """Does one job from stdin, until the end of stdin or SIGTERM."""
    line = sys.stdin.readline()
    if not line:
        return
    answered = False
    try:
        with provide(json.loads(line)) as provided:
            answered = True
            _answer({"url": provided.url})
            for line in sys.stdin:
                _restart(provided, json.loads(line)["restart"])
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except SetupError as exc:
        if answered:  # nobody reads the pipe any more, but what is left behind must not go unsaid
            print(f"clean-up after the run: {exc}", file=sys.stderr)
        else:
            _answer({"error": str(exc)})


def _restart(provided: Provided, database: str) -> None:
    try:
        provided.restart(database)
        _answer({})
    except SetupError as exc:
        _answer({"error": str(exc)})


def _answer(message: dict[str, str]) -> None:
    with suppress(BrokenPipeError):  # the parent is gone; the end of stdin tells the same
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")


def _end(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut the clean-up short
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    keep()
