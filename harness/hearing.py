"""What the target and the load process say during a trial."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from harness.contention import CpuReading, contention, read_cpu
from harness.errors import UsageError
from harness.forkserver import STOP, Child, Message, send
from harness.probe.recorder import COLUMNS, rows_of
from harness.record import Contention

OnStep = Callable[[str], None]


@dataclass
class Heard:
    """All that has been said so far; rows are as their senders made them."""

    client: list[Any] = field(default_factory=list)
    server: dict[str, list[Any]] = field(default_factory=dict)
    done: Message | None = None
    lost: bool = False  # the load ended early, and said why
    invalid: list[str] = field(default_factory=list)
    contention: Contention | None = None  # of the window
    _window_cpu: CpuReading | None = None

    def take(self, message: Message, on_step: OnStep) -> None:
        """Keeps a message. Raises UsageError when it says that the Locust file, or so many workers, cannot be used."""
        match message["kind"]:
            case "rows" if "requests" in message:
                for table in COLUMNS:
                    self.server.setdefault(table, []).extend(rows_of(table, message[table]))
            case "rows":
                self.client.extend(message["rows"])
            case "sequential_done":
                on_step("warm-up")
            case "window":
                on_step("window")
                self._window_cpu = read_cpu()
            case "window_end" if self._window_cpu is not None:
                self.contention = contention(self._window_cpu, read_cpu())
            case "done":
                self.done = message
                if broken := message["broken_starts"]:
                    self.invalid.append(f"{len(broken)} users ended before their first task: {broken[0]}")
            case "lost":
                self.lost = True
                self.invalid.append(message["error"])
            case "bye":
                return
            case "failed":
                raise UsageError(message["error"])


def listen(load: Child, target: Child | None, heard: Heard, limit_s: float, on_step: OnStep) -> None:
    """Collects what both processes say until the load is done or lost, one of them is gone, or the limit has passed.

    target: None where there is no process of ours to listen to. Raises UsageError as :meth:`Heard.take` does.
    """
    deadline = time.monotonic() + limit_s
    children: Sequence[Child] = [child for child in (target, load) if child is not None]
    while heard.done is None and not heard.lost:
        ready = wait([child.channel for child in children], timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            heard.invalid.append(f"the load process did not finish within {limit_s:.0f} s")
            return
        for child in children:
            if child.channel in ready and not _hear(child, heard, on_step):
                who = "the app" if child is target else "the load process"
                heard.invalid.append(f"{who} ended before the trial did: {child.last_log_lines()}")
                if not load.ended:
                    send(load.channel, STOP)  # it still holds rows, which it sends before it ends
                return


def end(children: Sequence[Child], heard: Heard, on_step: OnStep) -> None:
    """Stops processes, the last started first, and keeps what they still had to say."""
    for child in reversed(children):
        for message in child.stop():
            heard.take(message, on_step)


def _hear(child: Child, heard: Heard, on_step: OnStep) -> bool:
    try:
        message = child.receive(0)
    except EOFError:
        return False
    if message is not None:
        heard.take(message, on_step)
    return True
