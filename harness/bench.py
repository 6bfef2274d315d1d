"""A plan of trials -> a Run, in a folder."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from harness.check import machine_warnings
from harness.driving import LOAD_PRELOAD
from harness.errors import HarnessError
from harness.forkserver import ForkServer
from harness.load_source import LoadSource
from harness.machine import LOAD_PACKAGES, PACKAGES, git_revision, this_machine
from harness.measured import Figures
from harness.placement import placement_here
from harness.record import Pair, Profile, Run, Trial
from harness.relay import Relay
from harness.results import variant_result
from harness.staging import Rig, Subject, TrialPlan, filled_postgres
from harness.store import RunWriter, point_latest
from harness.sweep import plan_sweeps, scalabilities
from harness.target.target import OWN_PRELOAD, PRELOAD
from harness.trial import TrialData
from harness.untold import more_blocks
from harness.window import Window


class Progress(Protocol):
    """Told of each step; indexes are those of the plan."""

    def step(self, index: int, name: str) -> None: ...

    def finished(self, index: int, figures: Figures, invalid: tuple[str, ...]) -> None: ...


ProgressFor = Callable[[list[tuple[str, str, int]]], AbstractContextManager[Progress]]


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    pairs: list[Pair]
    subjects: Mapping[tuple[str, str], Subject]  # of every pair and variant
    profile: Profile
    postgres: str | None  # None: the apps have databases of their own, or need none
    catalogue: Path | None  # what the template database is filled from; needed with postgres
    out: Path  # where run folders are made
    seed: int
    command: str
    port: int = 0
    load: LoadSource = field(default_factory=LoadSource)
    sweep: tuple[int, ...] = ()  # numbers of users asked for; empty: what the pairs say


def catalogue_subjects(root: Path, pairs: Iterable[Pair]) -> dict[tuple[str, str], Subject]:
    """How the catalogue's variants are started and driven."""
    return {
        (pair.name, variant): Subject(
            target=f"target_apps.{pair.name}.{variant}:app", app_dir=root, locustfile=root / pair.scenario
        )
        for pair in pairs
        for variant in pair.variants
    }


@dataclass
class _Measured:
    """What has been measured so far."""

    postgres: str | None = None
    warnings: tuple[str, ...] = ()
    trials: list[Trial] = field(default_factory=list)
    swept: list[Trial] = field(default_factory=list)
    windows: dict[tuple[str, str], list[Window]] = field(default_factory=lambda: defaultdict(list))


def plan_trials(plan: BenchPlan) -> list[TrialPlan]:
    """All trials in their order: for each pair A B B A …, so that what drifts on the machine drifts for every variant."""
    trials: list[TrialPlan] = []
    for pair in plan.pairs:
        for block in range(1, profile_of(pair, plan.profile).blocks + 1):
            trials += plan_block(plan, pair, block, first_id=len(trials) + 1)
    return trials


def plan_block(plan: BenchPlan, pair: Pair, block: int, *, first_id: int) -> list[TrialPlan]:
    """One trial of each variant; blocks count from 1, and every second one is the mirror of the one before."""
    profile = profile_of(pair, plan.profile)
    variants = list(pair.variants)
    return [
        TrialPlan(
            id=first_id + n,
            pair=pair,
            variant=variant,
            subject=plan.subjects[pair.name, variant],
            block=block,
            seed=plan.seed + block - 1,
            profile=profile if block == 1 else replace(profile, sequential_tasks=0),
        )
        for n, variant in enumerate(variants if block % 2 else reversed(variants))
    ]


def profile_of(pair: Pair, profile: Profile) -> Profile:
    """How long and how often a pair is measured under a profile."""
    return replace(profile, blocks=pair.blocks or profile.blocks, window_s=pair.window_factor * profile.window_s)


@dataclass(frozen=True, kw_only=True)
class BenchEnd:
    """How a bench ended."""

    folder: Path | None  # None: nothing was measured, nothing was written
    run: Run
    error: KeyboardInterrupt | HarnessError | None  # what ended it early; the run is then a partial one


def run_bench(plan: BenchPlan, progress_for: ProgressFor) -> BenchEnd:
    """Measures the plan into a run folder. An interrupt or an error ends it early and loses nothing that was measured.

    Raises SetupError when the disk does not take the run.
    """
    started = datetime.now(UTC)
    clock = time.monotonic()
    folder = _new_folder(plan.out, started)
    writer = RunWriter(folder)
    measured = _Measured()
    error: KeyboardInterrupt | HarnessError | None = None
    try:
        measured.warnings = machine_warnings(plan.out)
        _measure(plan, folder, clock, progress_for, writer, measured)
    except (KeyboardInterrupt, HarnessError) as early:
        error = early
    run = _run(plan, folder, started, time.monotonic() - clock, "partial" if error else "complete", measured)
    if not measured.trials:
        writer.discard()
        return BenchEnd(folder=None, run=run, error=error)
    writer.finish(run)
    point_latest(folder)
    return BenchEnd(folder=folder, run=run, error=error)


