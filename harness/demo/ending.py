"""Ends whole families of processes."""

from __future__ import annotations

from contextlib import suppress

import psutil

_LOOKS = 20
_PATIENCE_S = 0.2


def below(pid: int) -> list[psutil.Process]:
    """The processes that live below one."""
    try:
        return [process for process in psutil.Process(pid).children(recursive=True) if _lives(process)]
    except psutil.NoSuchProcess:
        return []


def end_all_below(pid: int) -> None:
    """Kills every process below one. All stand still before the first ends, so that none can start another meanwhile."""
    for _ in range(_LOOKS):
        alive = below(pid)
        if not alive:
            return
        for process in alive:
            with suppress(psutil.Error):
                process.suspend()
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=_PATIENCE_S)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
