"""Lets Locust's users start their tasks when the plan says, without their scenario knowing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import gevent
import gevent.event
from locust import TaskSet

_LOCUST_EXECUTE: Callable[[TaskSet], None] = TaskSet.execute_next_task
_LOCUST_WAIT: Callable[[TaskSet], None] = TaskSet.wait

LATE_BOUND_S = 10.0  # an arrival that nobody could send for this long is skipped, and counted as such


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
        return None


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
            _sleep_until(next(self._starts_s, 0.0))
        if time.monotonic() >= self._end_s:
            park()

    def pause(self, taskset: TaskSet) -> None:
        if self._think_s is None:
            _LOCUST_WAIT(taskset)
        else:
            gevent.sleep(self._think_s)


class OpenPacer:
    """Arrivals from one schedule. A free user takes the next arrival; one that is taken late is sent late, and seen to be.

    ``on_skip`` is called with the intended start of each arrival that is later than the bound, or that nobody took.
    """

    def __init__(self, schedule: Iterator[float], on_skip: Any) -> None:
        self._schedule = schedule
        self._on_skip = on_skip
        self._intended_s: dict[int, float] = {}

    def admit(self, user: Any) -> None:
        for at_s in self._schedule:
            if time.monotonic() - at_s > LATE_BOUND_S:
                self._on_skip(at_s)
                continue
            _sleep_until(at_s)
            self._intended_s[id(user)] = at_s
            return
        park()

    def pause(self, taskset: TaskSet) -> None:
        return None

    def take_intended(self, user: Any) -> float | None:
        """The intended start of the user's task, for its first request; None for those that follow from it."""
        return self._intended_s.pop(id(user), None)

    def skip_rest(self) -> None:
        """Counts the arrivals that no user was free to take."""
        for at_s in self._schedule:
            self._on_skip(at_s)


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


def _sleep_until(at_s: float) -> None:
    delay_s = at_s - time.monotonic()
    if delay_s > 0:
        gevent.sleep(delay_s)
