"""Runs a gate: three servers up, windows in turn, and a look after every second block, until the answer is clear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

from harness.driving import LOAD_PRELOAD
from harness.forkserver import ForkServer
from harness.gate.alike import refuse_unlike
from harness.gate.arms import Arm, promises_of, started
from harness.gate.decision import FIRST_LOOK, decide
from harness.gate.findings import Block, Decision, Look
from harness.gate.metrics import Rules
from harness.gate.reading import read_block
from harness.gate.rotation import rotation
from harness.gate.versions import Version
from harness.load_source import LoadSource
from harness.placement import side_by_side_here
from harness.record import Placement, Profile
from harness.staging import Postgres, Rig, TrialPlan, filled_postgres
from harness.target.target import OWN_PRELOAD, PRELOAD

EVERY = 2  # blocks between looks: a mirrored pair
END_RESERVE_S = 2.0  # of the budget, to stop the servers
SEQUENTIAL_TASKS = 5
DISTURBED_SHARE = 0.2
WANTED_BLOCKS, AROUND_WINDOW_S = 10, 1.0  # a window of 1 s fits into the default budget 25 times or so
WARMUP_S, MOST_WARMUP_S = 0.2, 1.0
WINDOW_S, MOST_WINDOW_S = 0.8, 5.0
DRAIN_S = 0.3

OnLook = Callable[[int, float, Decision], None]  # blocks, fraction of the budget, what is decided so far


@dataclass(frozen=True, kw_only=True)
class GatePlan:
    a: Version
    b: Version
    logs: Path  # a folder for what the processes print
    rules: Rules = field(default_factory=Rules)
    budget_s: float = 120.0
    window_s: float | None = None  # None: by how long A takes to answer
    warmup_s: float | None = None
    seed: int = 1
    postgres: str = "embedded"
    catalogue: Path | None = None  # what the databases are filled from; None: the apps have their own
    load_workers: int = 1
    stop_early: bool = True


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What a gate found."""

    a: str
    b: str
    decision: Decision
    blocks: tuple[Block, ...]
    looks: tuple[Look, ...]
    wall_s: float
    measured_s: float  # from when the servers were ready until the decision
    budget_s: float
    window_s: float
    seed: int
    warnings: tuple[str, ...] = ()


def run_gate(plan: GatePlan, on_look: OnLook = lambda *_: None) -> GateResult:
    """Measures and decides; leaves nothing behind.

    Raises UsageError when the versions cannot be compared, TargetError when one does not start or ends under way,
    SetupError when
    Postgres fails.
    """
    begun_s = time.monotonic()
    with servers(plan) as arms:
        ready_s = time.monotonic()
        profile = _compare_first(plan, arms, begun_s)
        for arm in arms.values():
            arm.plan = replace(arm.plan, profile=profile)
        blocks, looks = _rotate(plan, arms, begun_s, on_look)
        measured_s = time.monotonic() - ready_s
        for arm in arms.values():
            arm.stop()
        decision = decide(blocks, looks, plan.rules, promises_of(arms))
    windows = len(blocks) * len(arms)
    disturbed = sum(arm.disturbed for arm in arms.values())
    warnings = (
        []
        if disturbed <= DISTURBED_SHARE * windows
        else [f"in {disturbed} of {windows} windows other processes used more than a quarter of a core"]
    )
    return GateResult(
        a=plan.a.label, b=plan.b.label, decision=decision, blocks=tuple(blocks), looks=tuple(looks),
        wall_s=time.monotonic() - begun_s, measured_s=measured_s, budget_s=plan.budget_s, window_s=profile.window_s, seed=plan.seed,
        warnings=tuple(warnings),
    )  # fmt: skip


