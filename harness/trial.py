"""One trial, end to end: a database of its own, a server process, one user, then the plan, then the questions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg

from harness.catalog import ceiling_rps
from harness.figures import measure
from harness.forkserver import Child, ForkServer, Message
from harness.hearing import Heard, OnStep, end, listen
from harness.places import checkout_sites, loop_holds
from harness.postgres.activity import ActivitySampler
from harness.postgres.databases import Databases
from harness.postgres.urls import database_of
from harness.record import InvariantResult, Pair, Profile, SequentialAnswer, Trial
from harness.rows import checkout_of, count_outcomes, hold_of, join_requests, table_of
from harness.target.target import start_target, start_upstream
from harness.validity import drifts, reasons
from harness.window import Window

SEQUENTIAL_LIMIT_S = 15.0
LOAD_SLACK_S = 45.0  # past the plan, after which a load process is given up


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """Where each trial gets its database from."""

    databases: Databases
    admin_url: str


@dataclass(frozen=True, kw_only=True)
class Rig:
    """What all trials of a run share."""

    started_s: float  # when the run began, on the monotonic clock
    logs: Path
    targets: ForkServer
    loads: ForkServer
    postgres: Postgres | None  # None: the app has its own database, or needs none
    port: int = 0
    load_workers: int = 1


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is measured, and the Locust file that drives it."""

    target: str  # "module:app", started under the probe, or a URL, seen by clients alone
    app_dir: Path
    locustfile: Path
    env: Mapping[str, str] = field(default_factory=dict)
    factory: bool = False  # the target's name stands for a function that makes the app

    @property
    def served(self) -> bool:
        """Whether the harness starts the app itself."""
        return "://" not in self.target


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    id: int
    pair: Pair
    variant: str
    subject: Subject
    block: int
    seed: int
    profile: Profile
    repeats: int | None = None  # id of the invalid trial that this one is run for once more


@dataclass(frozen=True, kw_only=True)
class TrialData:
    """A trial, and the raw rows behind it."""

    trial: Trial
    window: Window


def run_trial(rig: Rig, plan: TrialPlan, on_step: OnStep = lambda _: None) -> TrialData:
    """Runs one trial and leaves nothing behind.

    on_step: called with the name of each step as it begins. Raises TargetError when the app does not start, UsageError when
    the Locust file cannot be used, SetupError when Postgres fails. An app that ends mid-way gives an invalid trial.
    """
    t0 = time.monotonic()
    log = rig.logs / f"{plan.id:03d}-{plan.pair.name}-{plan.variant}-{plan.block}.log"
    with _database(rig, plan, t0, on_step) as database:
        heard = _serve_and_load(rig, plan, database.url, log, on_step)
        activity = database.activity()
        invariants = ask_invariants(plan.pair, database.url, heard)
    window = window_of(plan, heard, t0, activity)
    return TrialData(trial=_trial(plan, heard, window, invariants, t0 - rig.started_s, log), window=window)


@dataclass(frozen=True)
class _Database:
    """The database of one trial, watched; or none, where the app has its own."""

    url: str | None
    sampler: ActivitySampler | None

    def activity(self) -> list[tuple[float, int, int, int, int]]:
        samples = self.sampler.stop() if self.sampler else []
        return [(s.t_s, s.sessions, s.active, s.idle_in_transaction, s.lock_waits) for s in samples]


@contextmanager
def _database(rig: Rig, plan: TrialPlan, t0: float, on_step: OnStep) -> Iterator[_Database]:
    if rig.postgres is None:
        yield _Database(None, None)
        return
    on_step("database")
    url = rig.postgres.databases.clone(f"{plan.pair.name}_{plan.variant}")
    sampler = ActivitySampler(rig.postgres.admin_url, database_of(url), t0)
    try:
        sampler.start()
        yield _Database(url, sampler)
    finally:
        sampler.stop()
        rig.postgres.databases.drop(url)


def load_job(plan: TrialPlan, host: str, workers: int) -> Message:
    """What the load process is told.

    workers: over how many processes the users are split; no more than there are users, since one without would do nothing.
    """
    return {
        "locustfile": str(plan.subject.locustfile),
        "host": host,
        "workload": asdict(plan.pair.workload),
        "seed": plan.seed,
        "workers": min(workers, plan.pair.workload.users),
        "sequential_tasks": plan.profile.sequential_tasks,
        "warmup_s": plan.profile.warmup_s,
        "window_s": plan.profile.window_s,
        "drain_s": plan.profile.drain_s,
    }


def _serve_and_load(rig: Rig, plan: TrialPlan, database_url: str | None, log: Path, on_step: OnStep) -> Heard:
    subject, profile = plan.subject, plan.profile
    children: list[Child] = []
    heard = Heard()
    try:
        on_step("start")
        target, host = None, subject.target
        if subject.served:
            env = target_environment(rig, plan, database_url, children, log)
            server = start_target(
                rig.targets, host, app_dir=subject.app_dir, env=env, log=log, port=rig.port, factory=subject.factory
            )
            target, host = server.child, server.url
            children.append(target)
        job = load_job(plan, host, rig.load_workers)
        load = rig.loads.spawn("harness.load.main:run", job, log=log)
        children.append(load)
        on_step("sequential check")
        limit_s = SEQUENTIAL_LIMIT_S + profile.warmup_s + profile.window_s + profile.drain_s + LOAD_SLACK_S
        listen(load, target, heard, limit_s, on_step)
    finally:
        end(children, heard, on_step)
    return heard


