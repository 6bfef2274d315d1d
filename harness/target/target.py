"""The parent's view of target processes: ready by a deadline, or failed with the end of its log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import TargetError
from harness.forkserver import Child, ForkServer

PRELOAD = (
    "uvicorn", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "fastapi",
    "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.postgresql.asyncpg", "psycopg",
    "asyncpg", "httpx", "requests", "pydantic_settings", "harness.target.serve", "harness.target.upstream",
)  # fmt: skip
# What an app of the user's own needs it imports itself, in its own environment, and in the versions that it finds there.
OWN_PRELOAD = ("harness.target.serve",)
READY_LIMIT_S = 30.0


@dataclass(frozen=True)
class Server:
    """A child that listens."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def start_target(
    forks: ForkServer,
    app: str,
    *,
    app_dir: Path,
    env: Mapping[str, str],
    log: Path,
    port: int = 0,
    factory: bool = False,
) -> Server:
    """Starts ``module:app`` from its folder under the probe. Raises TargetError when it does not get ready.

    factory: the name stands for a function that makes the app.
    """
    job = {"app": app, "app_dir": str(app_dir), "port": port, "factory": factory}
    child = forks.spawn("harness.target.serve:serve", job, log=log, env=env, cwd=app_dir)
    return _ready(child, app)


def start_upstream(forks: ForkServer, delay_s: float, *, log: Path) -> Server:
    """Starts the stub upstream."""
    child = forks.spawn("harness.target.upstream:serve", {"delay_s": delay_s}, log=log)
    return _ready(child, "the stub upstream")


def _ready(child: Child, name: str) -> Server:
    deadline = time.monotonic() + READY_LIMIT_S
    try:
        while (left_s := deadline - time.monotonic()) > 0:
            message = child.receive(left_s)
            if message is not None and message["kind"] == "ready":
                return Server(child=child, port=message["port"])
    except EOFError:
        raise TargetError(f"{name} ended before it was ready; the end of its log: {child.last_log_lines()}") from None
    child.stop(grace_s=0.5)
    raise TargetError(f"{name} was not ready after {READY_LIMIT_S:.0f} s; the end of its log: {child.last_log_lines()}")
