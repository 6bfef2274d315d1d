"""The turns of a block are pooled by their rows; what the processor did is what was read around the turns."""

from __future__ import annotations

import pytest

from harness.gate.arms import Turn
from harness.gate.findings import ARMS
from harness.gate.reading import read_block
from tests.builders import request, window


def turn(trial: int, took_s: float, cpu_s: float = 0.6) -> Turn:
    rows = [request(11.0 + 0.1 * n, took_s, queries=2) for n in range(10)]
    return Turn(window=window(rows, trial=trial), cpu_s=cpu_s, answered=12)


def test_the_turns_of_an_arm_are_one_reading() -> None:
    block = read_block({arm: [turn(1, 0.1, 0.6), turn(2, 0.3, 1.8)] for arm in ARMS})
    reading = block["b"]
    length_s = 2 * turn(1, 0.1, 0.6).window.length_s
    assert reading["cpu_s_per_request"] == pytest.approx((0.6 * 1.8) ** 0.5 / 12)
    assert reading["goodput_rps"] == pytest.approx(20.5 / length_s)
    assert (reading["response_p50_s"], reading["response_p95_s"]) == pytest.approx((0.1, 0.3))
    assert reading["queries_per_request"] == 2.0
    assert reading["response_p99_s"] is None, "of twenty requests nobody can say"


def test_of_six_turns_the_one_that_a_stall_has_hit_moves_neither_the_tail_nor_the_processor() -> None:
    even = [turn(n, 0.1 + 0.001 * n, 0.6) for n in range(6)]
    for hit in range(6):
        stalled = [turn(n, 5.0, 2.0) if n == hit else t for n, t in enumerate(even)]
        block = read_block({"a": even, "b": stalled, "a2": even})
        assert block["b"]["cpu_s_per_request"] == pytest.approx(0.6 / 12)
        assert block["b"]["response_p95_s"] == pytest.approx(block["a"]["response_p95_s"], abs=0.0011)


def test_what_hits_all_arms_at_once_is_held_apart_from_what_hits_one() -> None:
    drift = [1.0, 1.3, 0.7, 2.0, 1.1, 0.9]
    hit = [1.0, 1.0, 2.5, 1.0, 1.0, 1.0]  # B, in a turn in which the machine is fast: by itself it stands out at no end
    arms = {
        arm: [
            turn(n, 0.1, 0.6 * now * (1.05 * then if arm == "b" else 1))
            for n, (now, then) in enumerate(zip(drift, hit, strict=True))
        ]
        for arm in ARMS
    }
    block = read_block(arms)
    a, b = (block[arm]["cpu_s_per_request"] for arm in ("a", "b"))
    assert a and b
    assert b / a == pytest.approx(1.05)


def test_no_answer_in_any_turn_says_nothing_of_the_processor() -> None:
    silent = [Turn(window=turn(1, 0.1).window, cpu_s=0.1, answered=0)]
    block = read_block(dict.fromkeys(ARMS, silent))
    assert block["a"]["cpu_s_per_request"] is None
