"""Every pair of the catalogue, for real but briefly: what can be said of it without measuring its effect."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalog import load_pair, pair_names
from harness.record import Pair, Profile, Workload
from harness.staging import Rig, Subject, TrialPlan
from harness.trial import run_trial

ROOT = Path(__file__).resolve().parent.parent
# The sequential check, and next to no load.
BRIEF = Profile(name="brief", warmup_s=0.0, window_s=0.01, blocks=1, drain_s=0.3, sequential_tasks=4)
SHORT_S = 0.05  # in place of the settings that are there to make requests last
SCREEN_LINES = 60


@pytest.fixture(params=pair_names(ROOT))
def pair(request: pytest.FixtureRequest) -> Pair:
    return load_pair(ROOT, request.param)


def test_one_user_sees_of_a_pair_what_it_says(catalogue_rig: Rig, pair: Pair) -> None:
    answers = {}
    brief = replace(pair, settings=shortened(pair.settings), workload=Workload(users=1))
    for n, variant in enumerate(pair.variants):
        app = f"target_apps.{pair.name}.{variant}:app"
        subject = Subject(target=app, app_dir=ROOT, locustfile=ROOT / pair.scenario)
        plan = TrialPlan(id=n, pair=brief, variant=variant, subject=subject, block=1, seed=n, profile=BRIEF)
        trial = run_trial(catalogue_rig, plan).trial
        assert sum(trial.outcomes.values()) == trial.planned > 0, trial.invalid
        if variant == "fixed":
            assert not trial.figures.promises_lost
            assert all(result.promised or result.zero or pair.theme == "services" for result in trial.invariants)
        answers[variant] = trial.sequential
    assert len(answers["fixed"]) >= 4
    assert all(200 <= answer.status < 300 for answer in answers["fixed"])
    assert (set(answers.values()) == {answers["fixed"]}) == (pair.shows_alone is None)


def shortened(settings: dict[str, float]) -> dict[str, float]:
    """Settings with which requests are over soon; what gives up after a time still does so after that time."""
    lasting = [name for name in settings if name.endswith("_s") and "timeout" not in name]
    return settings | {name: min(settings[name], SHORT_S) for name in lasting}


def test_variants_differ_in_little_more_than_the_lesson(pair: Pair) -> None:
    if pair.theme == "services":
        pytest.skip("a whole service is written anew: what its variants share is held by a test of its own")
    fixed = pair.variants["fixed"].source.splitlines()
    for name, variant in pair.variants.items():
        changed = [line for line in difflib.unified_diff(variant.source.splitlines(), fixed, n=1) if line[:1] in "+-"]
        assert len(changed) <= SCREEN_LINES, name
        assert bool(changed) == (name != "fixed")


def test_the_lesson_is_told_in_three_sentences(pair: Pair) -> None:
    assert len([s for s in pair.lesson.replace("e.g.", "").split(". ") if s.strip()]) == 3
    assert pair.question.endswith("?")
