"""The target process: uvicorn, one worker, one app, started through the probe. Several of them may share a port."""

from __future__ import annotations

import asyncio
import inspect
import random
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
from uvicorn.importer import ImportFromStringError, import_from_string

from harness.probe.install import InstalledProbe
from harness.target.library import set_pool_defaults, set_thread_tokens
from harness.target.limits import Limits, confine


class _Server(uvicorn.Server):
    """Tells when it listens, and ends as soon as it is told to: uvicorn's own looks only every 0.1 s whether it is."""

    def __init__(self, config: uvicorn.Config, probe: InstalledProbe, library: Mapping[str, int]) -> None:
        super().__init__(config)
        self._probe = probe
        self._wake: Callable[[], object] = lambda: None
        self._library = library

    async def startup(self, sockets: Any = None) -> None:
        set_thread_tokens(self._library)  # before the app's lifespan, which may have a word of its own
        await super().startup(sockets=sockets)
        if not self.should_exit:
            port = self.servers[0].sockets[0].getsockname()[1]
            self._probe.thread.say("ready", port=port)

    async def main_loop(self) -> None:
        ticking = asyncio.ensure_future(super().main_loop())
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, ticking.cancel)
        with suppress(asyncio.CancelledError):
            await ticking

    async def shutdown(self, sockets: Any = None) -> None:
        """Without uvicorn's pause of 0.1 s where there is nobody to wait for."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        if not self.force_exit:
            await self.lifespan.shutdown()

    def end(self, *, at_once: bool) -> None:
        """Ends it, from another thread; at_once: what is under way is not waited for."""
        self.force_exit = at_once
        self.should_exit = True
        self._wake()


def serve(job: dict[str, Any], channel: Connection) -> None:
    """Serves until told to stop.

    job: app "module:name"; app_dir, the folder to import it from; host; port, 0 for any free one; shared, whether other processes serve
    on that port as well; settle_s, how long background tasks may go on once it is to stop; factory, whether the name stands for a
    function that makes the app; limits, what it may use, or None; library, as of :func:`harness.target.library.asked`. Says "ready" with
    its port, then "rows" until it is stopped; ends with status 1 when the app cannot be imported.
    """
    random.seed()
    if job["limits"] is not None:
        confine(Limits(**job["limits"]))
    sys.path.insert(0, job["app_dir"])
    server: _Server | None = None

    def stop() -> None:
        if server is not None:
            server.end(at_once=probe.busy())  # what is under way now has nobody left to answer

    probe = InstalledProbe(job["app_dir"], channel, on_stop=stop, settle_s=job["settle_s"])
    set_pool_defaults(job["library"])
    try:
        app = imported(job["app"], factory=job["factory"])
    except ImportFromStringError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    config = uvicorn.Config(
        probe.wrap(app), host=job["host"], port=job["port"], log_level="warning", access_log=False, loop="asyncio",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config, probe, job["library"])
    probe.thread.start()
    server.run(sockets=[_shared(job["host"], job["port"])] if job["shared"] else None)


def _shared(host: str, port: int) -> socket.socket:
    """A socket on a port on which other processes listen as well: Linux deals new connections out among them, by chance."""
    shared = socket.socket()
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    shared.bind((host, port))
    return shared


def imported(name: str, *, factory: bool) -> Any:
    """The app. Raises ImportFromStringError with a sentence when there is none of that name, or what is there is no app."""
    found = import_from_string(name)
    if factory and callable(found):
        found, name = found(), f"{name}()"
    if not callable(found):
        raise ImportFromStringError(f"{name} is a {type(found).__name__}, not an app")
    if not factory and inspect.isfunction(found) and not inspect.signature(found).parameters:
        raise ImportFromStringError(
            f"{name} is a function without parameters, not an app; does it make one? Add --factory"
        )
    return found
