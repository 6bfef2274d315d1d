"""Locust files as others write them: used unchanged, or refused in one sentence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.driving import ROOT, Driven, LightServer, collect, drive, start_load
from harness.forkserver import ForkServer
from harness.hearing import Heard
from harness.record import Workload

FOREIGN = str(ROOT / "tests/apps/locust_foreign.py")
SHORT: dict[str, Any] = {"warmup_s": 0.3, "window_s": 0.7, "drain_s": 5.0}
HEAD = "from locust import FastHttpUser, TaskSet, constant, task\n"
USER = HEAD + "class Reader(FastHttpUser):\n    wait_time = constant(0)\n"
TASK = "    @task\n    def read(self): self.client.get('/')\n"


def assert_all_kinds(driven: Driven) -> None:
    assert {row.outcome for row in driven.rows} == {"ok"}
    assert {row.name for row in driven.rows} == {"login", "nested", "first", "last", "follows"}
    assert len(driven.rows) == driven.last["planned"] == driven.last["locust_count"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_closed_load_of_nested_and_sequential_tasks(
    loads: ForkServer, server: LightServer, log: Path, workers: int
) -> None:
    closed = Workload(users=4, think_s=0.01)
    driven = drive(loads, server.url, closed, log, locustfile=FOREIGN, workers=workers, **SHORT)
    assert_all_kinds(driven)
    assert Counter(row.name for row in driven.rows)["login"] == 4


def test_an_open_load_counts_the_tasks_that_make_no_request(loads: ForkServer, server: LightServer, log: Path) -> None:
    workload = Workload(model="open", users=8, rate_rps=200.0, arrivals="even")
    driven = drive(loads, server.url, workload, log, locustfile=FOREIGN, **SHORT)
    done = driven.last
    assert_all_kinds(driven)
    assert done["without_request"] > 0
    assert done["sent"] + done["skipped"] + done["without_request"] == 200 * 0.7
    follows = [row for row in driven.rows if row.name == "follows"]
    assert all(row.sent_s == row.intended_s for row in follows), "what a task sends after its first request is not late"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import locust\n", "mine.py defines no user; write a class derived from locust.FastHttpUser"),
        ("raise RuntimeError('no such luck')\n", "mine.py cannot be loaded: RuntimeError: no such luck"),
        ("import sys; sys.exit('gone')\n", "mine.py cannot be loaded: SystemExit: gone"),
        ("class\n", "mine.py cannot be loaded: SyntaxError: invalid syntax (mine.py, line 1)"),
        (USER, "Reader in mine.py has no task; mark a method of it with @task"),
        (USER + "    weight = 0\n" + TASK, "mine.py cannot be used: There are no users with weight > 0."),
        (
            USER + TASK + "    def on_start(self): raise ValueError('no token')\n",
            "mine.py cannot be used: no user gets started; Reader.on_start raised ValueError: no token",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sequential_tasks", [0, 2])
def test_an_unusable_file_gets_one_sentence(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path,
    text: str, sentence: str, workers: int, sequential_tasks: int,
) -> None:  # fmt: skip
    file = tmp_path / "mine.py"
    file.write_text(text)
    job: dict[str, Any] = {"locustfile": str(file), "workers": workers, "sequential_tasks": sequential_tasks}
    load = start_load(loads, server.url, Workload(users=2), log, **job, **SHORT | {"window_s": 0.1, "warmup_s": 0.1})
    assert collect(load, 10).last == {"kind": "failed", "error": sentence}


def test_a_task_set_without_tasks_does_not_hang(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(HEAD + "class Empty(TaskSet): pass\n" + USER.removeprefix(HEAD) + "    tasks = [Empty]\n")
    workload = Workload(model="open", users=2, rate_rps=20.0)
    driven = drive(loads, server.url, workload, log, locustfile=str(file), **SHORT | {"drain_s": 0.2})
    assert driven.last["skipped"] == len(driven.window) > 0


def test_users_that_end_under_load_make_the_trial_invalid(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    """The check with one user went well: the file is usable, and what is wrong comes from the load."""
    file = tmp_path / "mine.py"
    file.write_text(
        USER + TASK + "    starts = []\n    def on_start(self):\n        self.starts.append(1)\n"
        "        assert len(self.starts) < 3, 'server is full'\n"
    )
    driven = drive(
        loads, server.url, Workload(users=3, think_s=0.1), log, locustfile=str(file), sequential_tasks=2, **SHORT
    )
    heard = Heard()
    heard.take(driven.last, lambda _: None)
    assert heard.invalid == [
        "2 users ended before their first task: Reader.on_start raised AssertionError: server is full"
    ]


@pytest.mark.parametrize("client", ["FastHttpUser", "HttpUser"])
def test_a_task_that_raises_at_an_answer_makes_it_a_wrong_one(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path, client: str
) -> None:
    """Locust itself counts no request there; to us it was sent, and answered."""
    locustfile = tmp_path / "mine.py"
    locustfile.write_text(
        f"from locust import {client}, constant, task\n"
        f"class Reader({client}):\n"
        "    wait_time = constant(0.05)\n"
        "    @task\n"
        "    def read(self):\n"
        "        with self.client.get('/', name='read', catch_response=True) as answer:\n"
        "            answer.json()['no such key']\n"
    )
    driven = drive(loads, server.url, Workload(users=2), log, locustfile=str(locustfile), **SHORT)
    assert driven.rows
    assert {(row.outcome, row.status) for row in driven.rows} == {("wrong_body", 200)}
    assert all(row.done_s is not None and row.sent_s < row.done_s for row in driven.rows)
    assert driven.last["rows_finished"] == driven.last["locust_count"] == 0
    assert driven.last["planned"] == len(driven.rows)
