"""Fills the template database with the catalogue's rows, in a process of its own."""

from __future__ import annotations

import runpy
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec import msgpack

from harness.errors import SetupError
from harness.forkserver import ForkServer

SEED_MODULE = "target_apps.common.seed"
LIMIT_S = 60.0


def seed(forks: ForkServer, database_url: str, *, root: Path, log: Path) -> None:
    """Runs the catalogue's seed module against a database. Raises SetupError with the end of its log when it fails."""
    child = forks.spawn(
        "harness.target.seeding:run", {"root": str(root)}, log=log, env={"DATABASE_URL": database_url}, cwd=root
    )
    try:
        message = child.receive(LIMIT_S)
    except EOFError:
        message = None
    child.stop()
    if message is None:
        raise SetupError(f"{SEED_MODULE} could not fill the database; the end of its log: {child.last_log_lines()}")


def run(job: dict[str, Any], channel: Connection) -> None:
    """Entry point for the fork server."""
    sys.path.insert(0, job["root"])
    runpy.run_module(SEED_MODULE, run_name="__main__")
    channel.send_bytes(msgpack.encode({"kind": "done"}))
