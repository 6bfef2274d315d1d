"""What a gate decides, on blocks that are made up: nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from harness.gate.decision import LEAST_BLOCKS, decide
from harness.gate.findings import ARMS, Block, Change, Decision, Look, Promise, Reading
from harness.gate.live import _Course
from harness.gate.metrics import METRICS, Rules
from harness.gate.rotation import rotation
from harness.gate.spending import levels

BLOCKS = 24
TYPICAL = {
    "queries_per_request": 2.0, "checkouts_per_request": 1.0, "connects_per_request": 0.0, "tokens_per_request": 0.0,
    "outlived_per_request": 0.0, "failed_share": 0.0, "cpu_s_per_request": 0.001, "goodput_rps": 500.0, "response_p99_s": 0.06,
    "canary_p99_s": 0.01, "response_p50_s": 0.02, "response_p95_s": 0.04, "hold_p50_s": 0.004,
}  # fmt: skip
NOISE = {  # standard deviation of the logarithm of the ratio of two windows
    "cpu_s_per_request": 0.02, "goodput_rps": 0.05, "hold_p50_s": 0.05, "response_p50_s": 0.05,
    "response_p95_s": 0.06, "response_p99_s": 0.2, "canary_p99_s": 0.4,
}  # fmt: skip
STALLS, STALLED = 0.05, 2.0  # of the windows, and how many times as long everything takes in them


def made_up(
    rng: np.random.Generator, *, arms: dict[str, dict[str, float]] | None = None, noise: float = 1.0
) -> list[Block]:
    """Blocks in which each arm's figures are the typical ones, times its own factors, times noise."""
    return [{arm: _reading(rng, (arms or {}).get(arm, {}), noise) for arm in ARMS} for _ in range(BLOCKS)]


def _reading(rng: np.random.Generator, factors: dict[str, float], noise: float) -> Reading:
    stalled = STALLED if noise and rng.random() < STALLS else 1.0

    def moved(name: str) -> float:
        spread = noise * NOISE.get(name, 0.0) / 2**0.5
        slower = stalled if name.endswith("_s") else 1.0
        return factors.get(name, 1.0) * slower * float(np.exp(spread * rng.standard_normal()))

    return {name: value * moved(name) for name, value in TYPICAL.items()}


def looks_at(blocks: Sequence[Block]) -> list[Look]:
    return [Look(blocks=n, fraction=n / len(blocks)) for n in range(LEAST_BLOCKS, len(blocks) + 1)]


def until_clear(blocks: list[Block]) -> tuple[Decision, int]:
    """Peeks after every second block, and stops when the answer is clear."""
    looks = looks_at(blocks)
    for n, look in enumerate(looks, 1):
        decision = decide(blocks[: look.blocks], looks[:n], Rules())
        if decision.clear:
            break
    return decision, look.blocks


def change_of(decision: Decision, name: str) -> Change:
    return next(f.change for f in decision.findings if f.metric.name == name)


def test_peeking_calls_no_more_changes_than_it_says() -> None:
    rng = np.random.default_rng(1)
    ended = [until_clear(made_up(rng))[0] for _ in range(100)]
    assert sum(d.exit_code == 1 for d in ended) <= 2, "0.5 % are allowed, one-sided"
    assert sum(bool(d.differs) for d in ended) <= 4
    assert sum(d.exit_code == 0 for d in ended) >= 88, "most pass"


@pytest.mark.parametrize(
    ("worse", "metric"),
    [
        ({"cpu_s_per_request": 1.05}, "cpu_s_per_request"),
        ({"response_p50_s": 1.1, "goodput_rps": 1 / 1.1}, "response_p50_s"),
        ({"response_p95_s": 1.2}, "response_p95_s"),
        ({"hold_p50_s": 1.4}, "hold_p50_s"),
    ],
)
def test_a_slowdown_is_seen(worse: dict[str, float], metric: str) -> None:
    rng = np.random.default_rng(2)
    ended = [until_clear(made_up(rng, arms={"b": worse}))[0] for _ in range(30)]
    assert sum(d.exit_code == 1 for d in ended) >= 28


def test_one_query_more_is_seen_at_the_first_look_however_loud_it_is() -> None:
    blocks = made_up(np.random.default_rng(3), arms={"b": {"queries_per_request": 1.5}}, noise=20)
    decision, n = until_clear(blocks)
    assert (n, decision.exit_code, change_of(decision, "queries_per_request")) == (LEAST_BLOCKS, 1, Change.REGRESSION)


