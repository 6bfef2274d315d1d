"""What a run is measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from harness.placement import placement_here
from harness.record import Machine

PACKAGES = (
    "fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy", "psycopg", "asyncpg", "anyio", "httpx", "requests", "locust",
    "gevent",
)  # fmt: skip
LOAD_PACKAGES = ("locust", "gevent")


def this_machine(postgres: str | None, packages: Sequence[str] = PACKAGES) -> Machine:
    """The machine as it is now; ``postgres`` is the server's version, packages those whose versions matter to the run."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        cpu=_cpu(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: found for name in packages if (found := _version(name)) is not None},
        postgres=postgres,
        git=git_revision(Path.cwd()),
        placement=placement_here(),
    )


def git_revision(folder: Path) -> str | None:
    """The short commit that is checked out, with a ``+`` when files differ from it; None outside a repository."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
