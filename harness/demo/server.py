"""Serves the page on loopback, behind its guard, until it is told to end."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from harness.catalog import load_pairs
from harness.demo.guard import Guard
from harness.demo.studio import Studio
from harness.errors import SetupError

HOST = "127.0.0.1"
PORTS_TRIED = 20


def free_port(wanted: int) -> socket.socket:
    """A socket on the wanted port, or the next that is free. Raises SetupError when none of the next twenty is."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(128)
        except OSError:
            listening.close()
            continue
        return listening
    raise SetupError(f"no port from {wanted} to {wanted + PORTS_TRIED - 1} is free; choose another with --port")


def serve(root: Path, listening: socket.socket, postgres: str, on_ready: Callable[[str], None]) -> None:
    """Serves until interrupted. on_ready: called with the address, when it answers.

    Raises UsageError when the catalogue cannot be read.
    """
    pairs = load_pairs(root)
    studio = Studio(root, postgres)
    try:
        # NiceGUI reads it when it is imported, and would put a folder where the command was called.
        os.environ["NICEGUI_STORAGE_PATH"] = str(studio.folder)
        from harness.demo.pages.site import add_pages

        token, port = secrets.token_urlsafe(24), listening.getsockname()[1]

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            studio.begin()
            yield
            await studio.stop()

        app = FastAPI(lifespan=lifespan, openapi_url=None)
        add_pages(app, studio, pairs)
        guarded = Guard(app, token=token, port=port)
        config = uvicorn.Config(
            guarded, log_level="error", access_log=False, timeout_graceful_shutdown=1, ws_max_size=1 << 20
        )
        _Server(config, lambda: on_ready(f"http://{HOST}:{port}/?token={token}")).run(sockets=[listening])
    finally:
        studio.close()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.should_exit:
            self._on_ready()
