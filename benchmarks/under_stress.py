"""Whether a bench on a machine that is busy with something else says so, instead of giving figures.

    python -m benchmarks.under_stress [PAIR ...]

Benches the pairs while one process per core does nothing but count, as ``stress --cpu`` would. Wanted: no trial is a result, so
that nothing is said of any pair, and the exit code is 3.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.shown import Line, show_and_exit
from harness.store import load_run
from harness.verdict import judge

ROOT = Path(__file__).resolve().parent.parent
PAIRS = ("blocking_http", "return_session", "pool_undersized")
LONGEST_S = 600.0
INVALID = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", default=PAIRS)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "harness", "bench", *pairs, "--profile", "quick", "--out", out]
        with stressed(psutil.cpu_count() or 1):
            code = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=LONGEST_S).returncode
        run = load_run(Path(out) / "latest")
    valid = sum(not trial.invalid for trial in run.trials)
    said = Counter("invalid" if pair.invalid else "met" if pair.met else "not met" for pair in judge(run).pairs)
    show_and_exit(
        [
            Line("trials that count as results", f"{valid} of {len(run.trials)}", "0", valid == 0),
            Line(
                "pairs, by what is said of them",
                ", ".join(f"{n} {what}" for what, n in said.items()),
                "all invalid",
                set(said) == {"invalid"},
            ),
            Line("exit code", str(code), str(INVALID), code == INVALID),
        ]
    )


@contextmanager
def stressed(cores: int) -> Iterator[None]:
    """Keeps that many processes busy."""
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(cores)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        for burner in burners:
            burner.terminate()
            burner.join()


def burn() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
