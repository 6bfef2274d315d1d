"""The servers of a gate: all up, each with its own database; only the one that is measured runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.driving import load_job, load_limit_s
from harness.errors import TargetError
from harness.gate.alike import Answer
from harness.gate.findings import Promise
from harness.hearing import Heard, end, listen
from harness.record import InvariantResult, Outcome, Profile
from harness.staging import Rig, Stage, TrialPlan, set_stage
from harness.stats import quantile
from harness.trial import ask_invariants, window_of
from harness.window import Window

QUIET_LIMIT_S = 3.0  # after a window, for requests and tasks that are still under way


@dataclass(frozen=True)
class First:
    """What came of a server's first load."""

    alone: list[Answer]  # to one user
    response_p50_s: float | None  # under load


@dataclass
class Arm:
    """One server, and what its clients have been promised so far."""

    name: str
    label: str
    plan: TrialPlan
    rig: Rig
    stage: Stage
    client: list[Any] = field(default_factory=list)  # rows of all windows
    disturbed: int = 0  # windows in which other processes took a core

    def first(self, profile: Profile) -> First:
        """One user, then a window that does not count."""
        heard, _ = self._load(replace(self.plan, profile=profile))
        alone = [row for row in heard.client if row[0]]
        took = [row[6] - row[4] for row in heard.client if not row[0] and row[1] == "load" and row[6] is not None]
        return First(
            alone=[
                Answer(row[3], row[7] or 0, None if row[8] == Outcome.OK else str(row[10] or row[8])) for row in alone
            ],
            response_p50_s=quantile(np.array(took), 0.5),
        )

    def window(self, number: int, seed: int) -> Window:
        """One window. Raises TargetError when the app or the load process ends in it."""
        plan = replace(self.plan, id=number, seed=seed, profile=replace(self.plan.profile, sequential_tasks=0))
        heard, t0 = self._load(plan)
        contention = heard.contention
        self.disturbed += contention is not None and contention.others_cores > 0.25
        return window_of(plan, heard, t0, ())

    def _load(self, plan: TrialPlan) -> tuple[Heard, float]:
        heard, t0 = Heard(), time.monotonic()
        self._signal(signal.SIGCONT)
        load = self.rig.loads.spawn(
            "harness.load.main:run",
            load_job(plan, self.stage.host, self.rig.load),
            log=self.rig.logs / "load.log",
        )
        try:
            listen(load, self.stage.targets, heard, load_limit_s(plan), _no_step)
        finally:
            end([load], (), heard, _no_step)
        self._wait_until_quiet(heard)
        self.pause()
        if heard.invalid:
            raise TargetError(f"{self.label}: {heard.invalid[0]}")
        self.client += heard.client
        # Sequence numbers begin anew with each load process: what an earlier window left behind is not of this one.
        heard.server["requests"] = [row for row in heard.server.get("requests", []) if row[2] >= t0]
        return heard, t0

    def _wait_until_quiet(self, heard: Heard) -> None:
        """Hears the app out until nothing is under way in it: what it still did would be charged to its next window."""
        since_s = time.monotonic()
        for number, target in enumerate(self.stage.targets):
            while (left_s := since_s + QUIET_LIMIT_S - time.monotonic()) > 0:
                try:
                    message = target.receive(left_s)
                except EOFError:
                    return
                if message is None:
                    return
                heard.take(message, _no_step, number)
                samples = [row for row in heard.server.get("samples", []) if row[-1] == number]
                if samples and samples[-1][0] > since_s and samples[-1][2] == 0:
                    break

    def promises(self) -> dict[str, InvariantResult]:
        """What became of each invariant. The app has ended."""
        told = Heard(client=self.client)
        return {r.name: r for r in ask_invariants(self.plan, self.stage.database_url, told)}

    def pause(self) -> None:
        """Stops the app where it stands, until its next window."""
        self._signal(signal.SIGSTOP)

    def stop(self) -> None:
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
