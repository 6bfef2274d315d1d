"""Runs an edited copy of an app: in a folder of its own, and with bounded processor time, memory, files and processes."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self

import psutil

from harness.demo.ending import below, end_all_below
from harness.errors import UsageError
from harness.forkserver import ForkServer
from harness.record import Cause, Pair, Variant
from harness.staging import Subject
from harness.target.limits import Limits
from harness.target.target import PRELOAD

EDITED = "edited"
LIMITS = Limits(cpu_s=45, memory_bytes=3 << 29, file_bytes=16 << 20, ready_s=8.0)
MOST_BYTES = 64 << 10  # of source
MOST_PROCESSES = 16  # below the process that starts edited apps: the app, its stub upstream, its worker, its own
LOOK_S = 0.2


class Sandbox:
    """Where edited apps are kept and run. A context manager: its end ends all that they have started."""

    def __init__(self, root: Path, folder: Path) -> None:
        """root: the catalogue's; folder: a temporary one, for the copies."""
        self._root = root
        self._folder = folder
        self._numbers = count(1)
        self._forks: ForkServer | None = None
        self._watch: threading.Thread | None = None
        self._closing = threading.Event()
        self.ended: str | None = None  # why the last app was ended from outside

    def forks(self) -> ForkServer:
        """What starts the edited apps: not what starts the others."""
        if self._forks is None:
            self._forks = ForkServer((*PRELOAD, "harness.demo.fence"))
            self._watch = threading.Thread(target=self._keep_watch, name="demo-sandbox", daemon=True)
            self._watch.start()
        self.ended = None
        return self._forks

    def subject(self, pair: Pair, source: str) -> Subject:
        """A copy of the pair's folder with the edited source in it. Raises UsageError when the source is no Python."""
        check(source)
        copy = self._folder / f"edited-{next(self._numbers)}"
        apps = copy / "target_apps"
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("common", pair.name):
            shutil.copytree(self._root / "target_apps" / name, apps / name, ignore=ignore)
        shutil.copy(self._root / "target_apps" / "__init__.py", apps)
        (apps / pair.name / f"{EDITED}.py").write_text(source, encoding="utf-8")
        return Subject(
            target=f"target_apps.{pair.name}.{EDITED}:app",
            app_dir=copy,
            locustfile=self._root / pair.scenario,
            limits=LIMITS,
        )

    def end_all(self) -> None:
        """Ends what edited apps have left running. No run of one may be under way."""
        if self._forks is not None:
            end_all_below(self._forks.pid)

    def discard(self, subject: Subject) -> None:
        """Removes a copy that has been run, or will not be."""
        shutil.rmtree(subject.app_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.end_all()
        if self._forks is not None:
            self._forks.close()

    def _keep_watch(self) -> None:
        """Limits of the system are for a process, and partly do not hold for root: this one counts them together."""
        assert self._forks is not None
        while not self._closing.wait(LOOK_S):
            alive = below(self._forks.pid)
            if len(alive) > MOST_PROCESSES:
                self.ended = f"the app was ended: it had started more than {MOST_PROCESSES} processes"
            elif sum(_resident_bytes(process) for process in alive) > LIMITS.memory_bytes:
                self.ended = f"the app was ended: it used more than {LIMITS.memory_bytes >> 20} MiB"
            else:
                continue
            end_all_below(self._forks.pid)


def check(source: str) -> None:
    """Raises UsageError, with the line, when the source cannot be Python."""
    if len(source.encode(errors="replace")) > MOST_BYTES:
        raise UsageError(f"the code is longer than {MOST_BYTES >> 10} KiB")
    try:
        compile(source, f"{EDITED}.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise UsageError(f"line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"the code cannot be read: {error or type(error).__name__}") from None


def with_edited(pair: Pair, source: str) -> Pair:
    """The pair with the edited app as one more variant. Of it nothing is known beforehand, a ceiling included."""
    fixed = pair.variants["fixed"]
    edited = Variant(
        name=EDITED, summary="your own", cause=Cause.NONE, source=source, file=f"target_apps/{pair.name}/{EDITED}.py",
        bug_line=None, worker=fixed.worker,
    )  # fmt: skip
    return replace(pair, variants={**pair.variants, EDITED: edited})


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
