"""Changes so gross that a few rounds of turns show them, from made-up rounds."""

from __future__ import annotations

import numpy as np
import pytest

from harness.gate.decision import decide
from harness.gate.findings import ARMS, Block, Change, Look
from harness.gate.gross import SEEN_IN, SHARE, gross_changes, rounds_needed
from harness.gate.metrics import Rules

NEEDED = rounds_needed(Rules().alpha)


def rounds(b: float = 1.0, *, count: int = NEEDED, spread: float = 0.1, seed: int = 1) -> list[Block]:
    """B answers so many times as much as A, in a turn that may be faster or slower."""
    rng = np.random.default_rng(seed)
    speeds = {"a": 1.0, "b": b, "a2": 1.0}
    made: list[Block] = []
    for _ in range(count):
        drawn = {arm: speed * float(np.exp(spread * rng.standard_normal())) for arm, speed in speeds.items()}
        made.append({arm: {"goodput_rps": 200 * s, "response_p50_s": 0.01 / s} for arm, s in drawn.items()})
    return made


@pytest.mark.parametrize("alpha", [0.2, 0.01, 1e-4])
def test_all_that_is_seen_takes_no_more_than_its_share_of_the_error_rate(alpha: float) -> None:
    chance = len(SEEN_IN) * len(ARMS) ** -rounds_needed(alpha)
    assert chance <= SHARE * alpha < len(ARMS) * chance, "and no round more is asked for"


def test_of_turns_that_are_alike_however_unlike_none_is_a_gross_change() -> None:
    assert not any(gross_changes(rounds(spread=3.0, seed=seed), Rules()) for seed in range(300))


def test_what_is_more_than_twice_as_bad_in_every_round_is_a_regression() -> None:
    found = gross_changes(rounds(0.2), Rules())
    assert set(found) == set(SEEN_IN)
    finding, control = found["goodput_rps"]
    assert (finding.change, control.change) == (Change.REGRESSION, Change.INCONCLUSIVE)
    assert finding.ratio == pytest.approx(0.2, rel=0.2)
    assert finding.low is not None and finding.high is not None and finding.low < 0.2 < finding.high


@pytest.mark.parametrize("b", [0.6, 1.0, 5.0])
def test_less_than_that_and_what_is_better_is_left_to_the_blocks(b: float) -> None:
    assert gross_changes(rounds(b), Rules()) == {}


def test_one_round_that_says_otherwise_or_a_round_too_few_is_enough_to_say_nothing() -> None:
    assert gross_changes([*rounds(0.2, count=NEEDED - 1), *rounds(1.0, count=1)], Rules()) == {}
    assert gross_changes(rounds(0.2, count=NEEDED - 1), Rules()) == {}


def test_only_the_first_rounds_are_asked_and_once() -> None:
    assert gross_changes([*rounds(1.0), *rounds(0.2, count=100)], Rules()) == {}


def test_a_gross_change_decides_a_gate_that_has_no_blocks_enough() -> None:
    decision = decide([], [Look(blocks=1, fraction=0.1)], Rules(), rounds=rounds(0.2))
    assert (decision.exit_code, decision.clear) == (1, True)
    beside = decide([], [Look(blocks=1, fraction=0.1)], Rules(), rounds=rounds(0.2), disturbed=True)
    assert (beside.exit_code, beside.doubted) == (1, ()), "nor do others who are at work make it"
    assert [f.metric.name for f in decision.findings] == list(SEEN_IN)
    assert "cpu_s_per_request" in decision.unmeasured


def test_a_metric_that_is_not_decided_on_is_not_seen() -> None:
    rules = Rules(metrics=tuple(m for m in Rules().metrics if m.name == "cpu_s_per_request"))
    assert gross_changes(rounds(0.2), rules) == {}
