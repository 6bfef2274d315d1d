"""One sample of the process: the loop, the requests in flight, threads, connections, processor and memory."""

from __future__ import annotations

import os
import resource
from time import monotonic

from harness.probe.loop import LoopWatch
from harness.probe.recorder import Probe
from harness.probe.threads import TokenWatch, see_busy_threads

MEMORY_EVERY = 10  # samples
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Sampler:
    """Takes rows of :data:`harness.probe.recorder.SAMPLE_COLUMNS`."""

    def __init__(self, probe: Probe, loop: LoopWatch, tokens: TokenWatch) -> None:
        self._probe = probe
        self._loop = loop
        self._tokens = tokens
        self._taken = 0
        self._rss_bytes: int | None = None
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._statm = -1

    def sample(self) -> tuple[float | int | None, ...]:
        if self._taken % MEMORY_EVERY == 0:
            self._rss_bytes = self._resident_bytes()
        self._taken += 1
        in_use, waiting = self._tokens.now()
        if waiting:
            see_busy_threads(self._probe)
        checkouts = list(self._probe.checkouts)
        asking = sum(checkout.got_s is None for checkout in checkouts)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        now_s = monotonic()
        return (
            now_s,
            self._loop.take_worst_lag_s(),
            self._probe.mean_in_flight(now_s),
            in_use,
            waiting,
            len(checkouts) - asking,
            asking,
            usage.ru_utime + usage.ru_stime,
            self._rss_bytes,
        )

    def _resident_bytes(self) -> int | None:
        return int(os.pread(self._statm, 256, 0).split()[1]) * PAGE_BYTES if self._statm >= 0 else None
