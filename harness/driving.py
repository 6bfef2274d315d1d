"""The load on a stage: the sequential check, which may be made ahead of its turn, then the plan, then the end of the processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial

from harness.fault import RestartsInWindow
from harness.forkserver import GO, Message, send
from harness.hearing import OnStep, listen
from harness.load_source import LoadSource
from harness.postgres.urls import database_of
from harness.staging import Rig, Stage, TrialPlan

LOAD_PRELOAD = ("harness.load.main",)  # for the fork server that load processes come from
SEQUENTIAL_LIMIT_S = 15.0
LOAD_SLACK_S = 45.0  # past the plan, after which a load process is given up


def load_job(plan: TrialPlan, host: str, load: LoadSource) -> Message:
    """What the load process is told. The users are split over no more workers than there are users: one without would do nothing."""
    return {
        "locustfile": str(plan.subject.locustfile),
        "host": host,
        "workload": asdict(plan.pair.workload),
        "seed": plan.seed,
        "workers": min(load.workers, plan.pair.workload.users),
        "master": load.master,
        "sequential_tasks": plan.profile.sequential_tasks,
        "warmup_s": plan.profile.warmup_s,
        "window_s": plan.profile.window_s,
        "drain_s": plan.profile.drain_s,
        "watched": plan.watched,
    }


def load_limit_s(plan: TrialPlan) -> float:
    """How long a load process may take for all it does, before it is given up."""
    profile = plan.profile
    return SEQUENTIAL_LIMIT_S + profile.warmup_s + profile.window_s + profile.drain_s + LOAD_SLACK_S


def rehearse(rig: Rig, plan: TrialPlan, stage: Stage, on_step: OnStep = lambda _: None) -> None:
    """Starts the load process and lets it make the sequential check, after which it waits.

    Raises UsageError when the Locust file cannot be used. What else goes wrong makes the trial invalid.
    """
    job = load_job(plan, stage.host, rig.load) | {"held": True}
    stage.load = rig.loads.spawn("harness.load.main:run", job, log=stage.log, env=plan.pair.environment)
    stage.children.append(stage.load)
    on_step("sequential check")
    listen(stage.load, stage.targets, stage.heard, SEQUENTIAL_LIMIT_S + LOAD_SLACK_S, on_step, until_ready=True)


def load_stage(
    rig: Rig,
    plan: TrialPlan,
    stage: Stage,
    on_step: OnStep,
    when_over: Callable[[], None] = lambda: None,
) -> None:
    """Drives what stands on the stage to the end of the plan, and ends it.

    when_over: called when the load is over. Raises UsageError as :func:`rehearse` does, where that has not been done.
    """
    heard = stage.heard
    try:
        if stage.load is None:
            rehearse(rig, plan, stage, on_step)
        if stage.load is not None and heard.ready:
            with _restarting(rig, plan, stage, on_step) as told:
                told("warm-up")
                with suppress(OSError):  # it has ended, which is heard next
                    send(stage.load.channel, GO)
                listen(stage.load, stage.targets, heard, load_limit_s(plan), told)
        when_over()
    finally:
        if rig.load.master is not None:
            heard.contention = None  # workers that happen to be on this machine would pass for other people's work
        stage.stop(on_step)


@contextmanager
def _restarting(rig: Rig, plan: TrialPlan, stage: Stage, on_step: OnStep) -> Iterator[OnStep]:
    """Yields what is to be told of the steps, so that Postgres is restarted in the window where the pair asks for it.

    None is under way any more at the end: the next stage needs the server.
    """
    restarts = _restarts(rig, plan, stage)
    if restarts is None:
        yield on_step
        return

    def told(step: str) -> None:
        if step == "window":
            restarts.begin()
        on_step(step)

    try:
        yield told
    finally:
        stage.heard.restarts, wrong = restarts.end()
        stage.heard.invalid += wrong


def _restarts(rig: Rig, plan: TrialPlan, stage: Stage) -> RestartsInWindow | None:
    fault = plan.pair.fault
    if fault is None or rig.postgres is None or stage.database_url is None:
        return None
    restart = partial(rig.postgres.server.restart, database_of(stage.database_url))
    return RestartsInWindow(fault, restart, window_s=plan.profile.window_s, t0_monotonic=stage.started_s)
