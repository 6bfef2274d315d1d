"""One trial, end to end: a database of its own, a server process, one user, then the plan, then the questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psycopg

from harness.catalog import ceiling_rps
from harness.errors import UsageError
from harness.figures import Checkout, Hold, Window, checkout_sites, loop_holds, measure
from harness.forkserver import STOP, Child, ForkServer, Message, send
from harness.postgres.activity import ActivitySampler
from harness.postgres.databases import Databases
from harness.postgres.urls import database_of
from harness.record import Frame, InvariantResult, Pair, Profile, SequentialAnswer, Trial
from harness.rows import count_outcomes, join_requests, table_of
from harness.target.target import Server, start_target, start_upstream

SEQUENTIAL_TASKS = 5
LOAD_SLACK_S = 60.0  # past the plan, after which a load process is given up


@dataclass(frozen=True, kw_only=True)
class Rig:
    """What all trials of a run share."""

    started_s: float  # when the run began, on the monotonic clock
    root: Path  # the catalogue's
    logs: Path
    targets: ForkServer
    loads: ForkServer
    databases: Databases
    admin_url: str
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    id: int
    pair: Pair
    variant: str
    block: int
    seed: int
    profile: Profile


@dataclass(frozen=True, kw_only=True)
class TrialData:
    """A trial, and the raw rows behind it."""

    trial: Trial
    window: Window


@dataclass
class _Heard:
    """What the two processes have said so far."""

    client: list[Any] = field(default_factory=list)
    server: dict[str, list[Any]] = field(default_factory=dict)
    done: Message | None = None
    invalid: list[str] = field(default_factory=list)


def run_trial(rig: Rig, plan: TrialPlan, on_step: Callable[[str], None] = lambda _: None) -> TrialData:
    """Runs one trial and leaves nothing behind.

    on_step: called with the name of each step as it begins. Raises TargetError when the app does not start, UsageError when
    the Locust file cannot be used, SetupError when Postgres fails. An app that ends mid-way gives an invalid trial.
    """
    t0 = time.monotonic()
    log = rig.logs / f"{plan.id:03d}-{plan.pair.name}-{plan.variant}-{plan.block}.log"
    on_step("database")
    database_url = rig.databases.clone(f"{plan.pair.name}_{plan.variant}")
    sampler = ActivitySampler(rig.admin_url, database_of(database_url), t0)
    try:
        sampler.start()
        heard = _serve_and_load(rig, plan, database_url, log, on_step)
        activity = sampler.stop()
        invariants = _ask_invariants(plan.pair, database_url, heard)
    finally:
        sampler.stop()
        rig.databases.drop(database_url)
    window = _window(plan, heard, t0, [{"trial": plan.id, **asdict(sample)} for sample in activity])
    return TrialData(trial=_trial(plan, heard, window, invariants, t0 - rig.started_s, log), window=window)


def load_job(plan: TrialPlan, locustfile: Path, host: str) -> Message:
    """What the load process is told."""
    return {
        "locustfile": str(locustfile),
        "host": host,
        "workload": asdict(plan.pair.workload),
        "seed": plan.seed,
        "sequential_tasks": SEQUENTIAL_TASKS,
        "warmup_s": plan.profile.warmup_s,
        "window_s": plan.profile.window_s,
        "drain_s": plan.profile.drain_s,
    }


def _serve_and_load(rig: Rig, plan: TrialPlan, database_url: str, log: Path, on_step: Callable[[str], None]) -> _Heard:
    children: list[Child] = []
    heard = _Heard()
    try:
        env = _environment(plan.pair, database_url)
        if plan.pair.upstream:
            upstream = start_upstream(rig.targets, plan.pair.settings["upstream_delay_s"], log=log)
            children.append(upstream.child)
            env["UPSTREAM_URL"] = upstream.url
        on_step("start")
        app = f"target_apps.{plan.pair.name}.{plan.variant}:app"
        target = start_target(rig.targets, app, app_dir=rig.root, env=env, log=log, port=rig.port)
        children.append(target.child)
        job = load_job(plan, rig.root / plan.pair.scenario, target.url)
        load = rig.loads.spawn("harness.load.main:run", job, log=log, cwd=rig.root)
        children.append(load)
        on_step("sequential check")
        _listen(target, load, plan, heard, on_step)
    finally:
        for child in reversed(children):
            for message in child.stop():
                _take(heard, message, on_step)
    return heard


def _environment(pair: Pair, database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, **{name.upper(): f"{value:g}" for name, value in pair.settings.items()}}


def _listen(target: Server, load: Child, plan: TrialPlan, heard: _Heard, on_step: Callable[[str], None]) -> None:
    """Collects what both processes say until the load is done or one of them is gone."""
    profile = plan.profile
    deadline = time.monotonic() + profile.warmup_s + profile.window_s + profile.drain_s + LOAD_SLACK_S
    while heard.done is None:
        ready = wait([target.child.channel, load.channel], timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            heard.invalid.append(f"the load process did not finish within {LOAD_SLACK_S:.0f} s of its plan")
            return
        for child in (target.child, load):
            if child.channel in ready and not _hear(child, heard, on_step):
                who = "the app" if child is target.child else "the load process"
                heard.invalid.append(f"{who} ended before the trial did: {child.last_log_lines()}")
                _finish_load(load, heard, on_step)
                return


def _finish_load(load: Child, heard: _Heard, on_step: Callable[[str], None]) -> None:
    """The rows that a load process still holds are kept when its target is gone."""
    if not load.ended:
        send(load.channel, STOP)


def _hear(child: Child, heard: _Heard, on_step: Callable[[str], None]) -> bool:
    try:
        message = child.receive(0)
    except EOFError:
        return False
    if message is not None:
        _take(heard, message, on_step)
    return True


def _take(heard: _Heard, message: Message, on_step: Callable[[str], None]) -> None:
    match message["kind"]:
        case "rows" if "requests" in message:
            for table in ("requests", "checkouts", "samples", "holds"):
                heard.server.setdefault(table, []).extend(message[table])
        case "rows":
            heard.client.extend(message["rows"])
        case "sequential_done":
            on_step("warm-up")
        case "window":
            on_step("window")
        case "done":
            heard.done = message
        case "failed":
            raise UsageError(message["error"])


def _window(plan: TrialPlan, heard: _Heard, t0: float, activity: list[dict[str, Any]]) -> Window:
    """All rows of the trial, in seconds from its start."""
    start_s, end_s = _bounds(plan, heard, t0)
    return Window(
        start_s=start_s,
        end_s=end_s,
        requests=join_requests(plan.id, heard.client, heard.server.get("requests", []), t0, start_s, end_s),
        samples=table_of("samples", plan.id, heard.server.get("samples", []), t0),
        postgres=table_of("postgres", plan.id, [tuple(row.values())[1:] for row in activity], 0.0),
        holds=[_hold(row, t0) for row in heard.server.get("holds", [])],
        checkouts=[_checkout(row, t0) for row in heard.server.get("checkouts", [])],
        generator_cpu_s=heard.done["cpu_s"] if heard.done else None,
    )


def _bounds(plan: TrialPlan, heard: _Heard, t0: float) -> tuple[float, float]:
    if heard.done is not None:
        return heard.done["window_start_s"] - t0, heard.done["end_s"] - t0
    latest = max((row[5] for row in heard.client if row[5] is not None), default=t0)
    return max(0.0, latest - t0 - plan.profile.window_s), max(latest - t0, 0.001)


def _hold(row: Any, t0: float) -> Hold:
    t_s, held_s, first, user, offender, route = row
    return Hold(t_s=t_s - t0, held_s=held_s, first=first, user=_frame(user), offender=_frame(offender), route=route)


def _checkout(row: Any, t0: float) -> Checkout:
    taken, session, engine, route, asked_s, got_s, returned_s, opened, outlived, sql_s = row
    return Checkout(
        taken=_frame(taken),
        session=_frame(session),
        engine=_frame(engine),
        route=route,
        asked_s=asked_s - t0,
        got_s=None if got_s is None else got_s - t0,
        returned_s=None if returned_s is None else returned_s - t0,
        opened=bool(opened),
        outlived=outlived,
        sql_s=sql_s,
    )


def _frame(raw: Any) -> Frame | None:
    return None if raw is None else Frame(file=raw[0], line=raw[1], function=raw[2])


def _trial(
    plan: TrialPlan, heard: _Heard, window: Window, invariants: Iterable[InvariantResult], started_s: float, log: Path
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
        warnings=warnings,
        outcomes=outcomes,
        planned=planned,
        holds=loop_holds([window]),
        checkouts=checkout_sites([window]),
        sequential=_sequential(heard),
        invariants=tuple(invariants),
        invalid=tuple(heard.invalid + _check(heard, outcomes, planned)),
        log=f"logs/{log.name}",
    )


def _check(heard: _Heard, outcomes: dict[str, int], planned: int) -> list[str]:
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


def _sequential(heard: _Heard) -> tuple[SequentialAnswer, ...]:
    rows = (row for row in heard.client if row[0])
    return tuple(SequentialAnswer(name=r[3], status=r[7] or 0, body_digest=r[11] or "") for r in rows)


def _ask_invariants(pair: Pair, database_url: str, heard: _Heard) -> list[InvariantResult]:
    """Asks once the app has ended: what it committed is there, what it only promised is not."""
    results = []
    for invariant in pair.invariants:
        promised = sum(row[3] == invariant.promised_by and row[8] == "ok" for row in heard.client)
        with psycopg.connect(database_url) as connection:
            kept = connection.execute(invariant.sql.encode()).fetchone()
        results.append(InvariantResult(name=invariant.name, promised=promised, kept=int(kept[0]) if kept else 0))
    return results
