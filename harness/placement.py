"""Which processors app, load and Postgres get: each its own where there are enough, and any where there are not.

What shares a core with the app takes turns with it, so that the figures show the scheduler's choices beside the app's. With two or
three cores somebody has to share; ``python -m benchmarks.placement`` measures what that does to the spread of the figures, and
docs/measuring.md has what it found.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from harness.record import Placement

FEWEST = 4  # cores, below which nothing is placed
CPUS = Path("/sys/devices/system/cpu")


def placement_here() -> Placement | None:
    """Where this machine's app, load and Postgres go; None where they go anywhere."""
    cpus = usable_cpus()
    return None if cpus is None else placement(cpus)


def placement(cpus: Sequence[int]) -> Placement | None:
    """Divides processors: a quarter each for load and Postgres, at least one, and the rest for the app, at least half.

    cpus: their numbers, the threads of a core side by side. None when they are too few, see :data:`FEWEST`.
    """
    if len(cpus) < FEWEST:
        return None
    quarter = len(cpus) // 4
    rest = len(cpus) - 2 * quarter
    return Placement(
        target=tuple(cpus[:rest]), load=tuple(cpus[rest : rest + quarter]), postgres=tuple(cpus[rest + quarter :])
    )


def side_by_side_here(cores: int = 1) -> Placement | None:
    """Where servers go on this machine that are compared with each other; None where all go anywhere."""
    cpus = usable_cpus()
    return None if cpus is None else side_by_side(cpus, cores)


def side_by_side(cpus: Sequence[int], cores: int = 1) -> Placement | None:
    """Where servers go that run in turn and are compared with each other: all to the same processors.

    No two processors are alike: the first one also serves interrupts and the hypervisor, and the same server used up to 4 % more CPU
    for a request there than on the second. So the last ones are taken, and load and Postgres share what is left, or have
    processors of their own where there are enough. cpus: as for :func:`placement`; cores: how many processors the servers get.
    None when nothing would be left for the load.
    """
    apart = placement(cpus)
    for_targets = apart.target if apart else tuple(cpus)
    if cores >= len(for_targets):
        return apart
    rest = for_targets[:-cores]
    return Placement(
        target=for_targets[-cores:], load=apart.load if apart else rest, postgres=apart.postgres if apart else rest
    )


def usable_cpus() -> tuple[int, ...] | None:
    """The processors that this process may run on, the threads of a core side by side; None where the system does not tell.

    What the user has ruled out, with ``taskset`` or a container's cpuset, is not among them.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    return tuple(sorted(os.sched_getaffinity(0), key=lambda cpu: (*_core(CPUS, cpu), cpu)))


def put(pid: int, cpus: Collection[int] | None) -> None:
    """Keeps a process that has just been started, and all that it will start, to these processors; None: wherever it is.

    A process that has ended is left to whoever talks to it.
    """
    if cpus is None:
        return
    try:
        os.sched_setaffinity(pid, cpus)
    except ProcessLookupError:
        return


def _core(folder: Path, cpu: int) -> tuple[int, int]:
    """The package and the core that a processor is a thread of; zeros where the system does not tell."""
    try:
        topology = folder / f"cpu{cpu}" / "topology"
        package, core = ((topology / name).read_text(encoding="ascii") for name in ("physical_package_id", "core_id"))
        return int(package), int(core)
    except (OSError, ValueError):
        return 0, 0
