"""Locust in its own process, driving an unchanged Locust file by a plan against a real server."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.forkserver import ForkServer, Message
from harness.record import Workload
from harness.target.target import PRELOAD, Server, start_target
from harness.workload import arrivals

pytestmark = pytest.mark.alone
ROOT = Path(__file__).resolve().parent.parent.parent
WARMUP_S, WINDOW_S, DRAIN_S = 0.3, 0.7, 5.0
COLUMNS = ("sequential", "kind", "seq", "name", "intended_s", "sent_s", "done_s", "status", "outcome")
Drive = Callable[..., tuple[list[dict[str, Any]], Message]]


@pytest.fixture(scope="module")
def observed(embedded_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("target") / "log"
    with ForkServer(PRELOAD) as forks:
        env = {"DATABASE_URL": embedded_server.url}
        server = start_target(forks, "tests.apps.observed:app", app_dir=ROOT, env=env, log=log)
        yield server
        server.child.stop()


@pytest.fixture(scope="module")
def drive(observed: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    """Runs one load job and returns its rows, as dictionaries, and its last message."""
    log = tmp_path_factory.mktemp("load") / "log"
    with ExitStack() as stack:
        forks = stack.enter_context(ForkServer(["harness.load.main"]))

        def run(workload: Workload, **job: Any) -> tuple[list[dict[str, Any]], Message]:
            plan = {
                "locustfile": str(ROOT / "tests/apps/locust_plain.py"), "host": observed.url, "seed": 5,
                "workload": asdict(workload), "sequential_tasks": 0,
                "warmup_s": WARMUP_S, "window_s": WINDOW_S, "drain_s": DRAIN_S,
            }  # fmt: skip
            child = forks.spawn("harness.load.main:run", plan | job, log=log, cwd=ROOT)
            rows: list[dict[str, Any]] = []
            while True:
                message = child.receive(30)
                assert message is not None
                rows += [dict(zip(COLUMNS, row, strict=False)) for row in message.get("rows", [])]
                if message["kind"] == "done":
                    child.stop()
                    return rows, message

        yield run


@pytest.mark.parametrize("kind", ["even", "poisson"])
def test_an_open_model_sends_what_the_schedule_says(drive: Drive, kind: str) -> None:
    workload = Workload(model="open", users=50, rate_rps=200.0, arrivals=kind)
    rows, done = drive(workload)
    schedule = list(arrivals(workload, start_s=done["start_s"], end_s=done["end_s"], seed=5))
    assert sorted(row["intended_s"] for row in rows) == schedule
    assert {row["outcome"] for row in rows} == {"ok"}
    assert {row["name"] for row in rows} == {"fast", "requests"}, "both of Locust's clients are paced and recorded"
    assert len(rows) == done["planned"] == done["rows_finished"] == done["locust_count"]
    assert all(row["intended_s"] <= row["sent_s"] < row["done_s"] for row in rows)


def test_arrivals_that_no_user_is_free_for_are_late_or_skipped_and_never_lost(drive: Drive) -> None:
    workload = Workload(model="open", users=1, rate_rps=10_000.0, arrivals="even")
    rows, done = drive(workload, drain_s=0.5)
    schedule = list(arrivals(workload, start_s=done["start_s"], end_s=done["end_s"], seed=5))
    assert len(rows) == len(schedule) == done["planned"]
    sent = [row for row in rows if row["outcome"] == "ok"]
    assert max(row["sent_s"] - row["intended_s"] for row in sent) > 0.1, "one user cannot keep up, and it shows"
    assert {row["outcome"] for row in rows} <= {"ok", "skipped", "unfinished"}


def test_an_arrival_later_than_the_bound_is_skipped_while_the_run_goes_on(drive: Drive) -> None:
    workload = Workload(model="open", users=1, rate_rps=5_000.0, arrivals="even")
    rows, done = drive(workload, late_bound_s=0.1, drain_s=0.5)
    meant = [row for row in rows if row["intended_s"] >= done["window_start_s"]]
    skipped = [row for row in meant if row["outcome"] == "skipped"]
    sent = [row for row in meant if row["outcome"] != "skipped"]
    assert max(row["intended_s"] for row in sent) > min(row["intended_s"] for row in skipped), "it went on after a skip"
    assert max(row["sent_s"] - row["intended_s"] for row in sent) < 0.1 + 0.2, "none is sent much later than the bound"
    assert (done["sent"], done["skipped"]) == (len(sent), len(skipped))
    assert done["late"] == pytest.approx(sum(row["sent_s"] - row["intended_s"] > 0.01 for row in sent), abs=2)
    assert len(meant) == 5_000 * WINDOW_S


def test_a_closed_model_keeps_so_many_users_busy_and_spreads_their_start(drive: Drive) -> None:
    rows, done = drive(Workload(users=4))
    first = sorted(row["sent_s"] for row in rows)[:4]
    assert max(row["sent_s"] for row in rows) < done["end_s"] + 0.1, (
        "who was admitted just before the end sends just after it"
    )
    assert first[0] - done["start_s"] < 0.25
    for moment in (done["window_start_s"] + 0.1 * n for n in range(1, 6)):
        assert sum(row["sent_s"] <= moment < row["done_s"] for row in rows) <= 4
    assert len(rows) == done["planned"] == done["locust_count"]


def test_think_time_replaces_the_scenarios_own(drive: Drive) -> None:
    rows, _ = drive(Workload(users=2, think_s=0.2))
    assert 4 <= len(rows) <= 2 * (1 + (WARMUP_S + WINDOW_S) / 0.2)


def test_a_canary_is_asked_at_an_even_rate_beside_the_load(drive: Drive) -> None:
    rows, done = drive(Workload(users=2, canary="/plain", canary_rate_rps=50.0))
    canary = sorted(row["intended_s"] for row in rows if row["kind"] == "canary")
    assert len(canary) == pytest.approx(50 * (WARMUP_S + WINDOW_S), abs=1)
    assert all(b - a == pytest.approx(0.02) for a, b in pairwise(canary))
    assert done["locust_count"] == sum(row["kind"] == "load" for row in rows), (
        "Locust's statistics do not know the canary"
    )


def test_one_user_comes_first_and_makes_the_same_choices_in_every_trial(drive: Drive) -> None:
    first, second = (drive(Workload(users=2), sequential_tasks=6, seed=seed)[0] for seed in (1, 2))
    alone = [row for row in first if row["sequential"]]
    assert len(alone) == 6
    assert [row["name"] for row in alone] == [row["name"] for row in second if row["sequential"]]
    assert all(a["done_s"] <= b["sent_s"] for a, b in pairwise(alone))


def test_a_load_process_may_open_as_many_files_as_the_system_lets_it() -> None:
    """The usual limit of 1,024 would be told as failures of the app."""
    code = (
        "import resource; from harness.load.files import make_room_for_connections as room; "
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)); "
        "room(); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(done.stdout) == (65536 if hard == resource.RLIM_INFINITY else min(65536, hard))


def test_a_kept_connection_is_known_to_be_alive_by_any_number() -> None:
    """``select``, which geventhttpclient asks, knows none from 1,024 on: beyond that each request would open a connection."""
    code = """
import resource, os
from gevent import monkey; monkey.patch_all()
from gevent import socket
from geventhttpclient.connectionpool import ConnectionPool as Pool
from harness.load.files import make_room_for_connections as room
plain = Pool._is_socket_alive
room()
low = socket.socketpair()
kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
high = socket.socketpair()
print(*(Pool._is_socket_alive(None, pair[0]) for pair in (low, high)), plain(None, high[0]))
low[1].close(), high[1].close()
print(*(Pool._is_socket_alive(None, pair[0]) for pair in (low, high)))
"""
    if 0 < resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2000:
        pytest.skip("this process may not open so many files")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True", "False", "False", "False"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says how large the table is")
def test_the_table_of_open_files_is_large_before_the_load_begins() -> None:
    code = (  # in a process of its own: the package patches whatever imports it
        "from pathlib import Path; from harness.load.files import MOST_FILES, make_room_for_connections as room; room(); "
        "sizes = [x.split()[1] for x in Path('/proc/self/status').read_text().splitlines() if x.startswith('FDSize')]; "
        "print(MOST_FILES, sizes[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    most, found = map(int, done.stdout.split())
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert found >= (most if limit == resource.RLIM_INFINITY else min(most, limit))
