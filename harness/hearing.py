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
from harness.measured import Contention
from harness.probe.recorder import COLUMNS, rows_of
from harness.record import Restart

OnStep = Callable[[str], None]
GRACE_S = 2.0


@dataclass
class Heard:
    """All that has been said so far; rows are as their senders made them."""

    client: list[Any] = field(default_factory=list)
    server: dict[str, list[Any]] = field(default_factory=dict)
    ready: bool = False  # the sequential check is over
    done: Message | None = None
    lost: bool = False  # the load ended early, and said why
    invalid: list[str] = field(default_factory=list)
    contention: Contention | None = None  # of the window
    restarts: tuple[Restart, ...] = ()  # of Postgres, in the window
    _window_cpu: CpuReading | None = None

    def take(self, message: Message, on_step: OnStep, process: int = 0) -> None:
        """Keeps a message; process: which of those that serve the app has said it. Raises UsageError when it says that the Locust file, or so many workers, cannot be used."""
        match message["kind"]:
            case "rows" if "requests" in message:
                for table in COLUMNS:
                    rows = rows_of(table, message[table])
                    if table == "samples":
                        rows = [[*row, process] for row in rows]
                    self.server.setdefault(table, []).extend(rows)
            case "rows":
                self.client.extend(message["rows"])
            case "sequential_done":
                self.ready = True
            case "window":
                on_step("window")
                self._window_cpu = read_cpu()
            case "window_end" if self._window_cpu is not None:
                self.contention = contention(self._window_cpu, read_cpu())
            case "done":
                self.done = message
                if broken := message["broken_starts"]:
                    self.invalid.append(f"{len(broken)} users ended before their first task: {broken[0]}")
                if (left := message.get("users_left", 0)) > 0:
                    smaller = "the load was smaller than asked for"
                    self.invalid.append(f"{left} users left before the window was over (StopUser?): {smaller}")
                self.invalid += message.get("clocks", ())
            case "lost":
                self.lost = True
                self.invalid.append(message["error"])
            case "bye":
                return
            case "failed":
                raise UsageError(message["error"])


def listen(
    load: Child, targets: Sequence[Child], heard: Heard, limit_s: float, on_step: OnStep, *, until_ready: bool = False
) -> None:
    """Collects what the processes say until the load is done or lost, one of them is gone, or the limit has passed.

    until_ready: only until the sequential check is over.
    targets: the processes that serve the app; none where they are not ours. Raises UsageError as :meth:`Heard.take` does.
    """
    deadline = time.monotonic() + limit_s
    children = [*targets, load]
    while heard.done is None and not heard.lost and not (until_ready and heard.ready):
        ready = wait([child.channel for child in children], timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            heard.invalid.append(f"the load process did not finish within {limit_s:.0f} s")
            return
        for number, child in enumerate(children):
            if child.channel in ready and not _hear(child, heard, on_step, number):
                who = "the load process" if child is load else "the app"
                heard.invalid.append(f"{who} ended before the trial did: {child.last_log_lines()}")
                if not load.ended:
                    send(load.channel, STOP)  # it still holds rows, which it sends before it ends
                return


def end(
    children: Sequence[Child], targets: Sequence[Child], heard: Heard, on_step: OnStep, settle_s: float = 0.0
) -> None:
    """Stops processes, the last started first and those that serve the app together, and keeps what they still had to say.

    targets: those of the children that serve the app; settle_s: how long they may go on with background tasks.
    """
    for child in reversed(children):
        serves = child in targets
        if serves:
            for target in targets:
                target.ask_to_end()
        for message in child.stop(grace_s=GRACE_S + settle_s if serves else GRACE_S):
            heard.take(message, on_step, targets.index(child) if serves else 0)


def _hear(child: Child, heard: Heard, on_step: OnStep, process: int) -> bool:
    try:
        message = child.receive(0)
    except EOFError:
        return False
    if message is not None:
        heard.take(message, on_step, process)
    return True
