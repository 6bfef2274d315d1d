"""Locust files as others write them: used unchanged, or refused in one sentence."""

from __future__ import annotations

import textwrap
import time
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


def reader(client: str, body: str) -> str:
    """A Locust file of one user with one task."""
    return (
        f"import gevent\nfrom locust import {client}, constant, task\n"
        f"class Reader({client}):\n"
        "    wait_time = constant(0.05)\n"
        "    @task\n"
        "    def read(self):\n" + textwrap.indent(body, " " * 8)
    )


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
@pytest.mark.parametrize(
    "body",
    [
        "with self.client.get('/', name='read', catch_response=True) as answer:\n    answer.json()['no such key']\n",
        "with gevent.Timeout(0.05, False), self.client.get('/', name='read', catch_response=True):\n    gevent.sleep(60)\n",
    ],
    ids=["an exception", "a timeout of its own"],
)
def test_a_task_that_raises_at_an_answer_makes_it_a_wrong_one(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path, client: str, body: str
) -> None:
    """Locust itself counts no request there; to us it was sent, and answered."""
    locustfile = tmp_path / "mine.py"
    locustfile.write_text(reader(client, body))
    driven = drive(loads, server.url, Workload(users=2), log, locustfile=str(locustfile), **SHORT)
    assert driven.rows
    assert {(row.outcome, row.status) for row in driven.rows} == {("wrong_body", 200)}
    assert all(row.done_s is not None and row.sent_s < row.done_s for row in driven.rows)
    assert driven.last["rows_finished"] == driven.last["locust_count"] == 0
    assert driven.last["planned"] == len(driven.rows)


@pytest.mark.parametrize("client", ["FastHttpUser", "HttpUser"])
@pytest.mark.parametrize(
    ("call", "outcome", "error"),
    [
        ("self.client.post('/', json={'at': object()})", "connect_error", "not JSON serializable"),
        ("with gevent.Timeout(0.05, False):\n    self.client.get('/')", "client_timeout", ""),
    ],
    ids=["never sent", "given up"],
)
def test_a_request_that_its_task_ends_is_over(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path, client: str, call: str, outcome: str, error: str
) -> None:
    """Locust itself tells of the first with no client, and of the second with FastHttpUser alone; left under way, they would last to the end."""
    locustfile = tmp_path / "mine.py"
    locustfile.write_text(reader(client, call))
    stall = start_load(loads, server.url, Workload(users=2), log, locustfile=str(locustfile), **SHORT)
    server.stall(0.0, 2.0 if outcome == "client_timeout" else 0.0)
    driven = collect(stall)
    server.answers()  # it has got over it
    ended = [row for row in driven.rows if row.outcome == outcome]
    assert len(ended) > 4
    assert all(error in (row.error or "") for row in ended)
    assert all(row.done_s is not None and row.done_s - row.sent_s < 0.5 for row in ended)
    assert driven.last["planned"] == len(driven.rows)
    assert driven.last["rows_finished"] == driven.last["locust_count"]


def test_users_of_whom_there_are_fewer_have_not_left(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    """Locust makes no more than ``fixed_count`` says."""
    file = tmp_path / "mine.py"
    file.write_text(USER + "    fixed_count = 2\n" + TASK)
    driven = drive(loads, server.url, Workload(users=4, think_s=0.05), log, locustfile=str(file), **SHORT)
    heard = Heard()
    heard.take(driven.last, lambda _: None)
    assert heard.invalid == []
    assert driven.rows


def test_users_that_leave_make_the_trial_invalid(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    """Locust tells of no error: the load just gets smaller."""
    file = tmp_path / "mine.py"
    file.write_text(
        USER.replace("constant, task", "constant, task\nfrom locust.exception import StopUser")
        + "    asked = 0\n    @task\n    def read(self):\n        self.client.get('/')\n"
        "        self.asked += 1\n        if self.asked == 3: raise StopUser()\n"
    )
    driven = drive(loads, server.url, Workload(users=4, think_s=0.01), log, locustfile=str(file), **SHORT)
    heard = Heard()
    heard.take(driven.last, lambda _: None)
    assert heard.invalid == ["4 users left before the window was over (StopUser?): the load was smaller than asked for"]
    assert len(driven.rows) == 12


def test_a_user_that_leaves_at_once_is_not_waited_for(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        USER.replace("constant, task", "constant, task\nfrom locust.exception import StopUser")
        + TASK
        + "    def on_start(self): raise StopUser()\n"
    )
    begun_s = time.monotonic()
    driven = drive(loads, server.url, Workload(users=2), log, locustfile=str(file), sequential_tasks=2, **SHORT)
    assert time.monotonic() - begun_s < 10.0, "the limit of the sequential check is 15 s"
    assert driven.last["users_left"] == 2


@pytest.mark.parametrize("client", ["FastHttpUser", "HttpUser"])
def test_a_streamed_answer_is_left_to_the_scenario(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path, client: str
) -> None:
    """The sequential check digests bodies; one that is yet to be read it must not read."""
    file = tmp_path / "mine.py"
    file.write_text(
        reader(
            client,
            "with self.client.get('/', stream=True, catch_response=True) as answer:\n"
            "    parts = (p if isinstance(p, str) else p.decode() for p in answer.iter_content(chunk_size=10))\n"
            "    got = ''.join(parts)\n"
            "    answer.success() if got == 'ok' else answer.failure(f'got {got}')\n",
        )
    )
    driven = drive(loads, server.url, Workload(users=2), log, locustfile=str(file), sequential_tasks=2, **SHORT)
    assert {row.outcome for row in driven.rows} == {"ok"}
    assert driven.last["planned"] == len(driven.rows) > 2
