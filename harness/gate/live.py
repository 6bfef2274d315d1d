"""Runs a gate: three servers up, short turns, and a look after every block from the third on, until the answer is clear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from harness.contention import contention, read_cpu
from harness.driving import LOAD_PRELOAD
from harness.forkserver import ForkServer
from harness.gate.alike import refuse_unlike
from harness.gate.arms import Arm, Pace, Turn, promises_of, started
from harness.gate.decision import LEAST_BLOCKS, decide
from harness.gate.findings import ARMS, Block, Decision, Look, Promise
from harness.gate.gross import gross_changes, rounds_needed
from harness.gate.metrics import Rules
from harness.gate.reading import read_block, read_round
from harness.gate.rotation import rotation
from harness.gate.versions import Version
from harness.placement import side_by_side_here
from harness.record import Placement, Profile
from harness.staging import Postgres, Rig, TrialPlan, filled_postgres
from harness.target.target import OWN_PRELOAD, PRELOAD

END_RESERVE_S = 2.0  # of the budget, to stop the servers
SEQUENTIAL_TASKS = 5
DISTURBED_SHARE = 0.2
OTHERS_CORES = 0.25
TURN_S, WINDOW_S, MOST_WINDOW_S = 0.15, 0.9, 5.0  # of each arm: in a turn, in a block, in a block of a slow app
WARMUP_S, MOST_WARMUP_S = 0.04, 1.0
FIRST_WARMUP_S, FIRST_S = 0.2, 0.5
STAY_S = (
    1.0  # a turn that is longer: a server hangs up on connections that were idle for as long as the others' turns take
)
WANTED_BLOCKS, AROUND_TURN_S = 10, 0.5
DRAIN_S = 0.3

OnLook = Callable[[int, float, Decision], None]  # blocks, fraction of the budget, what is decided so far


@dataclass(frozen=True, kw_only=True)
class GatePlan:
    a: Version
    b: Version
    logs: Path  # a folder for what the processes print
    rules: Rules = field(default_factory=Rules)
    budget_s: float = 120.0
    window_s: float | None = None  # of each arm in a block; None: by how long A takes to answer
    warmup_s: float | None = None  # of each turn
    seed: int = 1
    postgres: str = "embedded"
    catalogue: Path | None = None  # what the databases are filled from; None: the apps have their own
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
        turns, pace = _compare_first(plan, arms, begun_s)
        course = _rotate(plan, arms, turns, pace, begun_s, on_look)
        measured_s = time.monotonic() - ready_s
        for arm in arms.values():
            arm.stop()
        decision = course.decide(plan.rules, promises_of(arms))
    blocks = len(course.blocks)
    warnings = [f"in {course.disturbed} of {blocks} blocks other processes used more than a quarter of a core"]
    return GateResult(
        a=plan.a.label, b=plan.b.label, decision=decision, blocks=tuple(course.blocks), looks=tuple(course.looks),
        wall_s=time.monotonic() - begun_s, measured_s=measured_s, budget_s=plan.budget_s, window_s=turns * pace.window_s, seed=plan.seed,
        warnings=tuple(warnings) if decision.disturbed else (),
    )  # fmt: skip


@dataclass
class _Course:
    """What has been measured so far."""

    blocks: list[Block] = field(default_factory=list)
    rounds: list[Block] = field(default_factory=list)  # the first ones: a turn of each arm
    looks: list[Look] = field(default_factory=list)
    disturbed: int = 0  # blocks in which others were at work

    def decide(self, rules: Rules, promises: Sequence[Promise] = ()) -> Decision:
        often = self.disturbed > DISTURBED_SHARE * len(self.blocks)
        return decide(self.blocks, self.looks, rules, promises, self.rounds, disturbed=often)

    def shows_gross_change(self, turns: Mapping[str, Turn], rules: Rules) -> bool:
        """Whether the first rounds, of which this is the last, show a gross change; no later one is asked."""
        if len(self.rounds) == rounds_needed(rules.alpha):
            return False
        self.rounds.append(read_round(turns))
        return bool(gross_changes(self.rounds, rules))


def _rotate(plan: GatePlan, arms: dict[str, Arm], turns: int, pace: Pace, begun_s: float, on_look: OnLook) -> _Course:
    """Blocks, until it is clear or the time is over."""
    course, orders, numbers = _Course(), rotation(plan.seed), count(1)
    if pace.stay:
        for name in ARMS:  # users come, and open their connections
            arms[name].turn(next(numbers), plan.seed, pace)
    first_s = time.monotonic()
    end_s = begun_s + plan.budget_s - END_RESERVE_S
    for number in count(1):
        before = read_cpu()
        taken: dict[str, list[Turn]] = {name: [] for name in ARMS}
        for seed in range(number * turns, (number + 1) * turns):
            for name in next(orders):
                taken[name].append(arms[name].turn(next(numbers), plan.seed + seed, pace))
            gross = course.shows_gross_change({name: taken[name][-1] for name in ARMS}, plan.rules)
            if gross and plan.stop_early:
                break
        course.blocks.append(read_block(taken))
        course.disturbed += contention(before, read_cpu()).others_cores > OTHERS_CORES
        now_s = time.monotonic()
        over = now_s + (now_s - first_s) / number > end_s
        if number >= LEAST_BLOCKS or over or gross:
            fraction = 1.0 if over else (now_s - first_s) / (end_s - first_s)
            course.looks.append(Look(blocks=number, fraction=fraction))
            decision = course.decide(plan.rules)
            on_look(number, fraction, decision)
            if over or (plan.stop_early and decision.clear):
                return course
    raise AssertionError("the count has no end")


def _compare_first(plan: GatePlan, arms: dict[str, Arm], begun_s: float) -> tuple[int, Pace]:
    """One user asks each server, then comes a turn that does not count: how many turns there are to be in a block, and of what length.

    Raises UsageError where the versions cannot be compared.
    """
    begin = Pace(warmup_s=FIRST_WARMUP_S, window_s=FIRST_S, stay=False)
    first = {name: arm.first(begin) for name, arm in arms.items()}
    refuse_unlike(*((arms[name].label, first[name].alone) for name in ("a", "b")))
    left_s = plan.budget_s - (time.monotonic() - begun_s)
    lingers_s = max(f.lingers_s for f in first.values())
    return _pace(plan, first["a"].response_p50_s or 0.0, lingers_s, left_s / (WANTED_BLOCKS * len(arms)))


def _pace(plan: GatePlan, p50_s: float, lingers_s: float, fitting_s: float) -> tuple[int, Pace]:
    """Turns in which a user gets several answers, after a warm-up that outlasts the first, as far as enough of them fit; and but one in
    a block where a server takes longer than that to get done with what a turn has left it.

    fitting_s: what each arm may take in a block.
    """
    warmup_s = plan.warmup_s if plan.warmup_s is not None else min(MOST_WARMUP_S, max(WARMUP_S, 2 * p50_s))
    wanted_s = min(8 * p50_s, fitting_s - warmup_s - AROUND_TURN_S, MOST_WINDOW_S)
    window_s = plan.window_s if plan.window_s is not None else max(WINDOW_S, wanted_s)
    turns = 1 if lingers_s > window_s else max(1, round(window_s / max(TURN_S, wanted_s)))
    pace = Pace(warmup_s=warmup_s, window_s=window_s / turns, stay=warmup_s + window_s / turns <= STAY_S)
    return turns, pace


def _profile() -> Profile:
    return Profile(
        name="gate",
        warmup_s=0.0,
        window_s=FIRST_S,
        blocks=1,
        drain_s=DRAIN_S,
        sequential_tasks=SEQUENTIAL_TASKS,
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
            )
            trial = TrialPlan(
                id=number,  # a log for each
                pair=version.pair,
                variant=version.variant,
                subject=version.subject,
                block=1,
                seed=plan.seed,
                profile=_profile(),
            )
            arms[name] = stack.enter_context(started(name, version.label, rig, trial))
        yield arms


def _postgres(
    stack: ExitStack, plan: GatePlan, catalogue: Path, targets: ForkServer, place: Placement | None
) -> Postgres:
    """Each arm has a server of its own where they are ours to start: one would run out of connections."""
    cpus = place.postgres if place else None
    return stack.enter_context(filled_postgres(plan.postgres, targets, root=catalogue, logs=plan.logs, cpus=cpus))
