"""How the turns of a gate make up its blocks. No server is started."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

from harness.gate.arms import Arm, Pace, Turn
from harness.gate.findings import ARMS, Block
from harness.gate.gross import rounds_needed
from harness.gate.live import GatePlan, _pace, _rotate
from harness.gate.versions import own_version
from harness.own import OwnApp
from tests.builders import request, window
from tests.test_lifecycle import ROOT

APPS = ROOT / "tests" / "apps"
TURNS = 6


class Steady:
    """An arm whose turns are all alike; tells when it has one."""

    def __init__(self, name: str, told: list[tuple[str, int]], answers: int = 10) -> None:
        self._name = name
        self._told = told
        self._answers = answers

    def turn(self, number: int, seed: int, _: Pace) -> Turn:
        self._told.append((self._name, seed))
        rows = [request(11.0 + 0.1 * n) for n in range(self._answers)]
        return Turn(window=window(rows, trial=number), cpu_s=0.1, answered=self._answers)


def the_plan() -> GatePlan:
    version = own_version(f"{APPS}#counted:app", OwnApp(target="", locustfile=APPS / "locust_counted.py", users=1))
    return GatePlan(a=version, b=version, logs=Path())


def rotated(told: list[tuple[str, int]], *, stay: bool = True, b_answers: int = 10) -> list[Block]:
    """The blocks of a gate over steady arms."""
    arms: dict[str, Any] = {name: Steady(name, told, b_answers if name == "b" else 10) for name in ARMS}
    pace = Pace(warmup_s=0.0, window_s=0.15, stay=stay)
    course = _rotate(the_plan(), cast("dict[str, Arm]", arms), TURNS, pace, time.monotonic(), lambda *_: None)
    return course.blocks


def test_in_a_block_every_arm_is_twice_the_first_in_the_middle_and_the_last_and_all_get_the_same_load() -> None:
    told: list[tuple[str, int]] = []
    blocks = rotated(told)
    rounds = [told[n : n + len(ARMS)] for n in range(0, len(told), len(ARMS))]
    opening, *counted = rounds
    assert [name for name, _ in opening] == list(ARMS), "users come"
    assert all(len({seed for _, seed in one}) == 1 for one in counted)
    assert len(counted) == TURNS * len(blocks)
    for start in range(0, len(counted), TURNS):
        places = zip(*counted[start : start + TURNS], strict=True)
        assert all(sorted(name for name, _ in place) == sorted(2 * ARMS) for place in places)


def test_users_that_come_anew_in_each_turn_have_no_turn_to_come_in() -> None:
    told: list[tuple[str, int]] = []
    blocks = rotated(told, stay=False)
    assert len(told) == len(ARMS) * TURNS * len(blocks)


def test_a_gross_change_ends_a_gate_in_the_middle_of_a_block() -> None:
    told: list[tuple[str, int]] = []
    needed = rounds_needed(the_plan().rules.alpha)
    assert needed % TURNS, "else this shows nothing"
    blocks = rotated(told, stay=False, b_answers=2)
    assert (len(told), len(blocks)) == (len(ARMS) * needed, needed // TURNS + 1)


def test_a_block_is_one_turn_where_a_server_is_busy_with_it_for_longer_than_it_lasts() -> None:
    def turns(p50_s: float, lingers_s: float) -> int:
        return _pace(the_plan(), p50_s, lingers_s, fitting_s=4.0)[0]

    assert [turns(0.005, 0.03), turns(0.005, 2.0), turns(0.1, 0.3)] == [TURNS, 1, 1]
