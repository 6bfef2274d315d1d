"""The probe at home: what it counts, when it wakes, and that its messages arrive whole."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from harness.probe import loop
from harness.probe.alarm import Alarm
from harness.probe.flight import MeanInFlight
from harness.probe.frames import uncollected
from harness.probe.home import ProbeThread
from harness.probe.loop import LoopWatch
from harness.probe.outbox import Outbox
from harness.probe.recorder import Probe, rows_of
from harness.probe.threads import TokenWatch, see_busy_threads
from tests.test_lifecycle import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.alone
FIRST_BEATS_S = 0.3
WELL_S = 1.0


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), max_size=20),
    st.lists(st.floats(0.01, 10), max_size=5, unique=True),
)
def test_the_mean_in_flight_is_the_time_that_requests_took(
    requests: list[tuple[float, float]], looks: list[float]
) -> None:
    """Whenever one looks, and however short the requests are."""
    spans = [(min(pair), max(pair)) for pair in requests]
    flight, last_s = MeanInFlight(0.0), 0.0
    for at_s in sorted(looks):
        ended_s = sum(end - begin for begin, end in spans if end <= at_s)
        begun_s = [begin for begin, end in spans if begin <= at_s < end]
        inside_s = sum(max(0.0, min(end, at_s) - max(begin, last_s)) for begin, end in spans)
        assert flight.take(at_s, ended_s, begun_s) == pytest.approx(inside_s / (at_s - last_s), abs=1e-6)
        last_s = at_s


def test_nothing_in_flight_is_exactly_zero() -> None:
    flight = MeanInFlight(0.1)
    took_s = 0.7 - 0.3
    assert flight.take(0.9, took_s, []) == pytest.approx(0.5)
    assert flight.take(1.7, took_s, []) == 0.0


@pytest.fixture
def channel() -> Iterator[tuple[Connection, Connection]]:
    ours, theirs = Pipe()
    with ours, theirs:
        yield ours, theirs


def test_an_alarm_rings_when_it_is_not_put_off(channel: tuple[Connection, Connection]) -> None:
    ours, theirs = channel
    began_s = time.monotonic()
    alarm = Alarm(0.2)
    assert not alarm.wait(ours)
    assert time.monotonic() - began_s >= 0.2
    assert not alarm.wait(ours), "it goes on ringing"
    alarm.put_off()
    theirs.send_bytes(b"stop")
    assert alarm.wait(ours), "it has been put off, and the channel has something to say"
    alarm.close()


def test_an_alarm_that_is_put_off_does_not_ring(channel: tuple[Connection, Connection]) -> None:
    alarm, rung = Alarm(1.0), threading.Event()

    def wait() -> None:
        if not alarm.wait(channel[0]):
            rung.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    until_s = time.monotonic() + 1.5
    while time.monotonic() < until_s:
        alarm.put_off()
        time.sleep(0.01)
    assert not rung.is_set()
    waiting.join(5)
    assert rung.is_set(), "nobody puts it off any more"
    alarm.close()


def test_messages_that_do_not_fit_at_once_arrive_whole_and_in_order(channel: tuple[Connection, Connection]) -> None:
    ours, theirs = channel
    outbox = Outbox(ours)
    large = "x" * 3_000_000
    outbox.put({"kind": "rows", "content": large})
    outbox.send_some()
    assert outbox, "nobody reads: the socket is full, and nobody has waited"
    outbox.put({"kind": "bye"})
    said: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: said.extend(msgpack.decode(theirs.recv_bytes()) for _ in range(2)))
    reader.start()
    outbox.send_all()
    reader.join(10)
    assert said == [{"kind": "rows", "content": large}, {"kind": "bye"}]


def test_what_is_seen_before_the_app_is_ready_is_told_after_it(channel: tuple[Connection, Connection]) -> None:
    """The parent waits for "ready", and for nothing else: a pool that is filled at import would never be told of."""
    with at_home(channel, ready=False) as (thread, _, said):
        wait_until(lambda: bool(thread._probe._rows["samples"]), "the thread has taken over")
        time.sleep(0.3)  # longer than between two messages
        assert said == []
        thread.say("ready")
        wait_until(lambda: bool(sample_times(said)), "rows have come")
    assert said[0]["kind"] == "ready"


@contextmanager
def at_home(
    channel: tuple[Connection, Connection], *, ready: bool = True
) -> Iterator[tuple[ProbeThread, LoopWatch, list[dict[str, Any]]]]:
    """A probe without an app: its thread, its watch, and what it says to a parent that listens."""
    ours, theirs = channel
    probe, tokens = Probe(str(Path(__file__).parent)), TokenWatch()
    watch = LoopWatch(probe, also_start=tokens.start_on_running_loop)
    thread = ProbeThread(ours, probe, watch, tokens, on_stop=lambda: None)
    said: list[dict[str, Any]] = []

    def listen() -> None:
        while not said or said[-1]["kind"] != "bye":
            said.append(msgpack.decode(theirs.recv_bytes()))

    listener = threading.Thread(target=listen)
    listener.start()
    thread.start()
    if ready:
        thread.say("ready")
    try:
        yield thread, watch, said
    finally:
        theirs.send_bytes(msgpack.encode({"kind": "stop"}))
        thread.join(10)
        listener.join(10)


def sample_times(said: list[dict[str, Any]]) -> list[float]:
    return [row[0] for message in said for row in rows_of("samples", message.get("samples", []))]


def wake_ups(thread: threading.Thread) -> int:
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text(encoding="ascii")
    return int(status.split("voluntary_ctxt_switches:")[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux alone has a timerfd")
def test_the_thread_sleeps_while_the_loop_is_well(channel: tuple[Connection, Connection]) -> None:
    async def well(watch: LoopWatch, thread: ProbeThread) -> tuple[float, float, int]:
        watch.start_on_running_loop()
        await asyncio.sleep(FIRST_BEATS_S)
        began_s, before = time.monotonic(), wake_ups(thread)
        await asyncio.sleep(WELL_S)
        return began_s, time.monotonic(), wake_ups(thread) - before

    with at_home(channel) as (thread, watch, said):
        began_s, ended_s, woken = asyncio.run(well(watch, thread))
    assert woken < 0.3 * WELL_S / 0.01, "a hundred times a second it would tick"
    seen = [t for t in sample_times(said) if began_s <= t <= ended_s]
    assert len(seen) > 0.6 * WELL_S / 0.05, "the loop takes the samples instead"


def test_the_thread_takes_over_while_the_loop_is_held_and_before_there_is_one(
    channel: tuple[Connection, Connection],
) -> None:
    async def held(watch: LoopWatch) -> tuple[float, float]:
        watch.start_on_running_loop()
        await asyncio.sleep(0.1)
        began_s = time.monotonic()
        time.sleep(0.6)  # noqa: ASYNC251 - what is to be seen
        return began_s, time.monotonic()

    with at_home(channel) as (_, watch, said):
        wait_until(lambda: bool(sample_times(said)), "samples without a loop")
        began_s, ended_s = asyncio.run(held(watch))
    seen = [t for t in sample_times(said) if began_s + 0.05 <= t <= ended_s]
    assert len(seen) > 5
    assert any(message.get("holds") for message in said)


@pytest.mark.parametrize("enabled", [True, False])
def test_no_garbage_is_collected_while_frames_are_looked_at_and_the_apps_choice_is_kept(*, enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(KeyError), uncollected():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_the_watch_of_the_loop_looks_at_frames_while_no_garbage_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(loop, "_step_root", lambda *_: seen.append(gc.isenabled()))
    watch = LoopWatch(Probe("/app"), lambda: None)
    watch._base = frozenset((0,))  # the loop has been seen, and is overdue ever since
    watch.look()
    assert (seen, gc.isenabled()) == ([False], True)


def test_busy_threads_are_looked_at_while_no_garbage_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    probe = Probe("/app")
    monkeypatch.setattr(probe.frames, "entry", lambda _: seen.append(gc.isenabled()))
    monkeypatch.setattr("harness.probe.threads.backend.WorkerThread", threading.Thread)
    see_busy_threads(probe)
    assert (set(seen), gc.isenabled()) == ({False}, True)


def test_to_look_at_threads_that_end_crashes_no_interpreter_and_locks_none() -> None:
    """Without a pause of the collector it does, up to Python 3.11.8: within seconds, in one way or the other."""
    script = ROOT / "tests" / "apps" / "looked_at.py"
    ended = subprocess.run(
        [sys.executable, str(script), "1000"], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
