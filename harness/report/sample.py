"""A run that is kept in the repository, made small: its figures and its reports, without raw rows and logs.

run.json        the run as it is stored, on one line; no trial has a log
report.html     with every chart; report.md, junit.xml
charts/         the pictures that the pages on the pairs show
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from harness.errors import UsageError
from harness.judgement import RunVerdict
from harness.record import Run, Trial
from harness.report import render_views, write_files
from harness.report.pairdocs import CHARTS
from harness.store import RunData, disk_errors, run_json

MOST_BYTES = 5 * 2**20  # more than this is not for a repository
_VIEWS = ("report.html", "report.md", "junit.xml")
_HELD = {"run.json", "charts", *_VIEWS}


def keep_sample(folder: Path, run: Run, verdict: RunVerdict, data: RunData) -> int:
    """Puts the sample of a run in the place of what the folder held. Returns its size in bytes.

    The folder changes as a whole or not at all. Raises UsageError when it holds something other than a sample, or when the sample
    is larger than MOST_BYTES; SetupError when the disk is in the way.
    """
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - _HELD):
        raise UsageError(f"{folder} holds something other than a sample: name another folder with --write")
    files = _files(run, verdict, data)
    size = sum(len(text.encode()) for text in files.values())
    if size > MOST_BYTES:
        raise UsageError(
            f"the sample of run {run.id} takes {size / 2**20:.1f} MiB, more than the {MOST_BYTES / 2**20:.0f} MiB that a repository "
            "should carry: take a run of fewer pairs, or of shorter windows"
        )
    with disk_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
            new = Path(made) / "new"
            write_files(new, files)
            if folder.exists():
                folder.rename(Path(made) / "old")
            new.rename(folder)
    return size


def _files(run: Run, verdict: RunVerdict, data: RunData) -> dict[str, str]:
    """Path in the sample -> text."""
    views = render_views(run, verdict, data)
    shown = {f"charts/{pair.name}-{chart}.svg" for pair in run.pairs for chart in CHARTS}
    return {"run.json": run_json(_without_logs(run), indent=None).decode()} | {
        name: text for name, text in views.items() if name in _VIEWS or name in shown
    }


def _without_logs(run: Run) -> Run:
    return replace(
        run,
        trials=_logless(run.trials),
        sweeps=tuple(replace(sweep, trials=_logless(sweep.trials)) for sweep in run.sweeps),
    )


def _logless(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    return tuple(replace(trial, log=None) for trial in trials)
