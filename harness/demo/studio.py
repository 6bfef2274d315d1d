"""What the page runs trials on: made once, in the background, and lent to one page at a time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

from harness.demo.broom import sweep_when_gone
from harness.demo.live import Order, Performance
from harness.demo.sandbox import EDITED, Sandbox
from harness.driving import LOAD_PRELOAD
from harness.forkserver import ForkServer
from harness.staging import Rig, filled_postgres
from harness.target.target import PRELOAD


@dataclass
class Ticket:
    """A place in the queue, and the run that it is for."""

    performance: Performance
    began: bool = False
    ended: bool = False
    cancelled: bool = False
    error: str | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def cancel(self) -> None:
        """Ends the run, or gives the place up."""
        self.cancelled = True
        self.performance.stop()


class Studio:
    """Databases, fork servers and a temporary folder. ``begin`` returns at once; ``close`` leaves nothing behind."""

    def __init__(self, root: Path, postgres: str) -> None:
        """root: the catalogue's; postgres: as of ``--postgres``."""
        self.root = root
        self._choice = postgres
        self._stack = ExitStack()
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="demo-studio")
        self._rigs: list[Future[Rig]] = []
        self._turn = asyncio.Lock()
        self._tickets: list[Ticket] = []
        self._numbers = count(1, step=10)
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-demo-")))
        self._stack.enter_context(sweep_when_gone(self.folder))
        self.sandbox = self._stack.enter_context(Sandbox(root, self.folder))

    def begin(self) -> None:
        """Starts to make what a run with two variants at once needs."""
        for number in range(2):
            self._begun(number)

    async def stop(self) -> None:
        """Ends the runs, those that wait included."""
        tickets = list(self._tickets)
        for ticket in tickets:
            ticket.cancel()
        await asyncio.gather(*(ticket.task for ticket in tickets if ticket.task))

    def close(self) -> None:
        """Ends all. No run may be under way."""
        self._maker.shutdown(cancel_futures=True)
        self._stack.close()

    @property
    def ready(self) -> bool:
        """Whether a run would begin at once."""
        return bool(self._rigs) and self._rigs[0].done()

    def play(self, order: Order) -> Ticket:
        """Puts a run in the queue: two at once would measure each other. To be called on the loop; returns at once."""
        ticket = Ticket(Performance(order, partial(self._rig_for, order), next(self._numbers)))
        self._tickets.append(ticket)
        ticket.task = asyncio.create_task(self._serve(ticket))
        return ticket

    def ahead_of(self, ticket: Ticket) -> int:
        """How many runs come before it."""
        return self._tickets.index(ticket) if ticket in self._tickets else 0

    async def _serve(self, ticket: Ticket) -> None:
        try:
            async with self._turn:
                if not ticket.cancelled:
                    ticket.began = True
                    await asyncio.to_thread(ticket.performance.run)
                    for lane in ticket.performance.lanes:
                        lane.outside = self.sandbox.ended if lane.variant == EDITED else None
                    await asyncio.to_thread(self.sandbox.end_all)
        except Exception as error:  # noqa: BLE001 - the page lives on, and says so
            ticket.error = f"{type(error).__name__}: {error}"
        finally:
            for subject in ticket.performance.order.subjects.values():
                if subject.limits is not None:
                    self.sandbox.discard(subject)
            ticket.ended = True
            self._tickets.remove(ticket)

    def _rig_for(self, order: Order, number: int, variant: str) -> Rig:
        """Blocks until it is made. Raises SetupError when it cannot be."""
        rig = self.rig(number)
        if order.subjects[variant].limits is not None:
            rig = replace(rig, targets=self.sandbox.forks())
        return replace(rig, started_s=time.monotonic())

    def rig(self, number: int) -> Rig:
        """What a lane runs on. Blocks until it is made; raises SetupError when it cannot be."""
        return self._begun(number).result()

    def _begun(self, number: int) -> Future[Rig]:
        while len(self._rigs) <= number:
            self._rigs.append(self._maker.submit(self._make, len(self._rigs)))
        return self._rigs[number]

    def _make(self, number: int) -> Rig:
        """Each variant that runs beside others has a server of its own where it is ours to start: one would run out of connections."""
        if number == 0:
            targets = self._stack.enter_context(ForkServer(PRELOAD))
            loads = self._stack.enter_context(ForkServer(LOAD_PRELOAD))
        else:
            first = self._rigs[0].result()
            targets, loads = first.targets, first.loads
            if self._choice != "embedded":
                return first
        postgres = self._stack.enter_context(filled_postgres(self._choice, targets, root=self.root, logs=self.folder))
        return Rig(
            started_s=time.monotonic(), logs=self.folder, targets=targets, loads=loads, postgres=postgres
        )  # fmt: skip