def _rotate(plan: GatePlan, arms: dict[str, Arm], begun_s: float, on_look: OnLook) -> tuple[list[Block], list[Look]]:
    blocks: list[Block] = []
    looks: list[Look] = []
    numbers = count(1)
    first_s = time.monotonic()
    end_s = begun_s + plan.budget_s - END_RESERVE_S
    for number, order in enumerate(rotation(plan.seed), 1):
        windows = {arm: arms[arm].window(next(numbers), plan.seed + number) for arm in order}
        blocks.append(read_block(windows))
        if number % EVERY:
            continue
        now_s = time.monotonic()
        over = now_s + EVERY * (now_s - first_s) / number > end_s
        if number >= FIRST_LOOK or over:
            fraction = 1.0 if over else (now_s - first_s) / (end_s - first_s)
            looks.append(Look(blocks=number, fraction=fraction))
            decision = decide(blocks, looks, plan.rules)
            on_look(number, fraction, decision)
            if over or (plan.stop_early and decision.clear):
                return blocks, looks
    raise AssertionError("the rotation has no end")


def _compare_first(plan: GatePlan, arms: dict[str, Arm], begun_s: float) -> Profile:
    """One user asks each server, then comes a window that does not count: how long the others shall be.

    Raises UsageError where the versions cannot be compared.
    """
    first = {name: arm.first(_profile(plan, tasks=SEQUENTIAL_TASKS)) for name, arm in arms.items()}
    refuse_unlike(*((arms[name].label, first[name].alone) for name in ("a", "b")))
    left_s = plan.budget_s - (time.monotonic() - begun_s)
    fitting_s = left_s / (WANTED_BLOCKS * len(arms)) - AROUND_WINDOW_S
    return _profile(plan, first["a"].response_p50_s, fitting_s=fitting_s)


def _profile(plan: GatePlan, p50_s: float | None = None, *, fitting_s: float = 0.0, tasks: int = 0) -> Profile:
    """Windows in which a user gets several answers, and warm-ups that outlast the first, as far as enough of them fit."""
    slow_s = 0.0 if p50_s is None else p50_s
    window_s = min(8 * slow_s, fitting_s, MOST_WINDOW_S)
    return Profile(
        name="gate",
        warmup_s=plan.warmup_s if plan.warmup_s is not None else min(MOST_WARMUP_S, max(WARMUP_S, 2 * slow_s)),
        window_s=plan.window_s if plan.window_s is not None else max(WINDOW_S, window_s),
        blocks=1,
        drain_s=DRAIN_S,
        sequential_tasks=tasks,
    )


@contextmanager
def servers(plan: GatePlan) -> Iterator[dict[str, Arm]]:
    """All three servers, on the same processors, stopped where they stand."""
    place = side_by_side_here(max(plan.a.pair.workers, plan.b.pair.workers))
    with ExitStack() as stack:
        loads = stack.enter_context(ForkServer(LOAD_PRELOAD, cpus=place.load if place else None))
        start = partial(ForkServer, PRELOAD if plan.catalogue else OWN_PRELOAD, cpus=place.target if place else None)
        forks = {
            v.python: stack.enter_context(start(python=v.python.python, home=v.python.home) if v.python else start())
            for v in (plan.a, plan.b)
        }
        arms: dict[str, Arm] = {}
        postgres = None
        for number, (name, version) in enumerate((("a", plan.a), ("b", plan.b), ("a2", plan.a)), 1):
            if plan.catalogue is not None and (postgres is None or plan.postgres == "embedded"):
                postgres = _postgres(stack, plan, plan.catalogue, forks[version.python], place)
            rig = Rig(
                started_s=time.monotonic(),
                logs=plan.logs,
                targets=forks[version.python],
                loads=loads,
                postgres=postgres,
                load=LoadSource(workers=plan.load_workers),
            )
            trial = TrialPlan(
                id=number,  # a log for each
                pair=version.pair,
                variant=version.variant,
                subject=version.subject,
                block=1,
                seed=plan.seed,
                profile=_profile(plan),
            )
            arms[name] = stack.enter_context(started(name, version.label, rig, trial))
        yield arms


def _postgres(
    stack: ExitStack, plan: GatePlan, catalogue: Path, targets: ForkServer, place: Placement | None
) -> Postgres:
    """Each arm has a server of its own where they are ours to start: one would run out of connections."""
    cpus = place.postgres if place else None
    return stack.enter_context(filled_postgres(plan.postgres, targets, root=catalogue, logs=plan.logs, cpus=cpus))
