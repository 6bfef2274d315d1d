"""One press of Run: its variants under the same load, together or in turn, to be looked at while they go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness.demo.look import Look
from harness.demo.picture import Picture, Watched
from harness.errors import HarnessError
from harness.record import Pair, Profile, Trial
from harness.staging import Rig, Stage, Subject, TrialPlan, log_name, set_stage
from harness.target.library import DEFAULTS
from harness.trial import run_trial

WARMUP_S = 0.3
DRAIN_S = 0.3
_LOG_LINES = 14
_LOG_BYTES = 16 << 10  # that are read of it
_LONGEST_LINE = 300


class Stopped(Exception):
    """Somebody pressed Stop before the load began."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be run."""

    pair: Pair  # as the knobs stand
    subjects: Mapping[str, Subject]  # of each variant, in their order
    seconds: float
    together: bool


@dataclass(kw_only=True)
class Lane:
    """One variant of a run."""

    variant: str
    step: str = "waits"
    heard: Watched
    trial: Trial | None = None  # when it has ended
    error: str | None = None  # why there is none
    log_end: str = ""  # the last lines of its log, where something went wrong
    outside: str | None = None  # why it was ended from outside
    settled: bool = False  # nothing more is to be seen
    last: Look = field(default_factory=Look)  # of its end

    def look(self) -> Look:
        """What is to be seen now; when it has ended, what was last."""
        if self.settled or self.ended:
            return self.last
        return self.heard.at_end or self.heard.picture.look()

    @property
    def ended(self) -> bool:
        return self.trial is not None or self.error is not None


class Performance:
    """Runs an order; ``stop`` ends it at any time, from any thread."""

    def __init__(self, order: Order, rig_of: Callable[[int, str], Rig], first_id: int) -> None:
        """rig_of: from the number of a lane, of those that run at once, and its variant, to what it runs on."""
        self.order = order
        self._rig_of = rig_of
        self._first_id = first_id
        pair = order.pair
        tokens = int(pair.settings.get("thread_tokens", DEFAULTS["thread_tokens"]))
        self.lanes = [
            Lane(variant=variant, heard=Watched(picture=Picture(pair.workers, tokens))) for variant in order.subjects
        ]
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends what runs, at its next word, and begins nothing more."""
        self._stopping.set()
        for lane in self.lanes:
            lane.heard.stopping.set()

    def run(self) -> None:
        """Returns when all has ended. What goes wrong with a variant is its lane's error."""
        groups = [self.lanes] if self.order.together else [[lane] for lane in self.lanes]
        for group in groups:
            self._run_together(group)

    def _run_together(self, group: list[Lane]) -> None:
        """Sets the stages one after the other, then lets the loads begin at once."""
        staged: list[tuple[Lane, Rig, TrialPlan, Stage]] = []
        for number, lane in enumerate(group):
            rig: Rig | None = None
            try:
                rig = self._rig_of(number, lane.variant)
                plan = self._plan(lane)
                staged.append((lane, rig, plan, set_stage(rig, plan, lambda step, lane=lane: self._step(lane, step))))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001 - the page lives on, and says so; so do the other lanes
                lane.error = _words(error)
                lane.log_end = _log_end(rig.logs / log_name(self._plan(lane))) if rig else ""
        with ThreadPoolExecutor(max(1, len(staged)), thread_name_prefix="demo-lane") as threads:
            for each in staged:
                threads.submit(self._run_lane, *each)

    def _run_lane(self, lane: Lane, rig: Rig, plan: TrialPlan, stage: Stage) -> None:
        def note_end() -> None:
            lane.last = lane.heard.at_end or lane.heard.picture.look()
            lane.settled = True
            lane.step = "ended"

        def on_step(step: str) -> None:
            lane.step = {"sequential check": "load"}.get(step, step)

        stage.heard = lane.heard
        try:
            lane.trial = run_trial(rig, plan, on_step, stage, when_ended=note_end).trial
        except Exception as error:  # noqa: BLE001 - the page lives on, and says so
            lane.error = _words(error)
        if lane.error or (lane.trial and lane.trial.invalid):
            lane.log_end = _log_end(stage.log)

    def _step(self, lane: Lane, step: str) -> None:
        if self._stopping.is_set():
            raise Stopped("it was stopped before it began")
        lane.step = step

    def _plan(self, lane: Lane) -> TrialPlan:
        order = self.order
        profile = Profile(
            name="demo", warmup_s=WARMUP_S, window_s=order.seconds, blocks=1, drain_s=DRAIN_S, sequential_tasks=0
        )
        number = self._first_id + self.lanes.index(lane)
        return TrialPlan(
            id=number, pair=order.pair, variant=lane.variant, subject=order.subjects[lane.variant], block=1, seed=1,
            profile=profile, watched=True,
        )  # fmt: skip


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, HarnessError | Stopped) else f"{type(error).__name__}: {error}"


def _log_end(log: Path) -> str:
    """The last lines of a log: of a traceback, those that matter."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(line[:_LONGEST_LINE] for line in lines[-_LOG_LINES:])
