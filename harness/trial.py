"""One trial, end to end: a database of its own, a server process, one user, then the plan, then the questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from harness.driving import load_stage
from harness.figures import measure, promises_lost
from harness.formula import ceiling_of
from harness.hearing import Heard, OnStep
from harness.places import checkout_sites, loop_holds
from harness.postgres.connection import admin_connection
from harness.record import Invariant, InvariantResult, Outcome, SequentialAnswer, Trial
from harness.rows import checkout_of, count_outcomes, hold_of, join_requests, seen_of, strays, table_of
from harness.staging import Rig, Stage, TrialPlan, set_stage
from harness.validity import drifts, reasons
from harness.window import Window


@dataclass(frozen=True, kw_only=True)
class TrialData:
    """A trial, and the raw rows behind it."""

    trial: Trial
    window: Window


def run_trial(
    rig: Rig,
    plan: TrialPlan,
    on_step: OnStep = lambda _: None,
    stage: Stage | None = None,
    when_over: Callable[[], None] = lambda: None,
    when_ended: Callable[[], None] = lambda: None,
) -> TrialData:
    """Runs one trial and leaves nothing behind.

    on_step: called with the name of each step as it begins; stage: the trial's own, where it was set, or rehearsed, beforehand; when_over:
    called when the load is over, and nothing is left but to end its processes and to take their measure; when_ended: called when
    they have ended. Raises TargetError when the app does not start, UsageError
    when the Locust file cannot be used, SetupError when Postgres fails. An app that ends mid-way gives an invalid trial.
    """
    stage = stage or set_stage(rig, plan, on_step)
    heard = stage.heard
    try:
        load_stage(rig, plan, stage, on_step, when_over)
        when_ended()
        activity = stage.activity()
        invariants = ask_invariants(plan, stage.database_url, heard)
    finally:
        stage.clear()
    window = window_of(plan, heard, stage.started_s, activity)
    return TrialData(
        trial=_trial(plan, heard, window, invariants, stage.started_s - rig.started_s, stage.log), window=window
    )


def window_of(plan: TrialPlan, heard: Heard, t0: float, activity: Sequence[Sequence[float]]) -> Window:
    """All rows of the trial, in seconds from its start."""
    start_s, end_s = _bounds(plan, heard, t0)
    return Window(
        start_s=start_s,
        end_s=end_s,
        requests=join_requests(plan.id, heard.client, heard.server.get("requests", []), t0, start_s, end_s),
        strays=strays(heard.client, heard.server.get("requests", []), t0),
        samples=table_of("samples", plan.id, heard.server.get("samples", []), t0),
        postgres=table_of("postgres", plan.id, activity, 0.0),
        holds=[hold_of(row, t0) for row in heard.server.get("holds", [])],
        checkouts=[checkout_of(row, t0) for row in heard.server.get("checkouts", [])],
        seen=[seen_of(row, t0) for row in heard.server.get("sightings", [])],
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
    figures, warnings = measure([window], ceiling_of(plan.pair, plan.variant))
    invariants = tuple(invariants)
    figures = replace(figures, promises_lost=promises_lost(invariants))
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
        invariants=invariants,
        contention=heard.contention,
        restarts=heard.restarts,
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


def ask_invariants(plan: TrialPlan, database_url: str | None, heard: Heard) -> list[InvariantResult]:
    """Asks once the app has ended: what it committed is there, what it only promised is not."""
    asked = [i for i in plan.pair.invariants if plan.variant in (i.variants or plan.pair.variants)]
    if database_url is None or not asked:
        return []
    with admin_connection(database_url) as connection:
        return [
            InvariantResult(
                name=invariant.name,
                promised=sum(_promises(row, invariant) for row in heard.client),
                kept=_counted(connection, invariant.sql),
                promised_by=invariant.promised_by,
                zero=invariant.zero,
            )
            for invariant in asked
        ]


def _promises(row: Sequence[Any], invariant: Invariant) -> bool:
    """Whether a request was answered as one of those that promise a row."""
    name, status, outcome = row[3], row[7], row[8]
    right = status is not None and status < 400 if invariant.by_status else outcome == Outcome.OK
    return name in invariant.promised_by and right


def _counted(connection: psycopg.Connection[TupleRow], query: str) -> int:
    found = connection.execute(query.encode()).fetchone()
    return int(found[0] or 0) if found else 0
