"""Removes a folder when the process that made it is gone, however it went."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def sweep_when_gone(folder: Path) -> Iterator[None]:
    """A process of its own waits for the end of its input, which comes with the end of ours, and removes the folder."""
    here = Path(__file__).parents[2]
    broom = subprocess.Popen(
        [sys.executable, "-m", "harness.demo.broom", str(folder.resolve())],
        cwd=here, stdin=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        broom.communicate()


if __name__ == "__main__":
    sys.stdin.buffer.read()
    shutil.rmtree(sys.argv[1], ignore_errors=True)
