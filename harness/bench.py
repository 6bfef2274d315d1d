"""A plan of trials -> a Run, in a folder."""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from harness.catalog import ceiling_rps
from harness.errors import HarnessError
from harness.figures import measure, outcomes
from harness.forkserver import ForkServer
from harness.machine import git_revision, this_machine
from harness.places import checkout_sites, loop_holds
from harness.postgres.databases import Databases
from harness.postgres.server import start_postgres
from harness.record import Figures, InvariantResult, Pair, Profile, Run, Trial, VariantResult
from harness.split import latency_split
from harness.store import RunWriter, point_latest
from harness.target.seeding import seed
from harness.target.target import PRELOAD
from harness.trial import Postgres, Rig, Subject, TrialData, TrialPlan, run_trial
from harness.window import Window

LOAD_PRELOAD = ("harness.load.main",)


class Progress(Protocol):
    """Told of each step; indexes are those of the plan."""

    def step(self, index: int, name: str) -> None: ...

    def finished(self, index: int, figures: Figures, invalid: tuple[str, ...]) -> None: ...


ProgressFor = Callable[[list[tuple[str, str, int]]], AbstractContextManager[Progress]]


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    root: Path  # the catalogue's
    pairs: list[Pair]
    profile: Profile
    postgres: str
    out: Path  # where run folders are made
    seed: int
    command: str
    port: int = 0

    def subject(self, pair: Pair, variant: str) -> Subject:
        """How a variant is started and driven."""
        return Subject(
            target=f"target_apps.{pair.name}.{variant}:app",
            app_dir=self.root,
            locustfile=self.root / pair.scenario,
        )


@dataclass
class _Measured:
    """What has been measured so far."""

    postgres: str = "unknown"
    trials: list[Trial] = field(default_factory=list)
    windows: dict[tuple[str, str], list[Window]] = field(default_factory=lambda: defaultdict(list))


def plan_trials(plan: BenchPlan) -> list[TrialPlan]:
    """All trials in their order: for each pair A B B A …, so that what drifts on the machine drifts for every variant."""
    trials: list[TrialPlan] = []
    for pair in plan.pairs:
        for block in range(plan.profile.blocks):
            variants = list(pair.variants)
            for variant in variants if block % 2 == 0 else reversed(variants):
                trials.append(
                    TrialPlan(
                        id=len(trials) + 1,
                        pair=pair,
                        variant=variant,
                        subject=plan.subject(pair, variant),
                        block=block + 1,
                        seed=plan.seed + block,
                        profile=plan.profile,
                    )
                )
    return trials


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
    with (
        _rig(plan, folder, clock, measured) as rig,
        progress_for([(t.pair.name, t.variant, t.block - 1) for t in trials]) as progress,
    ):
        for index, trial in enumerate(trials):
            data = run_trial(rig, trial, partial(progress.step, index))
            _keep(writer, measured, data)
            progress.finished(index, data.trial.figures, data.trial.invalid)


@contextmanager
def _rig(plan: BenchPlan, folder: Path, clock: float, measured: _Measured) -> Iterator[Rig]:
    token = secrets.token_hex(4)
    with ExitStack() as stack:
        targets = stack.enter_context(ForkServer(PRELOAD))
        loads = stack.enter_context(ForkServer(LOAD_PRELOAD))
        server = stack.enter_context(start_postgres(plan.postgres, run_token=token))
        measured.postgres = server.version
        databases = Databases(server.url, run_token=token)
        logs = folder / "logs"
        databases.create_template(lambda url: seed(targets, url, root=plan.root, log=logs / "seed.log"))
        yield Rig(
            started_s=clock,
            logs=logs,
            targets=targets,
            loads=loads,
            postgres=Postgres(databases=databases, admin_url=server.url),
            port=plan.port,
        )


def _keep(writer: RunWriter, measured: _Measured, data: TrialData) -> None:
    writer.add("requests", data.window.requests)
    writer.add("samples", data.window.samples)
    writer.add("postgres", data.window.postgres)
    measured.trials.append(data.trial)
    if not data.trial.invalid:
        measured.windows[data.trial.pair, data.trial.variant].append(data.window)


def _run(plan: BenchPlan, folder: Path, started: datetime, wall_s: float, status: str, measured: _Measured) -> Run:
    results = [
        _result(pair, variant, measured)
        for pair in plan.pairs
        for variant in pair.variants
        if measured.windows.get((pair.name, variant))
    ]
    return Run(
        id=folder.name,
        started_utc=started.isoformat(timespec="seconds"),
        wall_s=wall_s,
        status=status,
        command=plan.command,
        seed=plan.seed,
        profile=plan.profile,
        machine=this_machine(measured.postgres),
        pairs=tuple(plan.pairs),
        trials=tuple(measured.trials),
        results=tuple(results),
    )


def _result(pair: Pair, variant: str, measured: _Measured) -> VariantResult:
    windows = measured.windows[pair.name, variant]
    valid = [t for t in measured.trials if (t.pair, t.variant) == (pair.name, variant) and not t.invalid]
    formula = pair.ceilings.get(variant)
    figures, warnings = measure(windows, None if formula is None else ceiling_rps(formula, pair.settings))
    return VariantResult(
        pair=pair.name,
        variant=variant,
        figures=figures,
        warnings=warnings,
        outcomes=outcomes(windows),
        holds=loop_holds(windows),
        checkouts=checkout_sites(windows),
        split=latency_split(windows),
        invariants=_summed_invariants(valid),
        trials=tuple(t.id for t in valid),
    )


def _summed_invariants(trials: list[Trial]) -> tuple[InvariantResult, ...]:
    by_name: dict[str, list[InvariantResult]] = defaultdict(list)
    for trial in trials:
        for result in trial.invariants:
            by_name[result.name].append(result)
    return tuple(
        InvariantResult(name=name, promised=sum(r.promised for r in rs), kept=sum(r.kept for r in rs))
        for name, rs in by_name.items()
    )


def _new_folder(out: Path, started: datetime) -> Path:
    name = f"{started:%Y%m%dT%H%M%SZ}-{(git_revision(Path.cwd()) or 'nogit').replace('+', '-dirty')}"
    folder, n = out / name, 1
    while folder.exists():
        folder, n = out / f"{name}-{n}", n + 1
    return folder