def _measure(
    plan: BenchPlan, folder: Path, clock: float, progress_for: ProgressFor, writer: RunWriter, measured: _Measured
) -> None:
    trials = plan_trials(plan)
    sweeps = plan_sweeps(trials, plan.sweep)
    names = [(t.pair.name, t.variant, t.block - 1) for t in trials]
    names += [(t.pair.name, f"{t.variant}, {t.pair.workload.users} users,", 0) for t in sweeps]
    with (
        _rig(plan, folder, clock, measured) as rig,
        progress_for(names) as progress,
        Relay(rig, enumerate([*trials, *sweeps])) as relay,
    ):
        told: set[int] = set()
        ids = count(len(names) + 1)  # of what is run beyond the plan
        for index, trial in relay:
            data = relay.run(trial, partial(progress.step, index))
            _keep(writer, measured, data, swept=index >= len(trials))
            if data.trial.invalid and trial.repeats is None:
                again = replace(trial, id=next(ids), repeats=trial.id)
                relay.add(index, again)
                continue
            if index not in told:
                told.add(index)
                progress.finished(index, data.trial.figures, data.trial.invalid)
            if index < len(trials) and not relay.waits_for(trial.pair, below=len(trials)):
                relay.add(index, *_more_trials(plan, trial.pair, measured, ids))


def _more_trials(plan: BenchPlan, pair: Pair, measured: _Measured, ids: Iterator[int]) -> list[TrialPlan]:
    """What to measure of a pair beyond the plan, of which all has been measured."""
    more = more_blocks(pair, profile_of(pair, plan.profile).blocks, measured.trials)
    return [
        replace(trial, id=next(ids))
        for block, untold in more.items()
        for trial in plan_block(plan, pair, block, first_id=1)
        if trial.variant in untold
    ]


@contextmanager
def _rig(plan: BenchPlan, folder: Path, clock: float, measured: _Measured) -> Iterator[Rig]:
    place = placement_here()
    with ExitStack() as stack:
        preload = PRELOAD if plan.catalogue else OWN_PRELOAD
        targets = stack.enter_context(ForkServer(preload, cpus=place.target if place else None))
        loads = stack.enter_context(ForkServer(LOAD_PRELOAD, cpus=place.load if place else None))
        logs = folder / "logs"
        postgres = None
        if plan.postgres is not None and plan.catalogue is not None:
            cpus = place.postgres if place else None
            postgres = stack.enter_context(
                filled_postgres(plan.postgres, targets, root=plan.catalogue, logs=logs, cpus=cpus)
            )
            measured.postgres = postgres.server.version
        yield Rig(
            started_s=clock,
            logs=logs,
            targets=targets,
            loads=loads,
            postgres=postgres,
            port=plan.port,
            load=plan.load,
        )


def _keep(writer: RunWriter, measured: _Measured, data: TrialData, *, swept: bool) -> None:
    writer.add("requests", data.window.requests)
    writer.add("samples", data.window.samples)
    writer.add("postgres", data.window.postgres)
    if swept:
        measured.swept.append(data.trial)
        return
    measured.trials.append(data.trial)
    if not data.trial.invalid:
        measured.windows[data.trial.pair, data.trial.variant].append(data.window)


def _run(plan: BenchPlan, folder: Path, started: datetime, wall_s: float, status: str, measured: _Measured) -> Run:
    results = [
        variant_result(pair, variant, measured.trials, windows)
        for pair in plan.pairs
        for variant in pair.variants
        if (windows := measured.windows.get((pair.name, variant)))
    ]
    served = any(subject.served for subject in plan.subjects.values())
    return Run(
        id=folder.name,
        started_utc=started.isoformat(timespec="seconds"),
        wall_s=wall_s,
        status=status,
        command=plan.command,
        seed=plan.seed,
        profile=plan.profile,
        machine=this_machine(measured.postgres, PACKAGES if served else LOAD_PACKAGES),
        pairs=tuple(plan.pairs),
        trials=tuple(measured.trials),
        results=tuple(results),
        sweeps=scalabilities(measured.swept),
        warnings=measured.warnings,
    )


def _new_folder(out: Path, started: datetime) -> Path:
    name = f"{started:%Y%m%dT%H%M%SZ}-{(git_revision(Path.cwd()) or 'nogit').replace('+', '-dirty')}"
    folder, n = out / name, 1
    while folder.exists():
        folder, n = out / f"{name}-{n}", n + 1
    return folder
