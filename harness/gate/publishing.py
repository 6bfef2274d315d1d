"""Where a gate's results go: a folder, and on GitHub the job's summary and annotations."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import UsageError
from harness.gate.formats import FILES, as_annotations, as_markdown
from harness.gate.live import GateResult


@contextmanager
def result_folder(out: Path) -> Iterator[Path]:
    """A new folder with a place for logs. Removed again when nothing came of the gate. Raises UsageError when it cannot be made."""
    folder = out / f"gate-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    was_there = out.exists()
    try:
        (folder / "logs").mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written to: {error.strerror}") from error
    try:
        yield folder.resolve()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if not was_there:
            with suppress(OSError):  # somebody else has put something there
                out.rmdir()
        raise


def publish(folder: Path, result: GateResult) -> None:
    """Writes every format into the folder; under GitHub Actions the summary and the annotations as well."""
    for name, render in FILES.items():
        (folder / name).write_text(render(result), encoding="utf-8")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(as_markdown(result))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.write(as_annotations(result))
