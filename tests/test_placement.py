"""Who gets which processors, and that the processes keep to them."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import placement as placements
from harness.forkserver import ForkServer, send
from harness.placement import placement, placement_here, put, side_by_side, usable_cpus
from harness.postgres.connection import admin_connection
from harness.postgres.server import start_postgres
from harness.record import Placement

pinnable = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system keeps no process to a core")


def tell_affinity(job: dict[str, Any], channel: Connection) -> None:
    send(channel, {"kind": "affinity", "cpus": sorted(os.sched_getaffinity(0))})


@given(st.lists(st.integers(0, 255), unique=True, max_size=64))
def test_each_has_processors_of_its_own_or_nobody_has(cpus: list[int]) -> None:
    found = placement(cpus)
    if len(cpus) < 4:
        assert found is None
        return
    assert found is not None
    assert sorted(found.target + found.load + found.postgres) == sorted(cpus)
    assert found.load and found.postgres
    assert 2 * len(found.target) >= len(cpus)


@given(st.lists(st.integers(0, 255), unique=True, min_size=1, max_size=64), st.integers(1, 4))
def test_what_is_compared_shares_its_processors_and_leaves_the_first(cpus: list[int], cores: int) -> None:
    found, apart = side_by_side(cpus, cores), placement(cpus)
    if len(apart.target if apart else cpus) <= cores:
        assert found == apart
        return
    assert found is not None
    assert len(found.target) == cores
    assert cpus[0] not in found.target
    assert not set(found.target) & set(found.load + found.postgres)
    assert apart is None or (found.load, found.postgres) == (apart.load, apart.postgres)


def test_on_two_cores_the_load_has_the_first_and_the_servers_the_second() -> None:
    assert side_by_side([0, 1]) == Placement(target=(1,), load=(0,), postgres=(0,))
    assert side_by_side([0, 1], cores=2) is None
    assert side_by_side([0]) is None


def test_threads_of_a_core_are_not_divided() -> None:
    beside = [0, 4, 1, 5, 2, 6, 3, 7]  # as usable_cpus orders four cores with two threads each
    assert placement(beside) == Placement(target=(0, 4, 1, 5), load=(2, 6), postgres=(3, 7))


def test_the_threads_of_a_core_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu in range(4):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text("0\n")
        (topology / "core_id").write_text(f"{cpu % 2}\n")
    monkeypatch.setattr(placements, "CPUS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert usable_cpus() == (0, 2, 1, 3)


def test_only_processors_that_the_user_left_are_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {8, 9, 10, 11}, raising=False)
    found = placement_here()
    assert found is not None
    assert {*found.target, *found.load, *found.postgres} == {8, 9, 10, 11}


def test_nobody_is_placed_where_the_system_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cpus() is None
    assert placement_here() is None


def test_in_words() -> None:
    assert str(Placement(target=(0, 1), load=(2,), postgres=(3,))) == "app on 0, 1; load on 2; Postgres on 3"


@pinnable
def test_children_and_postgres_keep_to_their_processors(tmp_path: Path) -> None:
    last = max(os.sched_getaffinity(0))
    with ForkServer([], cpus=(last,)) as forks:
        child = forks.spawn("tests.test_placement:tell_affinity", {}, log=tmp_path / "log")
        told = child.receive(10)
        child.stop()
    assert told is not None and told["cpus"] == [last]
    with (
        start_postgres("embedded", run_token="placement", cpus=(last,)) as server,
        admin_connection(server.url) as connection,
    ):
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        backend = psutil.Process(row[0])
        assert os.sched_getaffinity(backend.pid) == {last}
        assert os.sched_getaffinity(backend.ppid()) == {last}  # the server itself


@pinnable
def test_a_process_that_has_ended_is_no_error() -> None:
    process = psutil.Popen(["true"])
    process.wait()
    put(process.pid, usable_cpus())
