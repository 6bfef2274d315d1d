"""An app under uvicorn as the target serves it, but without the probe; and the rows that the app of one query reads."""

from __future__ import annotations

import importlib
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn

from harness.forkserver import send

ROOT = Path(__file__).resolve().parent.parent
APP = "benchmarks.apps.one_query:app"


def make_rows(_: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server: fills the database with what the app reads, and says "done"."""
    sys.path.insert(0, str(ROOT))
    importlib.import_module(APP.partition(":")[0]).make_rows()
    send(channel, {"kind": "done"})


def serve(_: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server: serves, and says "ready" with the port."""

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            send(channel, {"kind": "ready", "port": self.servers[0].sockets[0].getsockname()[1]})

    sys.path.insert(0, str(ROOT))
    config = uvicorn.Config(APP, port=0, log_level="warning", access_log=False, loop="asyncio")
    Announcing(config).run()
