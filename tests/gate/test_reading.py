"""The turns of a block are pooled by their rows; what the processor did is what was read around the turns."""

from __future__ import annotations

import pytest

from harness.gate.arms import Turn
from harness.gate.findings import ARMS
from harness.gate.reading import read_block
from tests.builders import request, window


def turn(trial: int, took_s: float, cpu_s: float) -> Turn:
    rows = [request(11.0 + 0.1 * n, took_s, queries=2) for n in range(10)]
    return Turn(window=window(rows, trial=trial), cpu_s=cpu_s, answered=12)


def test_the_turns_of_an_arm_are_one_reading() -> None:
    block = read_block({arm: [turn(1, 0.1, 0.6), turn(2, 0.3, 1.8)] for arm in ARMS})
    reading = block["b"]
    length_s = 2 * turn(1, 0.1, 0.6).window.length_s
    assert reading["cpu_s_per_request"] == pytest.approx((0.6 + 1.8) / 24)
    assert reading["goodput_rps"] == pytest.approx(20.5 / length_s)
    assert (reading["response_p50_s"], reading["response_p95_s"]) == pytest.approx((0.1, 0.3))
    assert reading["queries_per_request"] == 2.0
    assert reading["response_p99_s"] is None, "of twenty requests nobody can say"
