"""Runs a gate: three servers up, windows in turn, a look after every second block, until the answer is clear or the time is up."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

from harness.errors import UsageError
from harness.forkserver import ForkServer
from harness.gate.arms import Arm, promises_of, started
from harness.gate.decision import FIRST_LOOK, Block, Decision, Look, decide
from harness.gate.metrics import Rules
from harness.gate.reading import read_block
from harness.gate.rotation import rotation
from harness.gate.versions import Version
from harness.postgres.databases import Databases
from harness.postgres.server import start_postgres
from harness.record import Profile
from harness.target.seeding import seed as fill
from harness.target.target import OWN_PRELOAD, PRELOAD
from harness.trial import Postgres, Rig, TrialPlan

EVERY = 2  # blocks between looks: a mirrored pair
END_RESERVE_S = 2.0  # of the budget, to stop the servers
SEQUENTIAL_TASKS = 5
DISTURBED_SHARE = 0.2

OnLook = Callable[[int, float, Decision], None]  # blocks, fraction of the budget, what is decided so far


@dataclass(frozen=True, kw_only=True)
class GatePlan:
    a: Version
    b: Version
    rules: Rules = field(default_factory=Rules)
    budget_s: float = 120.0
    window_s: float = 1.0
    warmup_s: float = 0.25
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
    budget_s: float
    window_s: float
    seed: int
    warnings: tuple[str, ...] = ()


def run_gate(plan: GatePlan, on_look: OnLook = lambda *_: None) -> GateResult:
    """Measures and decides; leaves nothing behind.

    Raises UsageError when the versions cannot be compared, TargetError when one does not start or ends under way, SetupError when
    Postgres fails.
    """
    begun_s = time.monotonic()
    with _arms(plan) as arms:
        _compare_first(plan, arms)
        blocks, looks = _rotate(plan, arms, begun_s, on_look)
        for arm in arms.values():
            arm.stop()
        decision = decide(blocks, looks, plan.rules, promises_of(arms))
    windows = len(blocks) * len(arms)
    disturbed = sum(arm.disturbed for arm in arms.values())
    warnings = [] if disturbed <= DISTURBED_SHARE * windows else [f"in {disturbed} of {windows} windows other processes used more than a quarter of a core"]
    return GateResult(
        a=plan.a.label, b=plan.b.label, decision=decision, blocks=tuple(blocks), looks=tuple(looks),
        wall_s=time.monotonic() - begun_s, budget_s=plan.budget_s, window_s=plan.window_s, seed=plan.seed, warnings=tuple(warnings),
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


def _compare_first(plan: GatePlan, arms: dict[str, Arm]) -> None:
    """One user asks both versions. Raises UsageError where they cannot be compared."""
    profile = replace(_profile(plan), sequential_tasks=SEQUENTIAL_TASKS)
    found = {name: arm.first(profile) for name, arm in arms.items()}
    for name in ("a", "b"):
        other = "b" if name == "a" else "a"
        (answers, failed), (others, others_failed) = found[name], found[other]
        absent = {a.name for a in answers if a.status in (404, 405)} - {o.name for o in others if o.status in (404, 405)}
        if absent:
            raise UsageError(
                f"{arms[name].label} has not the routes of {arms[other].label}: {min(absent)} is not there; gate with a scenario whose routes both serve"
            )
        if failed:
            where = "with both versions" if others_failed else f"with {arms[name].label} alone"
            raise UsageError(f"the scenario fails {where}, already for one user: {failed[0]}; mend that first")
    if not found["a"][0]:
        raise UsageError("the scenario sends no request: one user alone made none")


def _profile(plan: GatePlan) -> Profile:
    return Profile(
        name="gate", warmup_s=plan.warmup_s, window_s=plan.window_s, blocks=1, drain_s=0.3, sequential_tasks=0
    )


@contextmanager
def _arms(plan: GatePlan) -> Iterator[dict[str, Arm]]:
    """All three servers, stopped where they stand."""
    token = secrets.token_hex(4)
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-gate-")))
        logs.chmod(0o755)
        loads = stack.enter_context(ForkServer(("harness.load.main",)))
        preload = PRELOAD if plan.catalogue else OWN_PRELOAD
        forks = {
            v.python: stack.enter_context(
                ForkServer(preload, python=v.python.python, home=v.python.home) if v.python else ForkServer(preload)
            )
            for v in (plan.a, plan.b)
        }
        postgres = None
        if plan.catalogue is not None:
            server = stack.enter_context(start_postgres(plan.postgres, run_token=token))
            postgres = Postgres(databases=Databases(server.url, run_token=token), admin_url=server.url)
            targets = forks[plan.a.python]
            postgres.databases.create_template(partial(fill, targets, root=plan.catalogue, log=logs / "seed.log"))
        arms = {}
        for name, version in (("a", plan.a), ("b", plan.b), ("a2", plan.a)):
            rig = Rig(
                started_s=time.monotonic(), logs=logs, targets=forks[version.python], loads=loads, postgres=postgres,
                load_workers=plan.load_workers,
            )  # fmt: skip
            trial = TrialPlan(
                id=1, pair=version.pair, variant=version.variant, subject=version.subject, block=1, seed=plan.seed, profile=_profile(plan)
            )
            arms[name] = stack.enter_context(started(name, version.label, rig, trial))
        yield arms
