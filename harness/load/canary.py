"""A steady trickle of requests to a light route: what neighbours of the load feel."""

from __future__ import annotations

import random

import gevent
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook

from harness.load.clock import Sleeper
from harness.load.recorder import Recorder
from harness.workload import even_arrivals

MOST_IN_FLIGHT = 1000


class Canary:
    """Sends GET requests at an even rate, each from its own greenlet, so that a slow one delays no other."""

    def __init__(self, host: str, path: str, rate_rps: float, recorder: Recorder) -> None:
        self._path = path
        self._rate_rps = rate_rps
        events = EventHook()  # its own: the canary is not part of Locust's statistics
        recorder.listen(events)
        self._intended_s: float | None = None
        self.session = FastHttpSession(
            host, events, user=None, concurrency=MOST_IN_FLIGHT, network_timeout=60, connection_timeout=60
        )

    def start(self, start_s: float, end_s: float, seed: int) -> None:
        """Sends from start to end (monotonic seconds). A random phase keeps it out of step with the load."""
        phase_s = random.Random(seed).random() / self._rate_rps
        gevent.spawn(self._send_all, start_s + phase_s, end_s)

    def _send_all(self, start_s: float, end_s: float) -> None:
        sleeper = Sleeper()
        for at_s in even_arrivals(self._rate_rps, start_s=start_s, end_s=end_s):
            sleeper.sleep_until(at_s)
            gevent.spawn(self._send, at_s)

    def _send(self, at_s: float) -> None:
        self._intended_s = at_s
        self.session.get(self._path, name="canary")

    def take_intended(self) -> float | None:
        """The intended start of the request that is being made."""
        return self._intended_s
