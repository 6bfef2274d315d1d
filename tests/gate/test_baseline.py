"""What a baseline of pairs notices, and what it forgives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.gate.against import PAIRS
from harness.gate.baseline import Baseline, PairFacts, VariantFacts, compare, load_baseline, save_baseline

ROOT = Path(__file__).resolve().parents[2]
FIXED = VariantFacts(counts={"queries_per_request": 3.0, "connects_per_request": 0.2}, causes=())
BUGGY = VariantFacts(
    counts={"queries_per_request": 99.0, "connects_per_request": 0.2}, causes=("connection_leaked",), lost=("orders",)
)
FACTS = PairFacts(goodput_ratio=8.0, met=("a leak shows",), variants={"buggy": BUGGY, "fixed": FIXED})


def baseline(facts: PairFacts) -> Baseline:
    return Baseline(system="Linux x86_64", cores=2, pairs={"pair": facts})


def changed(facts: dict[str, object], *, ratios: bool = True) -> list[str]:
    now = replace(FACTS, **facts)  # type: ignore[arg-type]
    return [f"{b.variant} {b.what}" for b in compare(baseline(FACTS), baseline(now), ratios=ratios)]


def test_nothing_changed() -> None:
    assert changed({}) == []
    nearly = replace(FIXED, counts={"queries_per_request": 3.1, "connects_per_request": 0.4})
    assert changed({"variants": {"buggy": BUGGY, "fixed": nearly}, "goodput_ratio": 5.0}) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"variants": {"buggy": replace(BUGGY, causes=()), "fixed": FIXED}}, "buggy no longer shows its bug: connection_leaked"),
        ({"variants": {"buggy": BUGGY, "fixed": replace(FIXED, causes=("loop_blocked",))}}, "fixed has a bug that it had not: loop_blocked"),
        ({"variants": {"buggy": BUGGY, "fixed": replace(FIXED, counts={"queries_per_request": 4.0})}}, "queries_per_request was 3 and is 4"),
        ({"variants": {"buggy": replace(BUGGY, lost=()), "fixed": FIXED}}, "lost orders, and now loses nothing"),
        ({"variants": {"buggy": BUGGY}}, "fixed was not measured"),
        ({"met": ()}, "no longer holds: a leak shows"),
        ({"goodput_ratio": 3.0}, "goodput of fixed over buggy was 8 and is 3.0"),
        ({"goodput_ratio": None}, "goodput of fixed over buggy was 8 and is None"),
    ],
)  # fmt: skip
def test_what_changed_is_said(facts: dict[str, object], words: str) -> None:
    found = changed(facts)
    assert any(words in sentence for sentence in found), found


@pytest.mark.parametrize(("was", "is_now", "told"), [(0.18, 0.22, False), (0.18, 0.24, True), (0.0, 0.03, True)])
def test_how_much_leaks_may_move_a_little_where_something_leaked_before(was: float, is_now: float, told: bool) -> None:
    then, now = (
        replace(FACTS, variants={"buggy": replace(BUGGY, counts={"outlived_per_request": n})}) for n in (was, is_now)
    )
    assert bool(compare(baseline(then), baseline(now), ratios=True)) is told


def test_ratios_are_not_compared_with_another_machine() -> None:
    assert changed({"goodput_ratio": 3.0}, ratios=False) == []


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    save_baseline(tmp_path / "b.json", baseline(FACTS))
    assert load_baseline(tmp_path / "b.json") == baseline(FACTS)


def test_the_committed_baseline_can_be_used_and_shows_the_bugs() -> None:
    committed = load_baseline(ROOT / "reports/baseline.json")
    assert set(committed.pairs) == set(PAIRS)
    for pair, facts in committed.pairs.items():
        fixed, buggy = facts.variants["fixed"], facts.variants["buggy"]
        assert fixed.causes == () == fixed.lost, pair
        assert (buggy.causes, buggy.lost, buggy.counts) != (fixed.causes, fixed.lost, fixed.counts), pair
