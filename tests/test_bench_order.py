"""What a bench runs, and in which order: the plan, invalid trials once more, and more blocks where likeness is open. No server is started."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness import bench
from harness.record import PROFILES, Expectation, Pair, Trial
from harness.relay import Relay
from harness.staging import Subject, TrialPlan
from harness.trial import TrialData
from tests import builders

ALIKE = Expectation(
    that="both cost as much", metric="cpu_s_per_request", variant="buggy", over="fixed", equivalent_within=0.15
)
Cost = Callable[[TrialPlan], float]


class Silent:
    """Progress that nobody looks at."""

    def step(self, index: int, name: str) -> None: ...

    def finished(self, index: int, figures: object, invalid: tuple[str, ...]) -> None: ...


def trials_of(
    monkeypatch: pytest.MonkeyPatch, out: Path, pairs: list[Pair], cost: Cost, invalid: frozenset[int] = frozenset()
) -> tuple[Trial, ...]:
    """The trials of a bench in which a trial costs so much, and those with these ids are invalid."""

    def run(relay: Relay, plan: TrialPlan, _: object) -> TrialData:
        reasons = ("a reason",) if plan.id in invalid else ()
        trial = builders.trial(
            plan.id, plan.variant, plan.block, invalid=reasons, repeats=plan.repeats, cpu_s_per_request=cost(plan)
        )
        return TrialData(trial=trial, window=builders.window(trial=plan.id))  # fmt: skip

    monkeypatch.setattr(Relay, "run", run)
    monkeypatch.setattr(bench, "_rig", lambda *_: nullcontext())
    monkeypatch.setattr(bench, "machine_warnings", lambda _: ())
    subject = Subject(target="shop:app", app_dir=out, locustfile=out / "load.py")
    plan = bench.BenchPlan(
        pairs=pairs, subjects={(p.name, v): subject for p in pairs for v in p.variants}, profile=PROFILES["quick"], postgres=None,
        catalogue=None, out=out, seed=1, command="harness",
    )  # fmt: skip
    progress: Any = lambda _: nullcontext(Silent())  # noqa: E731
    ended = bench.run_bench(plan, progress)
    assert ended.error is None
    return ended.run.trials


def test_blocks_are_mirrored_and_numbered_as_they_are_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trials = trials_of(monkeypatch, tmp_path, [builders.pair()], lambda _: 1.0)
    assert [(t.id, t.variant, t.block) for t in trials] == [
        (1, "buggy", 1),
        (2, "fixed", 1),
        (3, "fixed", 2),
        (4, "buggy", 2),
    ]


def test_an_invalid_trial_is_run_once_more_and_then_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trials = trials_of(monkeypatch, tmp_path, [builders.pair()], lambda _: 1.0, frozenset({2, 5}))
    assert [(t.id, t.variant, t.repeats) for t in trials] == [
        (1, "buggy", None),
        (2, "fixed", None),
        (5, "fixed", 2),
        (3, "fixed", None),
        (4, "buggy", None),
    ]


def test_no_two_trials_have_one_number_however_many_are_added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blocks that are added and trials that are repeated come in any order."""

    def cost(plan: TrialPlan) -> float:
        return 1.6 if plan.variant == "buggy" and plan.block % 2 else 1.0

    trials = trials_of(monkeypatch, tmp_path, [builders.pair(ALIKE)], cost, frozenset({1, 6, 8}))
    ids = [trial.id for trial in trials]
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == list(range(1, len(ids) + 1))
    assert max(trial.block for trial in trials) == 8, "six blocks more than two"
    valid = [(t.variant, t.block) for t in trials if not t.invalid]
    assert sorted(valid) == sorted((v, b) for v in ("buggy", "fixed") for b in range(1, 9))


def test_blocks_are_added_without_the_variants_that_nothing_is_open_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pair = builders.pair(ALIKE, variants=[builders.variant(name) for name in ("buggy", "partial", "fixed")])
    trials = trials_of(monkeypatch, tmp_path, [pair], lambda p: 1.6 if p.variant == "buggy" and p.block % 2 else 1.0)
    assert [t.variant for t in trials if t.block == 3] == ["buggy", "fixed"]
    assert [t.variant for t in trials if t.block == 4] == ["fixed", "buggy"]
