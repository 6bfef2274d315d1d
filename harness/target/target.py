"""The parent's view of target processes: ready by a deadline, or failed with the end of their log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import TargetError
from harness.forkserver import Child, ForkServer, Message
from harness.target.limits import Limits

PRELOAD = (
    "uvicorn", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "fastapi",
    "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.postgresql.asyncpg", "psycopg",
    "asyncpg", "httpx", "requests", "pydantic_settings", "harness.target.serve", "harness.target.upstream", "harness.target.worker",
)  # fmt: skip
# What an app of the user's own needs it imports itself, in its own environment, and in the versions that it finds there.
OWN_PRELOAD = ("harness.target.serve",)
READY_LIMIT_S = 30.0


@dataclass(frozen=True)
class Server:
    """Children that listen on one port."""

    children: tuple[Child, ...]
    port: int
    host: str = "127.0.0.1"

    @property
    def child(self) -> Child:
        """The first of them, which is the only one unless several were asked for."""
        return self.children[0]

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def start_target(
    forks: ForkServer,
    app: str,
    *,
    app_dir: Path,
    env: Mapping[str, str],
    log: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    factory: bool = False,
    processes: int = 1,
    settle_s: float = 0.0,
    limits: Limits | None = None,
    library: Mapping[str, int] | None = None,
) -> Server:
    """Starts ``module:app`` from its folder under the probe. Raises TargetError when it does not get ready.

    factory: the name stands for a function that makes the app; processes: how many serve it; settle_s: how long
    their background tasks may go on once they are to stop; limits: what each of them may use; library: as :func:`harness.target.library.asked` gives it.
    """
    job: Message = {
        "host": host,
        "app": app,
        "app_dir": str(app_dir),
        "factory": factory,
        "shared": processes > 1,
        "settle_s": settle_s,
        "limits": None if limits is None else asdict(limits),
        "library": dict(library or {}),
    }
    ready_s = READY_LIMIT_S if limits is None else limits.ready_s
    children: list[Child] = []
    try:
        for group in (1, processes - 1):  # the first may choose the port of all
            job = job | {"port": port}
            started = [
                forks.spawn("harness.target.serve:serve", job, log=log, env=env, cwd=app_dir) for _ in range(group)
            ]
            children += started
            for child in started:
                port = _ready(child, app, ready_s)["port"]
    except BaseException:
        for child in children:
            child.stop(grace_s=0.5)
        raise
    return Server(children=tuple(children), port=port, host=host)


def start_worker(forks: ForkServer, function: str, *, app_dir: Path, env: Mapping[str, str], log: Path) -> Child:
    """Starts ``module:function`` in a process of its own. Raises TargetError when it cannot be imported."""
    job = {"function": function, "app_dir": str(app_dir)}
    child = forks.spawn("harness.target.worker:run", job, log=log, env=env, cwd=app_dir)
    _ready(child, f"the worker {function}")
    return child


def start_upstream(forks: ForkServer, delay_s: float, *, log: Path) -> Server:
    """Starts the stub upstream."""
    child = forks.spawn("harness.target.upstream:serve", {"delay_s": delay_s}, log=log)
    return Server(children=(child,), port=_ready(child, "the stub upstream")["port"])


def _ready(child: Child, name: str, limit_s: float = READY_LIMIT_S) -> Message:
    """What a child says when it is ready; it is stopped when it does not get there."""
    deadline = time.monotonic() + limit_s
    try:
        while (left_s := deadline - time.monotonic()) > 0:
            message = child.receive(left_s)
            if message is not None and message["kind"] == "ready":
                return message
    except EOFError:
        raise TargetError(f"{name} ended before it was ready; the end of its log: {child.last_log_lines()}") from None
    child.stop(grace_s=0.5)
    raise TargetError(f"{name} was not ready after {limit_s:.0f} s; the end of its log: {child.last_log_lines()}")
