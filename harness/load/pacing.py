"""Lets Locust's users start their tasks when the plan says, without their scenario knowing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import gevent
import gevent.event
from gevent.queue import SimpleQueue
from locust import TaskSet

from harness.load.clock import Sleeper, sleep_until

_LOCUST_EXECUTE: Callable[[TaskSet], None] = TaskSet.execute_next_task
_LOCUST_WAIT: Callable[[TaskSet], None] = TaskSet.wait

LATE_BOUND_S = 10.0  # an arrival that nobody could send for this long is skipped, and counted as such
LATE_S = 0.010  # an arrival that is sent later than this is counted as late
MOST_WITHOUT_GIVING_WAY = 100  # arrivals released in one go, where the schedule is ahead of the clock


@dataclass
class ArrivalCounts:
    """What became of the arrivals meant for the window. Each is sent, skipped or without a request; late ones are sent."""

    sent: int = 0
    late: int = 0
    skipped: int = 0
    without_request: int = 0  # the task made no request


class Pacer(Protocol):
    """Decides when a user may start its next task, and what happens between tasks."""

    def admit(self, user: Any) -> None:
        """Returns when the user may start a task."""

    def pause(self, taskset: TaskSet) -> None:
        """Called after each task."""


def park() -> None:
    """Waits to be killed: the plan holds nothing more for this user."""
    gevent.event.Event().wait()


class SequentialPacer:
    """A number of tasks, one after the other, without pauses. ``done`` is set after the last."""

    def __init__(self, tasks: int) -> None:
        self._left = tasks
        self.done = gevent.event.Event()

    def admit(self, user: Any) -> None:
        if self._left == 0:
            self.done.set()
            park()
        self._left -= 1

    def pause(self, taskset: TaskSet) -> None:
        gevent.sleep(0)  # a task may raise before it does anything


class ClosedPacer:
    """Users that wait for their answer. Their first tasks are spread; the pauses are the scenario's unless given here."""

    def __init__(self, starts_s: list[float], end_s: float, think_s: float | None) -> None:
        self._starts_s = iter(starts_s)
        self._end_s = end_s
        self._think_s = think_s
        self._begun: set[int] = set()

    def admit(self, user: Any) -> None:
        if id(user) not in self._begun:
            self._begun.add(id(user))
            sleep_until(next(self._starts_s, 0.0))
        if time.monotonic() >= self._end_s:
            park()

    def pause(self, taskset: TaskSet) -> None:
        if self._think_s is None:
            _LOCUST_WAIT(taskset)
        else:
            gevent.sleep(self._think_s)


class ClosedTurnPacer(ClosedPacer):
    """Users that wait for their answer, and between turns for the next one. All begin a turn at once, but for those that pause."""

    def __init__(self, think_s: float | None) -> None:
        super().__init__([], 0.0, think_s)
        self._turn = gevent.event.Event()

    def begin(self, end_s: float) -> None:
        """A turn, until ``end_s`` (monotonic)."""
        self._end_s = end_s
        self._turn.set()

    def admit(self, user: Any) -> None:
        while time.monotonic() >= self._end_s:
            self._turn.clear()
            self._turn.wait()


class OpenPacer:
    """Arrivals from one schedule. Each is released when it is due, and the user that has been free for longest takes it.

    Where no user is free it waits for one; it is then sent late, and seen to be. One that has waited for longer than the bound is
    skipped. ``on_skip`` is called with the intended start of each arrival that will not be sent.
    """

    def __init__(
        self,
        schedule: Iterator[float],
        on_skip: Callable[[float], None],
        *,
        count_from_s: float = 0.0,
        late_bound_s: float = LATE_BOUND_S,
    ) -> None:
        self.counts = ArrivalCounts()
        self._schedule = schedule
        self._on_skip = on_skip
        self._count_from_s = count_from_s
        self._late_bound_s = late_bound_s
        self._due: SimpleQueue[float] = SimpleQueue()
        self._waiting = 0  # in the queue, or on their way from it to a user
        self._taken: dict[int, float] = {}  # by the id of the user who has not yet sent its request
        self._releasing = gevent.spawn(self._release)

    def _release(self) -> None:
        sleeper = Sleeper()
        for n, at_s in enumerate(self._schedule):
            try:
                sleeper.sleep_until(at_s)
            finally:  # also when it is closed meanwhile
                self._waiting += 1
                self._due.put(at_s)
            if n % MOST_WITHOUT_GIVING_WAY == 0:
                gevent.sleep(0)

    def admit(self, user: Any) -> None:
        self._forget(user)
        while True:
            at_s = self._due.get()
            self._waiting -= 1
            if time.monotonic() - at_s <= self._late_bound_s:
                self._taken[id(user)] = at_s
                return
            self._skip(at_s)

    def pause(self, taskset: TaskSet) -> None:
        gevent.sleep(0)  # a task may raise before it does anything

    def take_intended(self, user: Any) -> float | None:
        """The intended start of the user's task, for its first request; None for those that follow from it."""
        at_s = self._taken.pop(id(user), None)
        if at_s is not None and at_s >= self._count_from_s:
            self.counts.sent += 1
            self.counts.late += time.monotonic() - at_s > LATE_S
        return at_s

    @property
    def has_waiting(self) -> bool:
        """Whether there are arrivals that wait for a user, or are taken by one and yet to be sent."""
        return self._waiting > 0 or bool(self._taken)

    @property
    def has_backlog(self) -> bool:
        """Whether there are arrivals that are yet to be sent: not released, waiting for a user, or taken by one."""
        return self.has_waiting or not self._releasing.ready()

    def skip_waiting(self) -> None:
        """Counts as skipped the arrivals that nobody took. No user is left that could."""
        while not self._due.empty():
            self._skip(self._due.get())
        self._waiting = 0
        self._taken.clear()

    def close(self) -> None:
        """Releases no more, and counts as skipped the arrivals that nobody took."""
        gevent.kill(self._releasing)
        while not self._due.empty():
            self._skip(self._due.get())
        for at_s in self._schedule:
            self._skip(at_s)
        self.counts.without_request += sum(at_s >= self._count_from_s for at_s in self._taken.values())
        self._taken.clear()

    def _skip(self, at_s: float) -> None:
        self._on_skip(at_s)
        self.counts.skipped += at_s >= self._count_from_s

    def _forget(self, user: Any) -> None:
        """The user's last task may have ended without a request."""
        at_s = self._taken.pop(id(user), None)
        if at_s is not None:
            self.counts.without_request += at_s >= self._count_from_s


class PacedTasks:
    """Puts the current pacer between Locust's users and their tasks."""

    def __init__(self) -> None:
        self.pacer: Pacer | None = None
        paced = self

        def execute_next_task(taskset: TaskSet) -> None:
            opens_nested = isinstance(taskset._task_queue[0], type)
            if paced.pacer is not None and not opens_nested:
                paced.pacer.admit(taskset.user)
            _LOCUST_EXECUTE(taskset)

        def wait(taskset: TaskSet) -> None:
            if paced.pacer is None:
                _LOCUST_WAIT(taskset)
            else:
                paced.pacer.pause(taskset)

        TaskSet.execute_next_task = execute_next_task  # type: ignore[method-assign]
        TaskSet.wait = wait  # type: ignore[method-assign]
