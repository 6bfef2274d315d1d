"""A service that runs the order book's tests whenever it is asked to, in as many processes as it is asked for."""

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, status
from pydantic import BaseModel, Field

SUITE = Path(__file__).with_name("suite.py")
LIMIT_S = 60


class RunIn(BaseModel):
    processes: Annotated[int, Field(ge=1, le=8)]


class RunOut(BaseModel):
    id: int
    passed: int
    failed: int


def testing_service(fixtures: str) -> FastAPI:
    """fixtures: the module that has the tests' fixture `session`."""
    app = FastAPI(title="Test runs")
    ended: dict[int, RunOut] = {}

    @app.post("/runs", status_code=status.HTTP_201_CREATED)
    async def run_tests(wanted: RunIn) -> RunOut:
        async with asyncio.timeout(LIMIT_S):
            told = await run_pytest(fixtures, processes=wanted.processes)
        failed = counted(told, "failed") + counted(told, "error")
        passed = counted(told, "passed")
        if not passed + failed:
            raise RuntimeError(told)
        run = RunOut(id=len(ended) + 1, passed=passed, failed=failed)
        ended[run.id] = run
        return run

    @app.get("/runs/{run_id}")
    async def read_run(run_id: int) -> RunOut:
        if run_id not in ended:
            raise HTTPException(404, "no such run")
        return ended[run_id]

    return app


async def run_pytest(fixtures: str, *, processes: int) -> str:
    """What pytest says of the suite. Whoever gives up waiting for it ends it."""
    # No configuration, no cache and no plugin but the one that has `-n`: a run should cost little more than its tests.
    plain = ("-c", os.devnull, "--rootdir", str(SUITE.parent), "-p", "no:cacheprovider", "-p", "xdist.plugin")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "--quiet", "--tb=no", *plain, "-n", str(processes), str(SUITE),
        env={
            **os.environ,
            "FIXTURES": fixtures,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):  # the workers end as well: left alone, they would when they next look
                os.killpg(process.pid, signal.SIGKILL)
    return told.decode()


def counted(told: str, what: str) -> int:
    """The number before a word in pytest's last line, such as "2 failed, 28 passed in 0.71s"."""
    found = re.search(rf"(\d+) {what}", told.strip().rpartition("\n")[2])
    return int(found.group(1)) if found else 0
