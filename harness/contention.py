"""What other processes took of the machine during a window.

A load test that shares its cores with a compiler measures the compiler. The machine's busy time, less what the harness, the app,
the load process and Postgres used, is what others took; it falsifies a figure once no core was left idle for it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil

from harness.measured import Contention

# Not children of ours where the server is the user's or in a container, and no strangers either. The proxy is what a published port
# of a container is reached through.
POSTGRES_NAMES = ("postgres", "postmaster", "docker-proxy")


@dataclass(frozen=True)
class CpuReading:
    """CPU seconds spent up to a moment, on the cores that this process may use."""

    at_s: float  # monotonic
    cores: int
    busy_s: float  # by everybody, time stolen by a hypervisor included
    ours_s: float  # by this process, its descendants and Postgres


def read_cpu() -> CpuReading:
    """The counters now; takes a few milliseconds."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    per_core = psutil.cpu_times(percpu=True)
    cores = per_core if allowed is None else [per_core[core] for core in allowed if core < len(per_core)]
    # Interrupts are left out: those of the loopback network are caused by the load and belong to nobody.
    busy_s = sum(c.user + c.nice + c.system + getattr(c, "steal", 0.0) for c in cores)
    return CpuReading(time.monotonic(), len(cores), busy_s, _ours_s())


def contention(before: CpuReading, after: CpuReading) -> Contention:
    """The machine between two readings."""
    length_s = max(after.at_s - before.at_s, 1e-6)
    busy = (after.busy_s - before.busy_s) / length_s
    ours = (after.ours_s - before.ours_s) / length_s
    return Contention(cores=after.cores, busy_cores=busy, others_cores=max(0.0, busy - ours))


def _ours_s() -> float:
    processes = {p.pid: p for p in psutil.process_iter()}
    parents, spent = {}, {}
    for pid, process in processes.items():
        try:
            with process.oneshot():
                times = process.cpu_times()
                parents[pid] = process.ppid() if not process.name().startswith(POSTGRES_NAMES) else os.getpid()
        except psutil.Error:
            continue
        # With the children it has waited for: what a process spent is not lost when it ends between two readings.
        spent[pid] = own_cpu_s(pid, times.user + times.system) + times.children_user + times.children_system
    return sum(spent_s for pid, spent_s in spent.items() if _descends(pid, parents))


def own_cpu_s(pid: int, otherwise_s: float = 0.0) -> float:
    """All the processor time that a process has taken, by Linux's clock of it; where there is none, what is given.

    /proc counts whole hundredths of a second: a hundred backends of Postgres that took a few milliseconds each would have taken nothing.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return otherwise_s


def _descends(pid: int, parents: dict[int, int]) -> bool:
    ours, seen = os.getpid(), set[int]()
    while pid and pid not in seen:
        if pid == ours:
            return True
        seen.add(pid)
        pid = parents.get(pid, 0)
    return False
