"""What the page runs trials on: made once, in the background, and lent to one page at a time."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from harness.demo.broom import sweep_when_gone
from harness.demo.live import Order, Performance
from harness.demo.sandbox import Sandbox
from harness.forkserver import ForkServer
from harness.postgres.databases import Databases
from harness.postgres.server import start_postgres
from harness.staging import Postgres, Rig
from harness.target.seeding import seed
from harness.target.target import PRELOAD

LOAD_PRELOAD = ("harness.load.main",)


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
        self._waiting = 0
        self._numbers = count(1, step=10)
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-demo-")))
        self._stack.enter_context(sweep_when_gone(self.folder))
        self.sandbox = self._stack.enter_context(Sandbox(root, self.folder))

    def begin(self) -> None:
        """Starts to make what a run with two variants at once needs."""
        for number in range(2):
            self._rig(number)

    def close(self) -> None:
        """Ends all. No run may be under way."""
        self._maker.shutdown(cancel_futures=True)
        self._stack.close()

    @property
    def ready(self) -> bool:
        """Whether a run would begin at once."""
        return bool(self._rigs) and self._rigs[0].done()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits until nobody else measures: two at once would measure each other. First come, first served."""
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    @property
    def busy(self) -> bool:
        """Whether somebody measures now."""
        return self._turn.locked()

    def performance(self, order: Order) -> Performance:
        """A run of an order, to be run by who has the turn."""
        return Performance(order, partial(self._rig_for, order), next(self._numbers))

    def _rig_for(self, order: Order, number: int, variant: str) -> Rig:
        """Blocks until it is made. Raises SetupError when it cannot be."""
        rig = self._rig(number).result()
        if order.subjects[variant].limits is not None:
            rig = replace(rig, targets=self.sandbox.forks())
        return replace(rig, started_s=time.monotonic())

    def _rig(self, number: int) -> Future[Rig]:
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
        token = secrets.token_hex(4)
        server = self._stack.enter_context(start_postgres(self._choice, run_token=token))
        postgres = Postgres(databases=Databases(server.url, run_token=token), admin_url=server.url)
        postgres.databases.create_template(partial(seed, targets, root=self.root, log=self.folder / "seed.log"))
        return Rig(
            started_s=time.monotonic(), logs=self.folder, targets=targets, loads=loads, postgres=postgres
        )  # fmt: skip