def test_one_query_less_is_an_improvement_and_passes() -> None:
    decision, _ = until_clear(made_up(np.random.default_rng(4), arms={"b": {"queries_per_request": 0.5}}))
    assert (decision.exit_code, change_of(decision, "queries_per_request")) == (0, Change.IMPROVEMENT)


def test_goodput_is_worse_when_it_falls() -> None:
    rng = np.random.default_rng(5)
    fell, _ = until_clear(made_up(rng, arms={"b": {"goodput_rps": 0.7}}))
    rose, _ = until_clear(made_up(rng, arms={"b": {"goodput_rps": 1.4}}))
    assert (change_of(fell, "goodput_rps"), change_of(rose, "goodput_rps")) == (Change.REGRESSION, Change.IMPROVEMENT)


def test_nothing_passes_when_a_differs_from_a() -> None:
    drifted = {"response_p50_s": 1.4, "goodput_rps": 0.7}
    blocks = made_up(np.random.default_rng(6), arms={"a2": drifted})
    decision = decide(blocks, looks_at(blocks), Rules())
    assert {"response_p50_s", "goodput_rps"} <= set(decision.differs)
    assert decision.exit_code == 3
    worse = made_up(np.random.default_rng(6), arms={"a2": drifted, "b": {"response_p95_s": 3.0}})
    assert decide(worse, looks_at(worse), Rules()).exit_code == 3, "a time that got worse is not believed either"
    counted = made_up(np.random.default_rng(6), arms={"a2": drifted, "b": {"queries_per_request": 2.0}})
    assert decide(counted, looks_at(counted), Rules()).exit_code == 1, "noise cannot move a count"


def test_what_got_worse_while_others_were_at_work_is_not_believed_unless_it_is_a_count() -> None:
    slower = made_up(np.random.default_rng(6), arms={"b": {"response_p50_s": 1.4}})
    alone, beside = (decide(slower, looks_at(slower), Rules(), disturbed=others) for others in (False, True))
    assert (alone.exit_code, alone.doubted) == (1, ())
    assert (beside.exit_code, [f.metric.name for f in beside.doubted], beside.clear) == (3, ["response_p50_s"], False)
    counted = made_up(np.random.default_rng(6), arms={"b": {"queries_per_request": 2.0, "response_p50_s": 1.4}})
    assert decide(counted, looks_at(counted), Rules(), disturbed=True).exit_code == 1
    same = made_up(np.random.default_rng(6))
    assert decide(same, looks_at(same), Rules(), disturbed=True).exit_code == 0, "what is alike all the same passes"


@pytest.mark.parametrize(("disturbed", "code"), [(4, 1), (5, 3)])
def test_a_gate_is_disturbed_when_more_than_a_fifth_of_its_blocks_were(disturbed: int, code: int) -> None:
    blocks = made_up(np.random.default_rng(6), arms={"b": {"response_p50_s": 1.4}})
    course = _Course(blocks=blocks, looks=looks_at(blocks), disturbed=disturbed)
    assert course.decide(Rules()).exit_code == code


def test_too_much_noise_is_inconclusive_and_says_what_it_could_have_seen() -> None:
    blocks = made_up(np.random.default_rng(7), noise=8)
    decision = decide(blocks, looks_at(blocks), Rules())
    p50 = next(f for f in decision.findings if f.metric.name == "response_p50_s")
    assert (decision.exit_code, p50.change) == (3, Change.INCONCLUSIVE)
    assert p50.detectable is not None
    assert p50.detectable > 0.15


def test_a_figure_that_is_not_measured_is_named_and_not_judged() -> None:
    whole = made_up(np.random.default_rng(8))
    blocks = [{arm: {**reading, "cpu_s_per_request": None} for arm, reading in block.items()} for block in whole]
    decision = decide(blocks, looks_at(blocks), Rules())
    assert decision.unmeasured == {
        "cpu_s_per_request": "0 of 24 blocks have this figure for every arm, and 3 are needed",
    }
    assert not {f.metric.name for f in decision.findings} & set(decision.unmeasured)


def test_without_any_measured_block_nothing_is_concluded() -> None:
    assert decide([], [Look(blocks=0, fraction=1.0)], Rules()).exit_code == 3


