"""Is this machine fit to measure on? Each thing that bends figures is looked at; what is found is a warning, never a refusal."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.placement import FEWEST, placement_here, usable_cpus

GIB = 2**30
BUSY_SHARE = 0.25  # of all cores, by others
SLEEP_S = 0.001
LATE_S = 0.001  # what a sleep may overshoot; pacing and the probe sleep by milliseconds
COARSE_S = 0.0001
FEW_FILES = 4096  # each user takes a socket here and one in the app
LITTLE_DISK_BYTES = GIB
LITTLE_MEMORY_BYTES = GIB
GOVERNORS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    value: str
    warning: str | None = None  # what it does to the figures, and what to do; None: nothing


def check_machine(out: Path, *, busy_s: float = 1.0, sleeps: int = 100) -> list[Finding]:
    """Looks at everything, in about ``busy_s`` seconds plus 1.1 ms for each sleep.

    out: where run folders are made. busy_s: how long to watch the processors.
    """
    return [
        _cores(),
        _placed(),
        *_load(),
        _busy(busy_s),
        *_governor(GOVERNORS),
        _files(),
        _clock(),
        _sleep(sleeps),
        _disk(out),
        _memory(),
    ]


def machine_warnings(out: Path) -> tuple[str, ...]:
    """What a run says of its machine: the same check in under 0.2 s, and of it only the warnings."""
    found = check_machine(out, busy_s=0.1, sleeps=20)
    return tuple(f"{f.name}, {f.value}: {f.warning}" for f in found if f.warning)


def _cores() -> Finding:
    cores = core_count()
    return Finding(
        name="cores",
        value=str(cores),
        warning="app, load and database share one core, so each slows the others down" if cores < 2 else None,
    )


def _placed() -> Finding:
    found = placement_here()
    if found is not None:
        value = f"processors: {found}"
    elif usable_cpus() is None:
        value = "this system keeps no process to a core: app, load and Postgres run on any"
    else:
        value = f"app, load and Postgres run on any core; they are kept apart from {FEWEST} cores on"
    return Finding(name="placement", value=value)


def core_count() -> int:
    """Cores that this process may run on."""
    cpus = usable_cpus()
    return os.cpu_count() or 1 if cpus is None else len(cpus)


def _load() -> Iterator[Finding]:
    try:
        one_minute = os.getloadavg()[0]
    except OSError:
        return
    crowded = one_minute > core_count() / 2
    yield Finding(
        name="load average",
        value=f"{one_minute:.2f} over the last minute, on {core_count()} cores",
        warning="other work was running; wait until it has ended" if crowded else None,
    )


def _busy(seconds: float) -> Finding:
    share = psutil.cpu_percent(interval=seconds) / 100
    busy = share > BUSY_SHARE
    return Finding(
        name="processors busy",
        value=f"{share * 100:.0f} % over {seconds:g} s",
        warning="something else is at work; what it takes is missing to app and load" if busy else None,
    )


def _governor(folder: Path) -> Iterator[Finding]:
    """Which rule sets the clock of the processors; nothing where the system does not tell, as in most virtual machines."""
    found = set()
    for path in folder.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        try:
            found.add(path.read_text(encoding="ascii").strip())
        except OSError:
            continue
    if not found:
        return
    steady = found <= {"performance"}
    yield Finding(
        name="frequency scaling",
        value=", ".join(sorted(found)),
        warning=None if steady else "the clock rises and falls with the load; set the governor to performance",
    )


def _files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    return Finding(
        name="open files",
        value="no limit" if unlimited else f"at most {soft}",
        warning=f"many users need a socket each; raise it with: ulimit -n {FEW_FILES}"
        if not unlimited and soft < FEW_FILES
        else None,
    )


def _clock() -> Finding:
    resolution_s = time.get_clock_info("monotonic").resolution
    coarse = resolution_s > COARSE_S
    return Finding(
        name="clock",
        value=f"ticks every {resolution_s * 1e9:.0f} ns",
        warning="too coarse for response times of few milliseconds" if coarse else None,
    )


def _sleep(times: int) -> Finding:
    late_s = statistics.median(_overshoot_s() for _ in range(times))
    return Finding(
        name="sleep",
        value=f"{SLEEP_S * 1000:.0f} ms takes {late_s * 1000:.2f} ms longer (median of {times})",
        warning="requests are sent that much late, and the probe looks that much less often"
        if late_s > LATE_S
        else None,
    )


def _overshoot_s() -> float:
    started_s = time.monotonic()
    time.sleep(SLEEP_S)
    return time.monotonic() - started_s - SLEEP_S


def _disk(out: Path) -> Finding:
    existing = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())
    free = psutil.disk_usage(str(existing)).free
    return Finding(
        name="free disk",
        value=f"{free / GIB:.1f} GiB for {out}",
        warning="a long run may not fit; free some space or choose --out" if free < LITTLE_DISK_BYTES else None,
    )


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    return Finding(
        name="free memory",
        value=f"{free / GIB:.1f} GiB",
        warning="the system may swap, which shows as slow answers" if free < LITTLE_MEMORY_BYTES else None,
    )
