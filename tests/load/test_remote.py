"""Load workers that come from elsewhere: let in by the master, with its job and its time; and what makes their trial invalid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.driving import ROOT, LightServer, collect, drive, start_load
from harness.errors import UsageError
from harness.forkserver import ForkServer
from harness.hearing import Heard, listen
from harness.load_source import LoadSource, load_source, parse_address
from harness.record import Workload
from harness.workload import arrivals
from tests.waiting import wait_until

OPEN = Workload(model="open", users=20, rate_rps=100.0, arrivals="poisson", canary="/light")
SHORT: dict[str, Any] = {"warmup_s": 0.3, "window_s": 0.7, "drain_s": 5.0, "sequential_tasks": 2}
COUNT = 2


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def far_off(port: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers started as on other machines: with a clock that is 1000 s ahead, where this system lets a process have one."""
    ahead = ["unshare", "--time", "--monotonic", "1000", "--fork", "--kill-child"]
    if subprocess.run([*ahead, "true"], capture_output=True).returncode != 0:
        ahead = []
    worker = [sys.executable, "-m", "harness", "worker", "--master", f"127.0.0.1:{port}"]
    workers = [subprocess.Popen([*(ahead if n == 0 else []), *worker], cwd=ROOT) for n in range(COUNT)]
    yield workers
    for process in workers:
        verb = psutil.Process(process.pid)
        (verb.children()[0] if verb.name() == "unshare" else verb).terminate()
    for process in workers:
        process.wait(20)


def job(port: int, **more: Any) -> dict[str, Any]:
    return SHORT | {"workers": COUNT, "master": ["127.0.0.1", port]} | more


@pytest.mark.alone
def test_they_send_the_one_schedule_by_the_masters_clock_trial_after_trial(
    loads: ForkServer, server: LightServer, log: Path, port: int, far_off: object
) -> None:
    for _ in range(2):
        driven = drive(loads, server.url, OPEN, log, **job(port))
        assert driven.last["kind"] == "done", driven.last
        rows = sorted((r for r in driven.rows if r.kind == "load" and not r.sequential), key=lambda row: row.intended_s)
        due = arrivals(OPEN, start_s=driven.last["start_s"], end_s=driven.last["end_s"], seed=1)
        assert [row.intended_s for row in rows] == pytest.approx(list(due), abs=0.005)
        assert {(row.seq - 1) % COUNT for row in rows} == set(range(COUNT))
        assert all(row.intended_s - 0.01 <= row.sent_s < row.done_s for row in rows if row.done_s is not None)
        assert len([row for row in driven.rows if row.sequential]) == 2
        assert len(driven.rows) == driven.last["planned"]
        assert driven.last["rows_finished"] == driven.last["locust_count"]
        assert driven.last["clocks"] == []


def test_a_worker_lost_in_the_window_makes_the_trial_invalid_and_is_replaced_in_the_next(
    loads: ForkServer, server: LightServer, log: Path, port: int, far_off: list[subprocess.Popen[bytes]]
) -> None:
    load = start_load(loads, server.url, OPEN, log, **job(port, window_s=30.0))
    while (message := load.receive(30)) is None or message["kind"] != "window":
        assert message is not None
    parent = psutil.Process(far_off[1].pid)
    (sender,) = [p for fork in parent.children() for p in fork.children()]
    sender.send_signal(signal.SIGKILL)
    heard = Heard()
    listen(load, (), heard, 15.0, lambda _: None)
    load.stop()
    assert heard.invalid == ["one of 2 load workers has not been heard of for seconds"]
    assert drive(loads, server.url, OPEN, log, **job(port)).last["kind"] == "done"


def test_workers_that_do_not_come_are_missed(loads: ForkServer, server: LightServer, log: Path) -> None:
    alone = free_port()
    driven = collect(start_load(loads, server.url, OPEN, log, **job(alone, connect_limit_s=0.5)))
    assert driven.last["error"] == (
        "only 0 of 2 load workers connected in time; "
        f"start each with harness worker --master HOST:{alone}, where HOST reaches 127.0.0.1 here"
    )


def test_a_locust_file_may_import_from_beside_it(
    loads: ForkServer, server: LightServer, log: Path, port: int, far_off: object
) -> None:
    scenario = ROOT / "scenarios/return_session.py"
    assert "from shoppers" in scenario.read_text()
    driven = drive(loads, server.url, OPEN, log, **job(port, locustfile=str(scenario), drain_s=0.2))
    assert driven.last["kind"] == "done", driven.last
    assert driven.window


def test_a_broken_locust_file_is_named(
    loads: ForkServer, server: LightServer, log: Path, port: int, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no such luck')\n")
    driven = collect(start_load(loads, server.url, OPEN, log, **job(port, locustfile=str(broken))))
    assert driven.last == {"kind": "failed", "error": "broken.py cannot be loaded: RuntimeError: no such luck"}


def test_a_port_that_is_taken_is_named(loads: ForkServer, server: LightServer, log: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        driven = collect(start_load(loads, server.url, OPEN, log, **job(taken.getsockname()[1])))
    assert driven.last["kind"] == "failed"
    assert "cannot be listened at" in driven.last["error"]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_verb(end: signal.Signals) -> None:
    command = [sys.executable, "-m", "harness", "worker", "--master", f"127.0.0.1:{free_port()}"]
    verb = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    process = psutil.Process(verb.pid)
    wait_until(lambda: len(process.children(recursive=True)) == 2, "a fork server and a worker", 20)
    family = process.children(recursive=True)
    os.kill(verb.pid, end)
    assert verb.wait(20) in (130, -signal.SIGKILL)
    wait_until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family), "all have ended")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((1, "127.0.0.1:5557", None), "--load-master HOST:PORT and --expect-workers N go together"),
        ((1, None, 2), "--expect-workers N and --load-master HOST:PORT go together"),
        ((2, "127.0.0.1:5557", 2), "choose one"),
        ((1, "5557", 2), "--load-master '5557' is no address; write HOST:PORT"),
        ((1, "192.0.2.1:5557", 2), "--load-master 192.0.2.1:5557 is not to be had here"),
        ((1, "0.0.0.0:0", 2), "is no address"),
        ((1, "0.0.0.0:15558", 2), "cannot reach an app at 127.0.0.1: give --target-host"),
    ],
)
def test_flags_that_do_not_fit_are_refused(flags: tuple[int, str | None, int | None], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_source(*flags, "127.0.0.1", served=True)
    assert said in str(caught.value)


def test_flags_that_fit() -> None:
    assert load_source(3, None, None, "127.0.0.1", served=True) == LoadSource(workers=3)
    port = free_port()
    found = load_source(1, f"127.0.0.1:{port}", 4, "127.0.0.1", served=True)
    assert found == LoadSource(workers=4, master=("127.0.0.1", port))
    assert parse_address("--master", "[::1]:5557") == ("::1", 5557)
