"""Drives variants for a moment with asyncio's debug mode, or blockbuster, switched on in the target process."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from harness.detectors.hook import APP
from harness.detectors.logs import reports_in
from harness.detectors.record import VARIANTS, Detector, Look
from harness.driving import LOAD_PRELOAD, load_stage
from harness.errors import SetupError, TargetError, UsageError
from harness.forkserver import ForkServer
from harness.record import Pair, Profile, Workload
from harness.staging import Rig, Subject, TrialPlan, filled_postgres, set_stage
from harness.store import disk_errors
from harness.target.target import PRELOAD

MOST_USERS = 10
PROFILE = Profile(name="detectors", warmup_s=0.2, window_s=1.0, blocks=1, drain_s=0.2, sequential_tasks=3)
HOOKS = {Detector.ASYNCIO: "in_debug_mode", Detector.BLOCKBUSTER: "under_blockbuster"}


def look_live(
    root: Path,
    pairs: Sequence[Pair],
    detectors: Sequence[Detector],
    *,
    postgres: str,
    logs: Path,
    tell: Callable[[str], None],
) -> Iterator[Look]:
    """What the detectors report of each pair's buggy and fixed variant under its own scenario.

    One user for a few tasks, then up to ten for about a second. An app that does not start, or that ends, gives a look that broke.
    logs: a folder for one log a look, which takes the place of what was there. tell: called with the name of each step. Raises
    SetupError when blockbuster is not installed, Postgres fails or the disk is in the way.
    """
    if Detector.BLOCKBUSTER in detectors and find_spec("blockbuster") is None:
        raise SetupError(
            "blockbuster is not installed: pip install blockbuster, or take the stored looks without --refresh"
        )
    with disk_errors(logs):
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
    with _rig(root, postgres, logs) as rig:
        for detector in detectors:
            for pair in pairs:
                for variant in (v for v in VARIANTS if v in pair.variants):
                    tell(f"{detector}: {pair.name}/{variant}")
                    yield _look(rig, root, pair, variant, detector)


def _look(rig: Rig, root: Path, pair: Pair, variant: str, detector: Detector) -> Look:
    plan = TrialPlan(
        id=1 + list(HOOKS).index(detector),
        pair=replace(pair, workload=_short(pair.workload)),
        variant=variant,
        subject=_subject(root, pair, variant, detector),
        block=1,
        seed=1,
        profile=PROFILE,
    )
    log = None
    try:
        stage = set_stage(rig, plan)
        log = stage.log
        try:
            load_stage(rig, plan, stage, lambda _: None)
        finally:
            stage.clear()
        answered = any(row[7] for row in stage.heard.client)  # a status
        broke = "; ".join(stage.heard.invalid) or (None if answered else "no request was answered")
    except (TargetError, UsageError) as error:
        broke = str(error)
    text = log.read_text(errors="replace") if log is not None and log.is_file() else ""
    reports = reports_in(text, root, detector)
    return Look(
        detector=detector, pair=pair.name, variant=variant, reports=reports, broke=broke and _without_paths(broke, root)
    )


def _subject(root: Path, pair: Pair, variant: str, detector: Detector) -> Subject:
    return Subject(
        target=f"harness.detectors.hook:{HOOKS[detector]}",
        factory=True,
        env={APP: f"target_apps.{pair.name}.{variant}:app"},
        app_dir=root,
        locustfile=root / pair.scenario,
    )


def _short(workload: Workload) -> Workload:
    return Workload(users=min(MOST_USERS, workload.users), think_s=workload.think_s)


def _without_paths(text: str, root: Path) -> str:
    """A reason that may stand in a document: on one line, without the folders of this machine."""
    return " ".join(text.replace(f"{root}/", "").split())[:300]


@contextmanager
def _rig(root: Path, choice: str, logs: Path) -> Iterator[Rig]:
    with (
        ForkServer(PRELOAD) as targets,
        ForkServer(LOAD_PRELOAD) as loads,
        filled_postgres(choice, targets, root=root, logs=logs) as postgres,
    ):
        yield Rig(started_s=time.monotonic(), logs=logs, targets=targets, loads=loads, postgres=postgres)
