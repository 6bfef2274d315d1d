"""Children come and go with their parent, and what they said last is not lost."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.forkserver import ForkServer, receive, send
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    with ForkServer(["json"]) as server:
        yield server


def echo(job: dict[str, Any], channel: Connection) -> None:
    send(channel, {"kind": "hello", "job": job, "env": os.environ.get("GREETING"), "cwd": str(Path.cwd())})
    send(channel, {"kind": "again", "heard": receive(channel)})


def ignores_everything(job: dict[str, Any], channel: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def fails(job: dict[str, Any], channel: Connection) -> None:
    print("about to fail", file=sys.stderr)
    raise RuntimeError("because of this")


def crashes(job: dict[str, Any], channel: Connection) -> None:
    faulthandler._sigsegv()  # type: ignore[attr-defined]


def exits_with_a_sentence(job: dict[str, Any], channel: Connection) -> None:
    sys.exit("DATABASE_URL is not set")


def ends_in_a_message(job: dict[str, Any], channel: Connection) -> None:
    os.write(channel.fileno(), (1000).to_bytes(4, "big") + b"only so much")


def forks_on(job: dict[str, Any], channel: Connection) -> None:
    """As a pool of worker processes does, which wait on a pipe of their own."""
    pid = os.fork()
    if pid == 0:
        ignores_everything(job, channel)
    send(channel, {"kind": "forked", "pid": pid})
    if not job["ends"]:
        receive(channel)
    os._exit(0)


def is_gone(pid: int) -> bool:
    """Also when nobody has asked for its end yet."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_child_gets_its_job_environment_and_folder(forks: ForkServer, tmp_path: Path) -> None:
    child = forks.spawn(f"{__name__}:echo", {"n": 1}, log=tmp_path / "log", env={"GREETING": "hi"}, cwd=tmp_path)
    hello = child.receive(5)
    assert hello == {"kind": "hello", "job": {"n": 1}, "env": "hi", "cwd": str(tmp_path)}
    assert child.stop() == [{"kind": "again", "heard": {"kind": "stop"}}]
    wait_until(lambda: not psutil.pid_exists(child.pid), "the child has ended")


def test_a_child_that_fails_is_seen_to_end_and_its_log_says_why(forks: ForkServer, tmp_path: Path) -> None:
    child = forks.spawn(f"{__name__}:fails", {}, log=tmp_path / "log")
    with pytest.raises(EOFError):
        child.receive(5)
    assert "because of this" in child.last_log_lines()
    assert child.stop() == []


def test_what_a_child_says_as_it_exits_stands_in_its_log(forks: ForkServer, tmp_path: Path) -> None:
    child = forks.spawn(f"{__name__}:exits_with_a_sentence", {}, log=tmp_path / "log")
    with pytest.raises(EOFError):
        child.receive(5)
    assert child.last_log_lines() == "DATABASE_URL is not set"


def test_a_child_that_ends_in_the_middle_of_a_message_has_ended(forks: ForkServer, tmp_path: Path) -> None:
    child = forks.spawn(f"{__name__}:ends_in_a_message", {}, log=tmp_path / "log")
    with pytest.raises(EOFError):
        child.receive(5)
    assert child.stop() == []


@pytest.mark.parametrize("ends", [True, False], ids=["ended before", "ends when told"])
def test_what_a_child_has_forked_ends_with_it(forks: ForkServer, tmp_path: Path, ends: bool) -> None:
    child = forks.spawn(f"{__name__}:forks_on", {"ends": ends}, log=tmp_path / "log")
    forked = child.receive(5)
    assert forked is not None
    assert psutil.pid_exists(forked["pid"])
    child.stop(grace_s=0.5)
    wait_until(lambda: is_gone(forked["pid"]), "what it forked has ended")


def test_where_a_child_was_when_its_interpreter_crashed_stands_in_its_log(forks: ForkServer, tmp_path: Path) -> None:
    child = forks.spawn(f"{__name__}:crashes", {}, log=tmp_path / "log")
    with pytest.raises(EOFError):
        child.receive(5)
    assert child.last_log_lines().startswith("Fatal Python error: Segmentation fault")
    assert "in crashes" in child.last_log_lines()


def test_a_child_that_does_not_listen_is_killed(forks: ForkServer, tmp_path: Path) -> None:
    child = forks.spawn(f"{__name__}:ignores_everything", {}, log=tmp_path / "log")
    assert child.receive(0.05) is None
    child.stop(grace_s=0.1)
    wait_until(lambda: not psutil.pid_exists(child.pid), "the child has ended")


def test_the_end_of_the_fork_server_ends_its_children(tmp_path: Path) -> None:
    with ForkServer([]) as forks:
        child = forks.spawn(f"{__name__}:ignores_everything", {}, log=tmp_path / "log")
        assert psutil.pid_exists(child.pid)
    wait_until(lambda: not psutil.pid_exists(child.pid), "the child has ended")


def test_the_end_of_the_fork_server_ends_what_its_children_forked(tmp_path: Path) -> None:
    with ForkServer([]) as forks:
        child = forks.spawn(f"{__name__}:forks_on", {"ends": False}, log=tmp_path / "log")
        forked = child.receive(5)
        assert forked is not None
    wait_until(lambda: is_gone(forked["pid"]), "what it forked has ended")
