"""Trials one after the other, the next one made ready while the last one's end is seen to, and never beside a window.

In the warm-up of a trial the next one's database is made; when its load is over, the next one's stage is set; when its processes have ended, the next one's sequential check is made.
Its warm-up begins when nothing is left to do for the last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from harness.driving import rehearse
from harness.errors import HarnessError
from harness.hearing import OnStep
from harness.record import Pair
from harness.staging import Rig, Stage, TrialPlan, database_label, set_stage
from harness.trial import TrialData, run_trial


class Relay:
    """Iterates over (index, plan); each plan is to be run before the next is asked for. A context manager: leaves no stage behind."""

    def __init__(self, rig: Rig, plans: Iterable[tuple[int, TrialPlan]]) -> None:
        self._rig = rig
        self._waiting = deque(plans)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="harness-stage")
        self._set: Future[Stage] | None = None  # the stage of the plan that waits first
        self._rehearsed: Future[None] | None = None  # what is done on it ahead of its turn

    def __iter__(self) -> Iterator[tuple[int, TrialPlan]]:
        while self._waiting:
            yield self._waiting.popleft()

    def add(self, index: int, *plans: TrialPlan) -> None:
        """Puts plans in as the next, or behind the one whose stage is set already."""
        for place, plan in enumerate(plans, 0 if self._set is None else 1):
            self._waiting.insert(place, (index, plan))

    def waits_for(self, pair: Pair, *, below: int) -> bool:
        """Whether a trial of this pair, with an index below this, is still to be run."""
        return any(plan.pair is pair and index < below for index, plan in self._waiting)

    def run(self, plan: TrialPlan, on_step: OnStep) -> TrialData:
        """Runs the plan that was handed out last. Raises as :func:`harness.trial.run_trial` does."""
        stage = None
        if self._set is not None:
            on_step("start")
            stage = self._set.result()
            if self._rehearsed is not None:
                on_step("sequential check")
                self._rehearsed.result()
            self._set = self._rehearsed = None
        return run_trial(
            self._rig, plan, partial(self._step, plan, on_step), stage, self._set_next, self._rehearse_next
        )

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        if self._set is not None:
            with suppress(HarnessError):  # of a trial that will not be run
                stage = self._set.result()
                stage.ask_to_end()
                self._thread.shutdown()
                stage.clear()
        self._thread.shutdown()

    def _step(self, plan: TrialPlan, on_step: OnStep, name: str) -> None:
        """A step of the trial begins. The next one's database is made in the warm-up, where that is long enough for it by far."""
        if name == "warm-up" and self._waiting and self._rig.postgres is not None:
            following = self._waiting[0][1]
            self._thread.submit(
                self._rig.postgres.databases.clone_ahead, database_label(following), plan.profile.warmup_s / 3
            )
        on_step(name)

    def _set_next(self) -> None:
        if self._waiting and not self._rig.port:  # a port that was asked for is still in use
            self._set = self._thread.submit(set_stage, self._rig, self._waiting[0][1])

    def _rehearse_next(self) -> None:
        if (
            self._set is not None and self._rig.load.master is None
        ):  # where workers of other machines come to is one address
            self._rehearsed = self._thread.submit(self._rehearse, self._waiting[0][1], self._set)

    def _rehearse(self, plan: TrialPlan, stage: Future[Stage]) -> None:
        if stage.exception() is None:  # else told of when its turn comes
            rehearse(self._rig, plan, stage.result())
