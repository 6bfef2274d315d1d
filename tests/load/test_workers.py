"""Several load workers: together they send what one would, and what becomes of the load when one of them fails."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.driving import Driven, LightServer, collect, drive, start_load
from harness.errors import UsageError
from harness.forkserver import GO, Child, ForkServer, send
from harness.hearing import Heard, listen
from harness.record import Workload
from harness.workload import arrivals, spread_starts
from tests.waiting import wait_until

WORKERS = 3
OPEN = Workload(model="open", users=20, rate_rps=100.0, arrivals="poisson")
SHORT: dict[str, Any] = {"workers": WORKERS, "warmup_s": 0.3, "window_s": 0.7, "drain_s": 5.0}


def workers_of(load: Child, count: int = WORKERS) -> list[psutil.Process]:
    """The worker processes, as soon as there are so many."""
    process = psutil.Process(load.pid)
    wait_until(lambda: len(process.children()) == count, f"{count} workers")
    return process.children()


def wait_for(load: Child, kind: str) -> None:
    while (message := load.receive(30)) is None or message["kind"] != kind:
        assert message is not None, f"no {kind!r} was said"


def assert_gone(processes: list[psutil.Process]) -> None:
    def gone() -> bool:
        return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)

    wait_until(gone, "every process of the load has ended", 20)


def assert_conserved(driven: Driven) -> None:
    done = driven.last
    assert len(driven.rows) == done["planned"]
    assert len({row.seq for row in driven.rows}) == len(driven.rows), "no two requests share a number"
    load = [row for row in driven.rows if row.kind == "load" and not row.sequential and row.done_s is not None]
    assert len(load) == done["rows_finished"] == done["locust_count"]
    assert len(done["worker_cpu_s"]) == WORKERS
    assert done["cpu_s"] == max(done["worker_cpu_s"])


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_a_load_that_is_held_waits_after_the_sequential_check(
    loads: ForkServer, server: LightServer, log: Path, workers: int
) -> None:
    job = SHORT | {"workers": workers, "held": True, "sequential_tasks": 2}
    load = start_load(loads, server.url, Workload(users=3), log, **job)
    wait_for(load, "sequential_done")
    said = load.receive(0.3)
    assert said is None or said["kind"] == "rows", "no window"
    go_s = time.monotonic()
    send(load.channel, GO)
    driven = collect(load)
    assert driven.last["start_s"] >= go_s
    assert driven.window


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_a_load_that_is_held_ends_when_told(loads: ForkServer, server: LightServer, log: Path, workers: int) -> None:
    load = start_load(loads, server.url, Workload(users=3), log, **SHORT | {"workers": workers, "held": True})
    wait_for(load, "sequential_done")
    processes = [psutil.Process(load.pid), *psutil.Process(load.pid).children()]
    load.stop(grace_s=10)
    assert_gone(processes)


def test_an_open_load_is_the_one_schedule_dealt_out_in_turn(loads: ForkServer, server: LightServer, log: Path) -> None:
    driven = drive(loads, server.url, OPEN, log, **SHORT)
    start_s, end_s = driven.last["start_s"], driven.last["end_s"]
    rows = sorted(driven.rows, key=lambda row: row.intended_s)
    assert [row.intended_s for row in rows] == list(arrivals(OPEN, start_s=start_s, end_s=end_s, seed=1))
    assert [(row.seq - 1) % WORKERS for row in rows] == [n % WORKERS for n in range(len(rows))]
    assert {row.outcome for row in rows} == {"ok"}
    assert driven.last["sent"] == len(driven.window)
    assert_conserved(driven)


def test_a_closed_load_is_split_by_its_users_and_has_one_canary_and_one_check(
    loads: ForkServer, server: LightServer, log: Path
) -> None:
    closed = Workload(users=5, think_s=10.0, canary="/light", canary_rate_rps=50.0)
    driven = drive(loads, server.url, closed, log, sequential_tasks=4, **SHORT)
    rows = [row for row in driven.rows if row.kind == "load" and not row.sequential]
    due = [driven.last["start_s"] + s for s in spread_starts(5, 0.8 * 0.3)]
    assert len(rows) == 5, "each user once: it thinks for longer than the window"
    assert all(row.sent_s >= at_s for row, at_s in zip(sorted(rows, key=lambda r: r.sent_s), due, strict=True))
    alone = [row for row in driven.rows if row.sequential]
    assert [row.seq for row in alone] == [1 + WORKERS * n for n in range(4)], "one worker makes the sequential check"
    canary = [row for row in driven.rows if row.kind == "canary"]
    assert len(canary) == pytest.approx(50, abs=1)
    assert {(row.seq - 1) % WORKERS for row in canary} == {0}
    assert_conserved(driven)


def test_a_worker_that_dies_makes_the_trial_invalid_and_does_not_hang_it(
    loads: ForkServer, server: LightServer, log: Path
) -> None:
    load = start_load(loads, server.url, OPEN, log, **SHORT | {"window_s": 30.0})
    wait_for(load, "window")
    workers = workers_of(load)
    os.kill(workers[1].pid, signal.SIGKILL)
    heard = Heard()
    listen(load, (), heard, 10.0, lambda _: None)
    assert heard.done is None
    assert heard.invalid == ["load worker 2 of 3 was ended by signal SIGKILL before the trial did"]
    load.stop()
    assert_gone(workers)


def test_a_worker_that_never_comes_is_named(loads: ForkServer, server: LightServer, log: Path) -> None:
    job = {"workers": 2, "connect_limit_s": 1.0}
    load = start_load(loads, server.url, OPEN, log, main="tests.apps.deaf_worker:run", **job)
    workers = workers_of(load, 2)
    with pytest.raises(UsageError, match="only 1 of 2 load workers connected in time; try fewer --load-workers"):
        listen(load, (), Heard(), 20.0, lambda _: None)
    load.stop()
    assert_gone(workers)


def test_a_worker_that_fails_alone_says_why(loads: ForkServer, server: LightServer, log: Path, tmp_path: Path) -> None:
    once = tmp_path / "once.py"
    once.write_text(
        "import os\nfrom locust import FastHttpUser, task\n"
        f"if os.getppid() != {loads._process.pid}: raise RuntimeError('only one process may import me')\n"
        "class Reader(FastHttpUser):\n    @task\n    def read(self): self.client.get('/')\n"
    )
    driven = collect(start_load(loads, server.url, OPEN, log, **SHORT | {"locustfile": str(once)}), 20)
    assert driven.last["kind"] == "failed"
    assert "before the load began" in driven.last["error"]
    assert "once.py cannot be loaded: RuntimeError: only one process may import me" in driven.last["error"]


@pytest.mark.parametrize("who", ["the load process", "whoever started it"])
def test_no_worker_outlives(who: str, server: LightServer, log: Path) -> None:
    with ForkServer(["harness.load.main"]) as forks:
        load = start_load(forks, server.url, OPEN, log, **SHORT | {"window_s": 30.0})
        wait_for(load, "window")
        workers = workers_of(load)
        if who == "the load process":
            os.kill(load.pid, signal.SIGKILL)
        else:
            forks.close()
        assert_gone(workers)
        load.ended = True
        load.stop()


def test_a_worker_is_told_to_stop_with_the_load(loads: ForkServer, server: LightServer, log: Path) -> None:
    load = start_load(loads, server.url, OPEN, log, **SHORT | {"window_s": 30.0})
    wait_for(load, "window")
    workers = workers_of(load)
    load.stop()
    assert_gone(workers)


def test_a_broken_locust_file_is_named_as_by_one_process(
    loads: ForkServer, server: LightServer, log: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no such luck')\n")
    driven = collect(start_load(loads, server.url, OPEN, log, **SHORT | {"locustfile": str(broken)}))
    assert driven.last == {"kind": "failed", "error": "broken.py cannot be loaded: RuntimeError: no such luck"}
