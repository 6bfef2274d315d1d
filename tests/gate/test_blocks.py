"""How the turns of a gate make up its blocks. No server is started."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

from harness.gate.arms import Arm, Pace, Turn
from harness.gate.findings import ARMS
from harness.gate.live import GatePlan, _rotate
from harness.gate.versions import own_version
from harness.own import OwnApp
from tests.builders import request, window
from tests.test_lifecycle import ROOT

APPS = ROOT / "tests" / "apps"
TURNS = 6


class Steady:
    """An arm whose turns are all alike; tells when it has one."""

    def __init__(self, name: str, told: list[tuple[str, int]]) -> None:
        self._name = name
        self._told = told

    def turn(self, number: int, seed: int, _: Pace) -> Turn:
        self._told.append((self._name, seed))
        return Turn(window=window([request(11.0 + 0.1 * n) for n in range(10)], trial=number), cpu_s=0.1, answered=10)


def test_in_a_block_every_arm_is_twice_the_first_in_the_middle_and_the_last_and_all_get_the_same_load() -> None:
    version = own_version(f"{APPS}#counted:app", OwnApp(target="", locustfile=APPS / "locust_counted.py", users=1))
    told: list[tuple[str, int]] = []
    arms: dict[str, Any] = {name: Steady(name, told) for name in ARMS}
    pace = Pace(warmup_s=0.0, window_s=0.15, stay=True)
    plan = GatePlan(a=version, b=version, logs=Path())
    blocks, _, _ = _rotate(plan, cast("dict[str, Arm]", arms), TURNS, pace, time.monotonic(), lambda *_: None)
    rounds = [told[n : n + len(ARMS)] for n in range(0, len(told), len(ARMS))]
    opening, *counted = rounds
    assert [name for name, _ in opening] == list(ARMS), "users come"
    assert all(len({seed for _, seed in one}) == 1 for one in counted)
    assert len(counted) == TURNS * len(blocks)
    for start in range(0, len(counted), TURNS):
        places = zip(*counted[start : start + TURNS], strict=True)
        assert all(sorted(name for name, _ in place) == sorted(2 * ARMS) for place in places)
