"""Starts child processes fast: a helper process (:mod:`harness.forking`) imports slow modules once and forks a child for each job.

A trial needs a new server process and a new load process, and importing their libraries takes longer than measuring. Each
child has a channel to its parent. The channel is also the leash: a child that reads its end ends itself, so that nothing
outlives a parent that was killed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec import msgpack

from harness.errors import SetupError
from harness.forking import read_exactly
from harness.placement import put

Message = dict[str, Any]
STOP: Message = {"kind": "stop"}
GO: Message = {"kind": "go"}
TELL: Message = {"kind": "tell"}
AFTER_BYE_S = 0.2
CRASH = "Fatal Python error"  # as faulthandler begins


def send(channel: Connection, message: Message) -> None:
    """Sends one message. Raises OSError when the other side is gone."""
    channel.send_bytes(msgpack.encode(message))


def receive(channel: Connection) -> Message:
    """Receives one message. Raises EOFError when the other side is gone."""
    message: Message = msgpack.decode(channel.recv_bytes())
    return message


@dataclass
class Child:
    """A running job."""

    pid: int
    channel: Connection
    log: Path
    ended: bool = field(default=False, init=False)
    _told: bool = field(default=False, init=False)

    def receive(self, timeout_s: float) -> Message | None:
        """The next message, or None after the timeout. Raises EOFError when the child has ended."""
        try:
            return receive(self.channel) if self.channel.poll(timeout_s) else None
        except (EOFError, OSError):  # OSError: it ended in the middle of a message
            self.ended = True
            raise EOFError from None

    def ask_to_end(self) -> None:
        """Says once that the child is to end, and does not wait for it."""
        if self._told or self.ended:
            return
        self._told = True
        try:
            send(self.channel, STOP)
        except OSError:
            self.ended = True

    def stop(self, grace_s: float = 2.0) -> list[Message]:
        """Asks the child to end, returns what it still had to say, and kills it when it has not ended in time.

        A child that has said "bye" has told everything; it gets a moment to end by itself.
        """
        last_words: list[Message] = []
        if self.channel.closed:  # it has been stopped, and its number may be another's by now
            return last_words
        deadline = time.monotonic() + grace_s
        self.ask_to_end()
        try:
            while not self.ended and time.monotonic() < deadline:
                message = self.receive(max(0.0, deadline - time.monotonic()))
                if message is not None:
                    last_words.append(message)
                    if message["kind"] == "bye":
                        deadline = min(deadline, time.monotonic() + AFTER_BYE_S)
        except EOFError:
            self.ended = True
        if not self.ended:
            # The channel is still open, so the process lives and its id is still its own; or it has just gone, and what it forked holds on.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.ended = True
        self._end_offspring()
        self.channel.close()
        return last_words

    def _end_offspring(self) -> None:
        """Ends what the child has forked, which is in its group: while one of it lives, no other process gets the group's number."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def last_log_lines(self, count: int = 5) -> str:
        """The end of the child's log, on one line; of a crash of the interpreter its beginning, which says where it was."""
        try:
            lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            return "(no log)"
        crash = next((n for n, line in enumerate(lines) if line.startswith(CRASH)), None)
        shown = lines[-count:] if crash is None else lines[crash : crash + count]
        return " | ".join(shown) or "(empty log)"


class ForkServer:
    """Forks jobs from one process that has the preloaded modules. A context manager; its end ends every child."""

    def __init__(
        self,
        preload: Sequence[str],
        *,
        python: str = sys.executable,
        home: Path | None = None,
        cpus: Collection[int] | None = None,
    ) -> None:
        """python: the interpreter, which may be another environment's; home: from where it can import the harness; cpus: the
        processors that the children are kept to, None for any.
        """
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._asking = threading.Lock()  # several threads may run trials beside each other
        with theirs:
            self._process = subprocess.Popen(
                [python, "-m", "harness.forking", str(theirs.fileno()), *preload],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=_environment_that_finds_us(home),
            )
        put(self._process.pid, cpus)

    def spawn(
        self, main: str, job: Message, *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Child:
        """Forks a child that calls ``main`` ("module:function") with the job and its end of the channel.

        The child's output goes to ``log``. Raises SetupError when the fork server has died.
        """
        ours, theirs = socket.socketpair()
        request = json.dumps({"main": main, "job": job, "env": dict(env or {}), "cwd": str(cwd or Path.cwd())}).encode()
        try:
            with theirs, log.open("ab") as output, self._asking:
                header = len(request).to_bytes(4, "big")
                socket.send_fds(self._socket, [header], [theirs.fileno(), output.fileno()])
                self._socket.sendall(request)
                pid = int.from_bytes(read_exactly(self._socket, 4), "big")
        except (OSError, EOFError) as error:
            raise SetupError(f"the process that starts {main} has died: {error}") from error
        return Child(pid=pid, channel=Connection(ours.detach()), log=log)

    @property
    def pid(self) -> int:
        """Of the process that forks."""
        return self._process.pid

    def close(self) -> None:
        """Ends the fork server and, with it, every child that still runs."""
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _environment_that_finds_us(home: Path | None) -> dict[str, str]:
    here = str(home or Path(__file__).resolve().parent.parent)
    paths = [here, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