@settings(max_examples=20)
@given(st.permutations(range(BLOCKS)), st.integers(2, 50))
def test_neither_the_order_of_blocks_nor_the_unit_changes_a_finding(order: list[int], unit: int) -> None:
    blocks = made_up(np.random.default_rng(9), arms={"b": {"response_p50_s": 1.06}})
    turned = [
        {arm: {**r, "response_p50_s": unit * (r["response_p50_s"] or 0.0)} for arm, r in blocks[i].items()}
        for i in order
    ]
    for one, other in zip(
        decide(blocks, looks_at(blocks), Rules()).findings,
        decide(turned, looks_at(blocks), Rules()).findings,
        strict=True,
    ):
        assert one.change is other.change
        assert (one.ratio or 0.0) == pytest.approx(other.ratio or 0.0, rel=1e-4)


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from(list(NOISE)), st.floats(0.5, 2.0)))
def test_swapping_the_versions_turns_regressions_into_improvements(factors: dict[str, float]) -> None:
    there = made_up(np.random.default_rng(10), arms={"b": factors}, noise=0)
    back = made_up(np.random.default_rng(10), arms={"b": {k: 1 / v for k, v in factors.items()}}, noise=0)
    opposite = {Change.REGRESSION: Change.IMPROVEMENT, Change.IMPROVEMENT: Change.REGRESSION}
    for one, other in zip(
        decide(there, looks_at(there), Rules()).findings, decide(back, looks_at(back), Rules()).findings, strict=True
    ):
        assert (
            other.change == opposite.get(one.change, one.change) or abs(np.log(one.ratio or 1)) < 2 * one.metric.margin
        )


@pytest.mark.parametrize(
    ("lost", "change"),
    [
        ((0, 0, 0), Change.EQUIVALENT),
        ((0, 3, 0), Change.REGRESSION),
        ((2, 0, 1), Change.IMPROVEMENT),
        ((2, 2, 2), Change.INCONCLUSIVE),
    ],
)
def test_a_promise_is_kept_or_it_is_not(lost: tuple[int, int, int], change: Change) -> None:
    promise = Promise(
        name="rows", promised=dict.fromkeys(ARMS, 10), kept={arm: 10 - n for arm, n in zip(ARMS, lost, strict=True)}
    )
    assert promise.change is change


def test_rows_that_must_not_be_are_a_regression() -> None:
    promise = Promise(name="rows", promised=dict.fromkeys(ARMS, 0), kept={"a": 0, "b": 3, "a2": 0}, zero=True)
    assert (promise.change, promise.lost("b")) == (Change.REGRESSION, 3)


@pytest.mark.parametrize("fractions", [(0.25, 0.5, 0.75, 1.0), (0.1, 0.15, 0.9, 1.0)])
def test_the_levels_spend_the_error_rate_and_no_more(fractions: tuple[float, ...]) -> None:
    counts = (6, 12, 18, 24)
    z = np.random.default_rng(11).standard_normal((100_000, 24)).cumsum(axis=1)[:, [n - 1 for n in counts]] / np.sqrt(
        counts
    )
    bounds = -ndtri(np.array(levels(counts, fractions, 0.05)) / 2)
    assert (np.abs(z) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.003)


def test_a_look_after_every_block_spends_no_more_either() -> None:
    counts = tuple(range(LEAST_BLOCKS, 31))
    walks = np.random.default_rng(12).standard_normal((100_000, 30)).cumsum(axis=1)[:, [n - 1 for n in counts]]
    bounds = -ndtri(np.array(levels(counts, tuple(n / 30 for n in counts), 0.05)) / 2)
    assert (np.abs(walks / np.sqrt(counts)) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.003)


def test_one_look_is_a_plain_test() -> None:
    assert levels((20,), (1.0,), 0.01)[0] == pytest.approx(0.01)


def test_every_two_rounds_mirror_each_other_and_in_six_every_arm_has_every_place_twice() -> None:
    order = rotation(seed=3)
    rounds = [next(order) for _ in range(42)]
    assert all(one == other[::-1] for one, other in zip(rounds[::2], rounds[1::2], strict=True))
    for start in range(0, len(rounds), 6):
        places = zip(*rounds[start : start + 6], strict=True)
        assert all(sorted(place) == sorted(2 * ARMS) for place in places)
    assert len(set(rounds)) == 6, "all orders come up"


def test_every_metric_is_a_figure_of_the_made_up_blocks() -> None:
    assert set(TYPICAL) == {m.name for m in METRICS}