def target_environment(
    rig: Rig, plan: TrialPlan, database_url: str | None, children: list[Child], log: Path
) -> dict[str, str]:
    """The target's environment; starts the stub upstream where the pair needs one."""
    settings = {name.upper(): f"{value:g}" for name, value in plan.pair.settings.items()}
    env = {**settings, **plan.subject.env}
    if database_url is not None:
        env["DATABASE_URL"] = database_url
    if plan.pair.upstream:
        upstream = start_upstream(rig.targets, plan.pair.settings["upstream_delay_s"], log=log)
        children.append(upstream.child)
        env["UPSTREAM_URL"] = upstream.url
    return env


def window_of(plan: TrialPlan, heard: Heard, t0: float, activity: Sequence[Sequence[float]]) -> Window:
    """All rows of the trial, in seconds from its start."""
    start_s, end_s = _bounds(plan, heard, t0)
    return Window(
        start_s=start_s,
        end_s=end_s,
        requests=join_requests(plan.id, heard.client, heard.server.get("requests", []), t0, start_s, end_s),
        samples=table_of("samples", plan.id, heard.server.get("samples", []), t0),
        postgres=table_of("postgres", plan.id, activity, 0.0),
        holds=[hold_of(row, t0) for row in heard.server.get("holds", [])],
        checkouts=[checkout_of(row, t0) for row in heard.server.get("checkouts", [])],
        has_probe=plan.subject.served,
        generator_cpu_s=heard.done["cpu_s"] if heard.done else None,
    )


def _bounds(plan: TrialPlan, heard: Heard, t0: float) -> tuple[float, float]:
    if heard.done is not None:
        return heard.done["window_start_s"] - t0, heard.done["end_s"] - t0
    latest = max((row[5] for row in heard.client if row[5] is not None), default=t0)
    return max(0.0, latest - t0 - plan.profile.window_s), max(latest - t0, 0.001)


def _trial(
    plan: TrialPlan, heard: Heard, window: Window, invariants: Iterable[InvariantResult], started_s: float, log: Path
) -> Trial:
    formula = plan.pair.ceilings.get(plan.variant)
    ceiling = None if formula is None else ceiling_rps(formula, plan.pair.settings)
    figures, warnings = measure([window], ceiling)
    outcomes = count_outcomes(window.requests)
    planned = heard.done["planned"] if heard.done else sum(outcomes.values())
    return Trial(
        id=plan.id,
        pair=plan.pair.name,
        variant=plan.variant,
        block=plan.block,
        seed=plan.seed,
        started_s=started_s,
        workload=plan.pair.workload,
        warmup_s=plan.profile.warmup_s,
        window_s=window.length_s,
        window_start_s=window.start_s,
        figures=figures,
        warnings=drifts(window) | warnings,
        outcomes=outcomes,
        planned=planned,
        holds=loop_holds([window]),
        checkouts=checkout_sites([window]),
        sequential=_sequential(heard),
        invariants=tuple(invariants),
        contention=heard.contention,
        invalid=tuple(
            heard.invalid or _check(heard, outcomes, planned) + reasons(window, plan.pair.workload, heard.contention)
        ),
        repeats=plan.repeats,
        log=f"logs/{log.name}",
    )


def _check(heard: Heard, outcomes: dict[str, int], planned: int) -> list[str]:
    """Conservation laws: every planned request has one outcome, and Locust counted what the store keeps."""
    if heard.done is None:
        return []
    reasons = []
    if sum(outcomes.values()) != planned:
        reasons.append(f"{planned} requests were planned, but {sum(outcomes.values())} have an outcome")
    if heard.done["rows_finished"] != heard.done["locust_count"]:
        kept, counted = heard.done["rows_finished"], heard.done["locust_count"]
        reasons.append(f"Locust counted {counted} requests, the recorder kept {kept}")
    return reasons


def _sequential(heard: Heard) -> tuple[SequentialAnswer, ...]:
    rows = (row for row in heard.client if row[0])
    return tuple(SequentialAnswer(name=r[3], status=r[7] or 0, body_digest=r[11] or "") for r in rows)


def ask_invariants(pair: Pair, database_url: str | None, heard: Heard) -> list[InvariantResult]:
    """Asks once the app has ended: what it committed is there, what it only promised is not."""
    results: list[InvariantResult] = []
    if database_url is None:
        return results
    for invariant in pair.invariants:
        promised = sum(row[3] == invariant.promised_by and row[8] == "ok" for row in heard.client)
        with psycopg.connect(database_url) as connection:
            kept = connection.execute(invariant.sql.encode()).fetchone()
        results.append(InvariantResult(name=invariant.name, promised=promised, kept=int(kept[0]) if kept else 0))
    return results
