"""Trials one after the other, the next one's stage set while the last one's processes end, and never beside a window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from harness.errors import HarnessError
from harness.hearing import OnStep
from harness.staging import Rig, Stage, TrialPlan, set_stage
from harness.trial import TrialData, run_trial


class Relay:
    """Iterates over (index, plan); each plan is to be run before the next is asked for. A context manager: leaves no stage behind."""

    def __init__(self, rig: Rig, plans: Iterable[tuple[int, TrialPlan]]) -> None:
        self._rig = rig
        self._waiting = deque(plans)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="harness-stage")
        self._ahead: Future[Stage] | None = None  # the stage of the plan that waits first

    def __iter__(self) -> Iterator[tuple[int, TrialPlan]]:
        while self._waiting:
            yield self._waiting.popleft()

    def add(self, index: int, plan: TrialPlan) -> None:
        """Puts a plan in as the next, or behind the one whose stage is set already."""
        self._waiting.insert(0 if self._ahead is None else 1, (index, plan))

    def run(self, plan: TrialPlan, on_step: OnStep) -> TrialData:
        """Runs the plan that was handed out last. Raises as :func:`harness.trial.run_trial` does."""
        stage = None
        if self._ahead is not None:
            on_step("start")
            stage, self._ahead = self._ahead.result(), None
        return run_trial(self._rig, plan, on_step, stage, self._set_next)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ahead is not None:
            with suppress(HarnessError):  # of a trial that will not be run
                self._ahead.result().clear()
        self._thread.shutdown()

    def _set_next(self) -> None:
        if self._waiting and not self._rig.port:  # a port that was asked for is still in use
            self._ahead = self._thread.submit(set_stage, self._rig, self._waiting[0][1])
