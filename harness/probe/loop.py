"""Watches the event loop: how late it is, and which line holds it.

A heartbeat on the loop says when the loop was last free, and puts off an alarm. When the heartbeat is overdue, the alarm wakes a
thread, which can run while the loop does not, to look at the loop's stack. Only when it finds the *same* step of the loop (the same outermost frame below the
loop's own, alive at two looks in a row) is the step blocking; a loop that is busy with many short steps shows a new one at each
look.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType

from harness.probe.alarm import Alarm
from harness.probe.frames import WRAPPER, library_frame, uncollected
from harness.probe.recorder import Probe
from harness.probe.route import WEBSOCKET, route_of

HEARTBEAT_S = 0.01


class LoopWatch:
    """The loop's heartbeat and the look at its stack. ``look`` is called by the probe's thread, woken by ``alarm``.

    ``on_beat``: what else is to be done on the loop, at each heartbeat.
    """

    def __init__(self, probe: Probe, also_start: Callable[[], None]) -> None:
        self._probe = probe
        self._also_start = also_start
        self.alarm = Alarm(2 * HEARTBEAT_S)
        self.on_beat: Callable[[], None] = lambda: None
        self.started = False
        self._loop_thread = 0
        self._due_s = 0.0
        self._worst_lag_s = 0.0
        self._base: frozenset[int] = frozenset()
        self._step: FrameType | None = None
        self._seen_s = 0.0
        self._seen_times = 0

    def start_on_running_loop(self) -> None:
        """Starts the heartbeat. Called on the loop, from the first call of the app (lifespan or request)."""
        self.started = True
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._due_s = monotonic() + HEARTBEAT_S
        self._loop.call_later(HEARTBEAT_S, self._beat)
        self._also_start()

    def _beat(self) -> None:
        self.alarm.put_off()
        if not self._base:
            self._base = _runner_codes(sys._getframe())
        now = monotonic()
        self._worst_lag_s = max(self._worst_lag_s, now - self._due_s)
        self._due_s = now + HEARTBEAT_S
        self._step = None  # it is over, and its frame must not be kept
        self._loop.call_later(HEARTBEAT_S, self._beat)
        self.on_beat()

    def take_worst_lag_s(self) -> float | None:
        """The latest the loop has been since the last call; None before the loop runs."""
        if not self.started:
            return None
        worst = max(self._worst_lag_s, monotonic() - self._due_s, 0.0)
        self._worst_lag_s = 0.0
        return worst

    def look(self) -> None:
        """Attributes the time since the last look to the step that has held the loop all that time, if one has."""
        now = monotonic()
        if not self._base or now < self._due_s + HEARTBEAT_S:
            self._step = None
            return
        with uncollected():
            self._attribute(now)

    def _attribute(self, now: float) -> None:
        leaf = sys._current_frames().get(self._loop_thread)
        step = _step_root(leaf, self._base)
        if leaf is None or step is None or step is not self._step:
            self._step, self._seen_s, self._seen_times = step, now, 1
            return
        self._seen_times += 1
        # A hold is first seen half an interval after its start and last seen half an interval before its end (on average):
        # the second look therefore counts twice.
        held_s = (now - self._seen_s) * (2 if self._seen_times == 2 else 1)
        self._seen_s = now
        user = self._probe.frames.user_frame(leaf)
        self._probe.add(
            "holds", (now, held_s, self._seen_times == 2, user, library_frame(leaf), _route_of(leaf, self._base))
        )


def _runner_codes(beat: FrameType) -> frozenset[int]:
    """The code of the frames that run the loop itself, below any step; by id, for hashing a code object reads all of it."""
    frame: FrameType | None = beat
    while frame is not None and frame.f_code is not asyncio.BaseEventLoop._run_once.__code__:  # type: ignore[attr-defined]
        frame = frame.f_back
    codes = set()
    while frame is not None:
        codes.add(id(frame.f_code))
        frame = frame.f_back
    return frozenset(codes)


def _step_root(leaf: FrameType | None, base: frozenset[int]) -> FrameType | None:
    root, frame = None, leaf
    while frame is not None and id(frame.f_code) not in base:
        root, frame = frame, frame.f_back
    return root


def _route_of(leaf: FrameType, base: frozenset[int]) -> str | None:
    frame: FrameType | None = leaf
    while frame is not None and id(frame.f_code) not in base:
        if frame.f_code.co_qualname == WRAPPER:
            scope = frame.f_locals.get("scope", {})
            return route_of(scope) or f"{scope.get('method', WEBSOCKET)} {scope.get('path')}"
        frame = frame.f_back
    return None
