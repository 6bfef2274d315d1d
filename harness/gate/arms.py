"""The servers of a gate: all up, each with its own database; only the one that is measured runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.errors import TargetError
from harness.forkserver import Child
from harness.gate.alike import Answer
from harness.gate.findings import Promise
from harness.hearing import Heard, end, listen
from harness.record import Outcome, Profile
from harness.stats import quantile
from harness.target.target import start_target
from harness.trial import (
    LOAD_SLACK_S,
    SEQUENTIAL_LIMIT_S,
    Rig,
    TrialPlan,
    ask_invariants,
    load_job,
    target_environment,
    window_of,
)
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
    target: Child
    url: str
    database_url: str | None
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
        os.kill(self.target.pid, signal.SIGCONT)
        load = self.rig.loads.spawn(
            "harness.load.main:run", load_job(plan, self.url, self.rig.load_workers), log=self.rig.logs / "load.log"
        )
        profile = plan.profile
        limit_s = SEQUENTIAL_LIMIT_S + profile.warmup_s + profile.window_s + profile.drain_s + LOAD_SLACK_S
        try:
            listen(load, self.target, heard, limit_s, _no_step)
        finally:
            end([load], heard, _no_step)
        self._wait_until_quiet(heard)
        if not self.target.ended:
            os.kill(self.target.pid, signal.SIGSTOP)
        if heard.invalid:
            raise TargetError(f"{self.label}: {heard.invalid[0]}")
        self.client += heard.client
        # Sequence numbers begin anew with each load process: what an earlier window left behind is not of this one.
        heard.server["requests"] = [row for row in heard.server.get("requests", []) if row[2] >= t0]
        return heard, t0

    def _wait_until_quiet(self, heard: Heard) -> None:
        """Hears the app out until nothing is under way in it: what it still did would be charged to its next window."""
        since_s = time.monotonic()
        while (left_s := since_s + QUIET_LIMIT_S - time.monotonic()) > 0:
            try:
                message = self.target.receive(left_s)
            except EOFError:
                return
            if message is None:
                return
            heard.take(message, _no_step)
            samples = heard.server.get("samples", [])
            if samples and samples[-1][0] > since_s and samples[-1][2] == 0:
                return

    def promises(self) -> dict[str, tuple[int, int]]:
        """Rows promised and kept, by invariant. The app has ended."""
        told = Heard(client=self.client)
        return {r.name: (r.promised, r.kept) for r in ask_invariants(self.plan.pair, self.database_url, told)}

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            if not self.target.ended:
                os.kill(self.target.pid, signal.SIGCONT)
        self.target.stop()


@contextmanager
def started(name: str, label: str, rig: Rig, plan: TrialPlan) -> Iterator[Arm]:
    """One server, ready and stopped. Raises TargetError when it does not start."""
    children: list[Child] = []
    log = rig.logs / f"{name}.log"
    with ExitStack() as stack:
        url = None
        if rig.postgres is not None:
            url = rig.postgres.databases.clone(f"gate_{name}")
            stack.callback(rig.postgres.databases.drop, url)
        stack.callback(lambda: [child.stop() for child in children])
        env = target_environment(rig, plan, url, children, log)
        subject = plan.subject
        server = start_target(
            rig.targets, subject.target, app_dir=subject.app_dir, env=env, log=log, factory=subject.factory
        )
        arm = Arm(name, label, plan, rig, server.child, server.url, url)
        stack.callback(arm.stop)
        os.kill(server.child.pid, signal.SIGSTOP)
        yield arm


def promises_of(arms: dict[str, Arm]) -> tuple[Promise, ...]:
    """The invariants, once the apps have ended."""
    found = {name: arm.promises() for name, arm in arms.items()}
    return tuple(
        Promise(name=name, promised={a: found[a][name][0] for a in arms}, kept={a: found[a][name][1] for a in arms})
        for name in found["a"]
    )


def _no_step(_: str) -> None:
    return None
