"""The process that owns Postgres for one run, and removes it however the run ends.

Started by ``server.py`` in a session of its own, so that Ctrl-C in the terminal does not reach it. The first line on stdin
is the job, the only line on stdout the answer; the end of stdin, which comes also when the parent is killed, is the order to
clean up.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import FrameType
from typing import Any

from harness.errors import SetupError
from harness.postgres.embedded import embedded_server


@contextmanager
def users_server(url: str, run_token: str) -> Iterator[str]:
    """The user's own server, from which the run's databases are removed at the end."""
    from harness.postgres.databases import Databases  # 0.1 s to import, which the embedded server does not need

    try:
        yield url
    finally:
        Databases(url, run_token=run_token).drop_all()


def provide(job: dict[str, Any]) -> AbstractContextManager[str]:
    """The server that a job asks for; entering it yields the admin URL."""
    if job["provider"] == "embedded":
        return embedded_server()
    return users_server(job["url"], job["run_token"])


def keep() -> None:
    """Does one job from stdin, until the end of stdin or SIGTERM."""
    line = sys.stdin.readline()
    if not line:
        return
    answered = False
    try:
        with provide(json.loads(line)) as url:
            answered = True
            _answer({"url": url})
            sys.stdin.read()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except SetupError as exc:
        if answered:  # nobody reads the pipe any more, but what is left behind must not go unsaid
            print(f"clean-up after the run: {exc}", file=sys.stderr)
        else:
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
