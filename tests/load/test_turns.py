"""The load in turns: what is sent belongs to a turn, and between turns nobody sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.driving import LightServer, Row, start_load
from harness.forkserver import Child, ForkServer, Message, send
from harness.record import Workload
from harness.workload import arrivals

pytestmark = pytest.mark.alone
WARMUP_S, WINDOW_S = 0.1, 0.2
OPEN = Workload(model="open", users=20, rate_rps=200.0, arrivals="poisson")
CLOSED = Workload(users=4)


@contextmanager
def in_turns(loads: ForkServer, host: str, workload: Workload, log: Path, **job: Any) -> Iterator[Child]:
    load = start_load(loads, host, workload, log, turns=True, **job)
    try:
        assert heard(load, "sequential_done")[1]["kind"] == "sequential_done"
        yield load
    finally:
        load.stop()


def heard(load: Child, until: str) -> tuple[list[Row], Message]:
    rows: list[Row] = []
    while True:
        message = load.receive(20)
        assert message is not None
        rows += [Row(*row) for row in message.get("rows", [])]
        if message["kind"] in (until, "failed"):
            return rows, message


def turn(load: Child, *, seed: int = 1, stay: bool = True) -> tuple[list[Row], Message]:
    send(load.channel, {"kind": "turn", "warmup_s": WARMUP_S, "window_s": WINDOW_S, "seed": seed, "stay": stay})
    return heard(load, "done")


@pytest.mark.parametrize("stay", [True, False], ids=["users stay", "users come anew"])
def test_each_turn_has_its_own_arrivals_and_ends_with_the_last_answer(
    loads: ForkServer, server: LightServer, log: Path, stay: bool
) -> None:
    with in_turns(loads, server.url, OPEN, log) as load:
        for seed in (1, 2):
            rows, done = turn(load, seed=seed, stay=stay)
            start_s = done["window_start_s"] - WARMUP_S
            schedule = list(arrivals(OPEN, start_s=start_s, end_s=start_s + WARMUP_S + WINDOW_S, seed=seed))
            assert sorted(row.intended_s for row in rows) == pytest.approx(schedule, abs=1e-6)
            assert {row.outcome for row in rows} == {"ok"}
            assert max(row.done_s or 0.0 for row in rows) <= done["end_s"] < start_s + 2
            time.sleep(0.1)


@pytest.mark.parametrize("stay", [True, False], ids=["users stay", "users come anew"])
def test_between_turns_closed_users_wait(loads: ForkServer, server: LightServer, log: Path, stay: bool) -> None:
    with in_turns(loads, server.url, CLOSED, log) as load:
        ends: list[float] = [0.0]
        for seed in (1, 2):
            rows, done = turn(load, seed=seed, stay=stay)
            sent = [row.sent_s for row in rows]
            assert len(rows) > 20
            assert ends[-1] < min(sent)
            assert max(sent) <= done["window_start_s"] + WINDOW_S + 0.1
            ends.append(done["end_s"])
            time.sleep(0.1)


def test_what_is_not_answered_in_time_is_given_up_and_the_next_turn_begins_anew(
    loads: ForkServer, server: LightServer, log: Path
) -> None:
    with in_turns(loads, server.url, OPEN, log, drain_s=0.1) as load:
        turn(load)
        server.stall(0.1, 1.5)
        rows, done = turn(load)
        assert {row.outcome for row in rows} >= {"ok", "unfinished"}
        assert done["end_s"] < done["window_start_s"] + WINDOW_S + 0.1 + 0.5
        time.sleep(1.5)  # the stall ends
        rows, _ = turn(load, seed=3)
        assert {row.outcome for row in rows} == {"ok"}
        assert len(rows) == pytest.approx(OPEN.rate_rps * (WARMUP_S + WINDOW_S), rel=0.5)  # type: ignore[operator]


def test_users_that_do_not_get_over_their_start_are_told_of(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from locust import FastHttpUser, task\n\n\nclass Broken(FastHttpUser):\n"
        "    def on_start(self):\n        raise RuntimeError('no token')\n\n"
        "    @task\n    def ask(self):\n        self.client.get('/')\n"
    )
    with in_turns(loads, server.url, CLOSED, log, locustfile=str(broken)) as load:
        _, last = turn(load)
    assert (last["kind"], "no token" in last["error"]) == ("failed", True)


@pytest.mark.parametrize(("stay", "starts"), [(True, [2, 0, 0]), (False, [2, 2, 2])])
def test_users_start_once_when_they_stay_and_else_in_each_turn(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path, stay: bool, starts: list[int]
) -> None:
    file = tmp_path / "starting.py"
    file.write_text(
        "from locust import FastHttpUser, task\n\n\nclass Starting(FastHttpUser):\n"
        "    def on_start(self):\n        self.client.get('/', name='start')\n\n"
        "    @task\n    def ask(self):\n        self.client.get('/')\n"
    )
    with in_turns(loads, server.url, Workload(users=2), log, locustfile=str(file)) as load:
        seen = [turn(load, seed=seed, stay=stay)[0] for seed in (1, 2, 3)]
    assert [sum(row.name == "start" for row in rows) for rows in seen] == starts
