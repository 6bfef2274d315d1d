"""What the probe does at regular times: it samples the process, sends everything home, and ends the process with its parent.

The loop's heartbeat does it while the loop is well. A thread does it, and looks at the loop, while the heartbeat is overdue; until
then it sleeps (see :mod:`harness.probe.alarm`).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NoReturn

from msgspec import msgpack

from harness.probe.alarm import is_readable
from harness.probe.loop import LoopWatch
from harness.probe.outbox import Outbox
from harness.probe.recorder import Probe
from harness.probe.sampler import Sampler
from harness.probe.threads import TokenWatch

LOOK_S = 0.01
SAMPLE_S = 0.05
SEND_S = 0.2
TEARDOWN_S = 0.05  # for the dependencies of what has just been answered


class ProbeThread(threading.Thread):
    """Runs until the parent says "stop" or goes away. When it says "tell", all rows so far go home, and how many requests are under way."""

    def __init__(
        self,
        channel: Connection,
        probe: Probe,
        loop: LoopWatch,
        tokens: TokenWatch,
        on_stop: Callable[[], None],
        settle_s: float = 0.0,
    ) -> None:
        """settle_s: how long it waits, once it is to stop, for what goes on after an answer."""
        super().__init__(name="harness-probe", daemon=True)
        self._channel = channel
        self._probe = probe
        self._loop = loop
        self._sampler = Sampler(probe, loop, tokens)
        self._on_stop = on_stop
        self._settle_s = settle_s
        self._attending = threading.Lock()
        self._outbox = Outbox(channel)
        self._said_ready = False  # until then nobody listens for rows
        self._said_bye = False
        self._sample_at_s = self._sampled_s = self._sent_s = time.monotonic()
        self._awake_s = 0.0  # since rows were sent: a process that is stopped (SIGSTOP) begins no requests
        loop.on_beat = self.attend

    def run(self) -> None:
        while True:
            told = self._loop.alarm.wait(self._channel)
            if not told:
                self._loop.look()
                self.attend()
                told = is_readable(self._channel, LOOK_S)
            if told and not self._obey():
                return

    def attend(self) -> None:
        """Does what is due, and never waits: what another thread is about is left to it, and what cannot be sent yet to the next call."""
        if not self._attending.acquire(blocking=False):
            return
        try:
            if not self._said_bye:
                self._do_what_is_due(time.monotonic())
        finally:
            self._attending.release()

    def say(self, kind: str, **content: object) -> None:
        """Sends one message; the process ends when nobody is left to hear it. Rows are sent from "ready" on."""
        with self._attending:
            self._said_ready |= kind == "ready"
            self._outbox.put({"kind": kind, **content})
            _or_end(self._outbox.send_all)

    def _do_what_is_due(self, now_s: float) -> None:
        if now_s >= self._sample_at_s:
            self._sample_at_s = max(self._sample_at_s + SAMPLE_S, now_s)
            self._awake_s += min(now_s - self._sampled_s, SAMPLE_S)
            self._sampled_s = now_s
            self._probe.add("samples", self._sampler.sample())
        if self._said_ready and now_s >= self._sent_s + SEND_S and not self._outbox:
            self._probe.adapt(over_s=max(self._awake_s, SAMPLE_S))
            self._awake_s, self._sent_s = 0.0, now_s
            self._outbox.put({"kind": "rows", **self._probe.take()})
        _or_end(self._outbox.send_some)

    def _farewell(self) -> None:
        """Sends what is left: requests under way, connections that are still out or waited for."""
        with self._attending:
            self._said_bye = True
        self._probe.add_unended()
        self.say("rows", **self._probe.take())
        self.say("bye")

    def _obey(self) -> bool:
        """The parent says what it wants, or is gone. Returns whether to go on."""
        try:
            wanted = msgpack.decode(self._channel.recv_bytes())["kind"]
        except (EOFError, OSError):
            _end_process()
        if wanted == "tell":
            self.say("rows", **self._probe.take())
            self.say("told", in_flight=len(self._probe.in_flight))
            return True
        self._settle()
        self._farewell()  # before the app is asked to stop: its loop may never get to it
        self._on_stop()
        return False

    def _settle(self) -> None:
        """Waits until no request is under way that has been answered: its background tasks were promised with the answer."""
        deadline_s = time.monotonic() + max(TEARDOWN_S, self._settle_s)
        while time.monotonic() < deadline_s and any(r.last_byte_s for r in list(self._probe.in_flight)):
            time.sleep(LOOK_S)


def _or_end(send: Callable[[], None]) -> None:
    """Ends the process when nobody is left to hear it."""
    try:
        send()
    except OSError:
        _end_process()


def _end_process() -> NoReturn:
    """With all that the app has forked: it leads a group of its own, as its parent started it."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
