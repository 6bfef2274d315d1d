"""How fast the harness is: the start of the command, a whole quick bench, and the gap between two windows.

    python -m benchmarks.bench_speed [PAIR ...]

The gap runs from the end of one measured window to the start of the next: it holds the stop of one server, a new database, the
start of the next server, the sequential check and the warm-up.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from harness.record import Run
from harness.store import load_run

ROOT = Path(__file__).resolve().parent.parent
LIMITS_S = {"harness list": 0.5, "quick bench": 180.0, "gap between windows": 2.5}


def main() -> None:
    starts = [timed("list") for _ in range(10)]
    with tempfile.TemporaryDirectory() as out:
        bench_s = timed("bench", *sys.argv[1:], "--profile", "quick", "--out", out)
        run = load_run(Path(out) / "latest")
    found = {"harness list": starts, "quick bench": [bench_s], "gap between windows": gaps_s(run)}
    table = Table("what", "median", "largest", "wanted", "met", box=None)
    for what, limit_s in LIMITS_S.items():
        worst = max(found[what])
        table.add_row(
            what,
            f"{np.median(found[what]):.2f} s",
            f"{worst:.2f} s",
            f"≤ {limit_s} s",
            "yes" if worst <= limit_s else "NO",
        )
    Console().print(table)
    sys.exit(0 if all(max(found[what]) <= limit for what, limit in LIMITS_S.items()) else 1)


def timed(*arguments: str) -> float:
    """Seconds that a command takes."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "harness", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    assert done.returncode in (0, 1), f"harness {arguments[0]} ended with {done.returncode}"
    return time.monotonic() - start


def gaps_s(run: Run) -> list[float]:
    """Seconds between the end of each window and the start of the next."""
    starts = [t.started_s + t.window_start_s for t in run.trials]
    ends = [start + t.window_s for start, t in zip(starts, run.trials, strict=True)]
    return [start - end for (end, _), (_, start) in pairwise(zip(ends, starts, strict=True))]


if __name__ == "__main__":
    main()
