"""The servers of a gate: all up, each with its own database and its own load; only the one whose turn it is runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import psutil

from harness.contention import own_cpu_s
from harness.driving import load_job, load_limit_s
from harness.errors import TargetError
from harness.forkserver import TELL, Child, send
from harness.gate.alike import Answer
from harness.gate.findings import Promise
from harness.hearing import Heard, listen
from harness.record import InvariantResult, Outcome
from harness.staging import Rig, Stage, TrialPlan, set_stage
from harness.stats import quantile
from harness.trial import ask_invariants, window_of
from harness.window import Window

QUIET_LIMIT_S = 3.0  # after a turn, for requests and tasks that are still under way
QUIET_LOOK_S = 0.005
DONE, OUTCOME, KIND, INTENDED = 6, 8, 1, 4  # in the rows of :data:`harness.load.recorder.COLUMNS`


@dataclass(frozen=True)
class First:
    """What came of a server's first load."""

    alone: list[Answer]  # to one user
    response_p50_s: float | None  # under load; of what was not answered, the time so far
    lingers_s: float  # from the end of the turn until nothing is under way


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a turn is, and whether the users stay for the next one, with their connections."""

    warmup_s: float  # what is sent in it counts in what a request takes of the processor, and in no response time
    window_s: float
    stay: bool


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What came of a server's turn."""

    window: Window
    cpu_s: float  # of the app, from the turn's start to its end
    answered: int  # requests of the load, in the same time


@dataclass
class Arm:
    """One server, its load, and what its clients have been promised so far."""

    name: str
    label: str
    plan: TrialPlan
    rig: Rig
    stage: Stage
    client: list[Any] = field(default_factory=list)  # rows of all turns

    def first(self, pace: Pace) -> First:
        """One user, then a turn that does not count. Raises UsageError where the Locust file cannot be used."""
        self._signal(signal.SIGCONT)
        heard = Heard()
        job = load_job(self.plan, self.stage.host, self.rig.load) | {"turns": True}
        self.stage.load = self.rig.loads.spawn("harness.load.main:run", job, log=self.rig.logs / "load.log")
        listen(self.stage.load, self.stage.targets, heard, load_limit_s(self.plan), _no_step, until_ready=True)
        self._refuse_invalid(heard)
        alone = [
            Answer(row[3], row[7] or 0, None if row[OUTCOME] == Outcome.OK else str(row[10] or row[OUTCOME]))
            for row in heard.client
        ]
        before, start_s = len(self.client), time.monotonic()
        self.turn(0, self.plan.seed, pace)
        now_s = time.monotonic()
        took = [(row[DONE] or now_s) - row[INTENDED] for row in self.client[before:] if row[KIND] == "load"]
        lingers_s = now_s - start_s - pace.warmup_s - pace.window_s
        return First(alone=alone, response_p50_s=quantile(np.array(took), 0.5), lingers_s=lingers_s)

    def turn(self, number: int, seed: int, pace: Pace) -> Turn:
        """One turn. Raises TargetError when the app or the load process ends in it."""
        plan = replace(self.plan, id=number, seed=seed)
        heard, t0 = Heard(), time.monotonic()
        self._signal(signal.SIGCONT)
        cpu_s = self._cpu_s()
        load = self.stage.load
        assert load is not None, "first comes before any turn"
        with suppress(OSError):  # it has ended, which is heard next
            send(load.channel, {"kind": "turn", "seed": seed, **asdict(pace)})
        listen(load, self.stage.targets, heard, load_limit_s(plan) + pace.warmup_s + pace.window_s, _no_step)
        self._hear_out(heard)
        cpu_s = self._cpu_s() - cpu_s
        self.pause()
        self._refuse_invalid(heard)
        self.client += heard.client
        answered = sum(row[KIND] == "load" and row[DONE] is not None for row in heard.client)
        return Turn(window=window_of(plan, heard, t0, ()), cpu_s=cpu_s, answered=answered)

    def _hear_out(self, heard: Heard) -> None:
        """Asks the app for all that it has to tell, until nothing is under way in it: what it still did would be charged to its next turn."""
        until_s = time.monotonic() + QUIET_LIMIT_S
        for number, target in enumerate(self.stage.targets):
            while self._told_busy(target, heard, number, until_s):
                time.sleep(QUIET_LOOK_S)

    def _told_busy(self, target: Child, heard: Heard, number: int, until_s: float) -> bool:
        """Whether something is under way, as far as there is time to wait for its end."""
        try:
            send(target.channel, TELL)
            while (left_s := until_s - time.monotonic()) > 0:
                message = target.receive(left_s)
                if message is not None and message["kind"] == "told":
                    return bool(message["in_flight"])
                if message is not None:
                    heard.take(message, _no_step, number)
        except (EOFError, OSError):
            heard.invalid.append(f"the app ended: {target.last_log_lines()}")
        return False

    def _refuse_invalid(self, heard: Heard) -> None:
        if heard.invalid:
            raise TargetError(f"{self.label}: {heard.invalid[0]}")

    def _cpu_s(self) -> float:
        return sum(own_cpu_s(child.pid, sum(psutil.Process(child.pid).cpu_times()[:2])) for child in self.stage.targets)

    def promises(self) -> dict[str, InvariantResult]:
        """What became of each invariant. The app has ended."""
        told = Heard(client=self.client)
        return {r.name: r for r in ask_invariants(self.plan, self.stage.database_url, told)}

    def pause(self) -> None:
        """Stops the app where it stands, until its next turn."""
        self._signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self.stage.load is not None:
            self.stage.load.stop()
        self._signal(signal.SIGCONT)
        self.stage.stop()

    def _signal(self, number: int) -> None:
        for child in self.stage.children:
            if not child.ended:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, number)


@contextmanager
def started(name: str, label: str, rig: Rig, plan: TrialPlan) -> Iterator[Arm]:
    """One server, ready and stopped. Raises TargetError when it does not start."""
    arm = Arm(name, label, plan, rig, set_stage(rig, plan, watched=False))
    try:
        arm.pause()
        yield arm
    finally:
        try:
            arm.stop()
        finally:
            arm.stage.clear()


def promises_of(arms: dict[str, Arm]) -> tuple[Promise, ...]:
    """The invariants that every version is asked about, once the apps have ended."""
    found = {name: arm.promises() for name, arm in arms.items()}
    return tuple(
        Promise(
            name=name,
            promised={a: found[a][name].promised for a in arms},
            kept={a: found[a][name].kept for a in arms},
            zero=result.zero,
        )
        for name, result in found["a"].items()
        if all(name in found[a] for a in arms)
    )


def _no_step(_: str) -> None:
    return None
