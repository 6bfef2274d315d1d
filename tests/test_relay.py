"""Trials one after the other: the next one's database and app are there when the last one's measure has been taken."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.catalog import load_pair
from harness.errors import TargetError, UsageError
from harness.forkserver import ForkServer
from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer
from harness.record import Profile, Workload
from harness.relay import Relay
from harness.staging import Postgres, Rig, Subject, TrialPlan
from harness.target.target import PRELOAD
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
BRIEF = Profile(name="brief", warmup_s=0.0, window_s=0.05, blocks=1, drain_s=0.1, sequential_tasks=1)


@pytest.fixture
def rig(embedded_server: PostgresServer, tmp_path: Path) -> Iterator[Rig]:
    databases = Databases(embedded_server.url, run_token=secrets.token_hex(4))
    with ForkServer(PRELOAD) as targets, ForkServer(["harness.load.main"]) as loads:
        databases.create_template(lambda url: None)
        postgres = Postgres(databases=databases, server=embedded_server)
        yield Rig(started_s=time.monotonic(), logs=tmp_path, targets=targets, loads=loads, postgres=postgres)
    databases.drop_all()


def plan(number: int, target: str = "target_apps.mutable_default.fixed:app") -> TrialPlan:
    pair = replace(load_pair(ROOT, "mutable_default"), workload=Workload(users=1))
    subject = Subject(target=target, app_dir=ROOT, locustfile=ROOT / pair.scenario)
    return TrialPlan(id=number, pair=pair, variant="fixed", subject=subject, block=1, seed=1, profile=BRIEF)


def log_of(rig: Rig, trial: TrialPlan) -> Path:
    return rig.logs / f"{trial.id:03d}-mutable_default-fixed-1.log"


def clones(server: PostgresServer) -> int:
    with psycopg.connect(server.url) as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname LIKE 'harness_%mutable_default%'"
        (count,) = connection.execute(query).fetchone() or (0,)
    return int(count)


def test_each_trial_is_run_once_and_what_is_added_comes_behind_the_stage_that_is_set(
    rig: Rig, embedded_server: PostgresServer
) -> None:
    order = []
    with Relay(rig, enumerate([plan(1), plan(2), plan(3)])) as relay:
        for index, trial in relay:
            data = relay.run(trial, lambda _: None)
            order.append((index, data.trial.id))
            assert data.trial.outcomes["ok"] == data.trial.planned
            if trial.id == 1:
                relay.add(index, plan(8), plan(9))
    assert order == [(0, 1), (1, 2), (0, 8), (0, 9), (2, 3)]
    assert clones(embedded_server) == 0


def test_the_next_trial_has_had_its_sequential_check_when_its_turn_comes_and_no_load(rig: Rig) -> None:
    with Relay(rig, enumerate([plan(1), plan(2)])) as relay:
        trials = iter(relay)
        relay.run(next(trials)[1], lambda _: None)
        _, second = next(trials)
        steps: list[str] = []
        told_s: list[float] = []
        wait_until(lambda: log_of(rig, second).is_file(), "the next trial's stage is set")
        due_s = time.monotonic()

        def told(step: str) -> None:
            steps.append(step)
            told_s.append(time.monotonic())

        data = relay.run(second, told)
    assert steps[:4] == ["start", "sequential check", "warm-up", "window"]
    assert data.trial.sequential, "one user has asked"
    assert data.trial.started_s + rig.started_s < due_s, "its stage was set before"
    assert data.window.start_s + data.trial.started_s + rig.started_s >= told_s[2], "its load waited for its turn"


def test_a_locust_file_that_cannot_be_used_is_told_of_when_its_turn_comes(rig: Rig, tmp_path: Path) -> None:
    broken = tmp_path / "locustfile.py"
    broken.write_text("raise RuntimeError('no such luck')\n")
    second = replace(plan(2), subject=replace(plan(2).subject, locustfile=broken))
    with Relay(rig, enumerate([plan(1), second])) as relay:
        trials = iter(relay)
        assert relay.run(next(trials)[1], lambda _: None).trial.id == 1
        with pytest.raises(UsageError, match="no such luck"):
            relay.run(next(trials)[1], lambda _: None)


def test_a_stage_that_is_not_used_is_cleared_away(rig: Rig, embedded_server: PostgresServer) -> None:
    with Relay(rig, enumerate([plan(1), plan(2)])) as relay:
        _, trial = next(iter(relay))
        relay.run(trial, lambda _: None)
        wait_until(lambda: clones(embedded_server) == 1, "the next trial has a database")
    assert clones(embedded_server) == 0


def test_an_app_that_does_not_start_is_told_of_when_its_turn_comes(rig: Rig, embedded_server: PostgresServer) -> None:
    with Relay(rig, enumerate([plan(1), plan(2, "target_apps.mutable_default.nothing:app")])) as relay:
        trials = iter(relay)
        assert relay.run(next(trials)[1], lambda _: None).trial.id == 1
        with pytest.raises(TargetError, match="nothing"):
            relay.run(next(trials)[1], lambda _: None)
    assert clones(embedded_server) == 0


def test_the_next_trials_database_is_made_in_the_warm_up(rig: Rig, embedded_server: PostgresServer) -> None:
    slow = replace(BRIEF, warmup_s=3.0)
    seen = []

    def step(name: str) -> None:
        if name == "window":
            seen.append(clones(embedded_server))

    with Relay(rig, enumerate([replace(plan(1), profile=slow), plan(2)])) as relay:
        for _, trial in relay:
            relay.run(trial, step)
    assert seen == [2, 1], "the first one's and the next one's; then there is none to come"
