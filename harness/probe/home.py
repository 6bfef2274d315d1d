"""The probe's thread: looks at the loop, samples the process, sends everything home, and ends the process with its parent.

It is a thread so that it keeps working while the loop is blocked.
"""

from __future__ import annotations

import os
import resource
import select
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import msgpack

from harness.probe.loop import LoopWatch
from harness.probe.recorder import Probe
from harness.probe.threads import TokenWatch, see_busy_threads

LOOK_S = 0.01
SAMPLE_EVERY = 5  # looks
SEND_EVERY = 20
TEARDOWN_S = 0.05  # for the dependencies of what has just been answered
MEMORY_EVERY = 50  # reading it hands the interpreter over several times
STATM = Path("/proc/self/statm")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ProbeThread(threading.Thread):
    """Runs until the parent says stop or goes away."""

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
        self._tokens = tokens
        self._on_stop = on_stop
        self._settle_s = settle_s
        self._sending = threading.Lock()
        self._rss_bytes: int | None = None

    def run(self) -> None:
        looks = 0
        next_s = time.monotonic()
        while True:
            next_s = max(next_s + LOOK_S, time.monotonic())
            if select.select([self._channel], (), (), max(0.0, next_s - time.monotonic()))[0]:
                self._obey()
                return
            if looks % MEMORY_EVERY == 0:
                self._rss_bytes = _resident_bytes()
            looks += 1
            self._loop.look()
            if looks % SAMPLE_EVERY == 0:
                self._probe.add("samples", self._sample())
            if looks % SEND_EVERY == 0:
                self._probe.adapt(over_s=SEND_EVERY * LOOK_S)
                self.send_rows()

    def say(self, kind: str, **content: object) -> None:
        """Sends one message; the process ends when nobody is left to hear it."""
        try:
            with self._sending:
                self._channel.send_bytes(msgpack.packb({"kind": kind, **content}))
        except OSError:
            os._exit(1)

    def send_rows(self) -> None:
        self.say("rows", **self._probe.take())

    def _farewell(self) -> None:
        """Sends what is left: requests under way, connections that are still out or waited for."""
        for request in list(self._probe.in_flight):
            self._probe.add("requests", request.row())
        for checkout in list(self._probe.checkouts):
            if checkout.request is not None and checkout.got_s is not None:
                checkout.sql_s += checkout.request.sql_s
            self._probe.add("checkouts", checkout.row())
        self.send_rows()
        self.say("bye")

    def _obey(self) -> None:
        """The parent says stop, or is gone."""
        try:
            self._channel.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)
        self._settle()
        self._farewell()  # before the app is asked to stop: its loop may never get to it
        self._on_stop()

    def _settle(self) -> None:
        """Waits until no request is under way that has been answered: its background tasks were promised with the answer."""
        deadline_s = time.monotonic() + max(TEARDOWN_S, self._settle_s)
        while time.monotonic() < deadline_s and any(r.last_byte_s for r in list(self._probe.in_flight)):
            time.sleep(LOOK_S)

    def _sample(self) -> tuple[float | int | None, ...]:
        in_use, waiting = self._tokens.now()
        if waiting:
            see_busy_threads(self._probe)
        checkouts = list(self._probe.checkouts)
        asking = sum(checkout.got_s is None for checkout in checkouts)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return (
            time.monotonic(),
            self._loop.take_worst_lag_s(),
            len(self._probe.in_flight),
            in_use,
            waiting,
            len(checkouts) - asking,
            asking,
            usage.ru_utime + usage.ru_stime,
            self._rss_bytes,
        )


def _resident_bytes() -> int | None:
    try:
        return int(STATM.read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except OSError:
        return None
