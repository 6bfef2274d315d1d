"""What a trial is run on, and with what: the plan of a trial, and its stage: a database of its own and the app, started."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.forkserver import Child, ForkServer
from harness.hearing import Heard, OnStep, end
from harness.load_source import LoadSource
from harness.postgres.activity import ActivitySampler
from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer, start_postgres
from harness.postgres.urls import database_of
from harness.record import Pair, Profile
from harness.target.library import asked
from harness.target.limits import Limits
from harness.target.seeding import seed
from harness.target.target import start_target, start_upstream, start_worker


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """Where each trial gets its database from."""

    databases: Databases
    server: PostgresServer


@contextmanager
def filled_postgres(
    choice: str, targets: ForkServer, *, root: Path, logs: Path, cpus: Collection[int] | None = None
) -> Iterator[Postgres]:
    """A server whose template holds the catalogue's rows. On leaving, all that was put on it is gone.

    choice, cpus: as of :func:`harness.postgres.server.start_postgres`; root: the catalogue's. Raises SetupError, with the reason.
    """
    token = secrets.token_hex(4)
    with start_postgres(choice, run_token=token, cpus=cpus) as server:
        databases = Databases(server.url, run_token=token)
        databases.create_template(partial(seed, targets, root=root, log=logs / "seed.log"))
        yield Postgres(databases=databases, server=server)


@dataclass(frozen=True, kw_only=True)
class Rig:
    """What all trials of a run share."""

    started_s: float  # when the run began, on the monotonic clock
    logs: Path
    targets: ForkServer
    loads: ForkServer
    postgres: Postgres | None  # None: the app has its own database, or needs none
    port: int = 0
    load: LoadSource = field(default_factory=LoadSource)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is measured, and the Locust file that drives it."""

    target: str  # "module:app", started under the probe, or a URL, seen by clients alone
    app_dir: Path
    locustfile: Path
    env: Mapping[str, str] = field(default_factory=dict)
    factory: bool = False  # the target's name stands for a function that makes the app
    limits: Limits | None = None  # what it may use, where nobody has looked at its code

    @property
    def served(self) -> bool:
        """Whether the harness starts the app itself."""
        return "://" not in self.target


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    id: int
    pair: Pair
    variant: str
    subject: Subject
    block: int
    seed: int
    profile: Profile
    repeats: int | None = None  # id of the invalid trial that this one is run for once more
    watched: bool = False  # somebody looks on: the load process also tells what is under way


@dataclass(kw_only=True)
class Stage:
    """The database and the processes of one trial. Made by :func:`set_stage`; whoever has it calls ``stop``, then ``clear``."""

    started_s: float  # monotonic: the trial's times count from here
    log: Path
    host: str
    settle_s: float
    database_url: str | None = None
    children: list[Child] = field(default_factory=list)  # in the order in which they were started
    targets: tuple[Child, ...] = ()  # those of them that serve the app
    load: Child | None = None
    heard: Heard = field(default_factory=Heard)
    _sampler: ActivitySampler | None = None
    _drop: Callable[[], None] | None = None

    def keep(self, url: str, drop: Callable[[], None]) -> None:
        """The database is there; ``drop`` removes it."""
        self.database_url, self._drop = url, drop

    def watch(self, sampler: ActivitySampler) -> None:
        """Starts to watch the sessions of the database."""
        self._sampler = sampler
        sampler.start()

    def ask_to_end(self) -> None:
        """Says to the processes that they are to end, and waits for none of them."""
        for child in list(self.children):
            child.ask_to_end()

    def stop(self, on_step: OnStep = lambda _: None) -> None:
        """Ends the processes, and keeps what they still had to say."""
        children, self.children = self.children, []
        end(children, self.targets, self.heard, on_step, self.settle_s)

    def activity(self) -> list[tuple[float, int, int, int, int]]:
        """The sessions of the database so far, no more from now on."""
        samples = self._sampler.stop() if self._sampler else []
        return [(s.t_s, s.sessions, s.active, s.idle_in_transaction, s.lock_waits) for s in samples]

    def clear(self) -> None:
        """Removes what is left: processes, and the database."""
        self.stop()
        self.activity()
        if self._drop is not None:
            drop, self._drop = self._drop, None
            drop()


def log_name(plan: TrialPlan) -> str:
    """The file of a trial's log."""
    return f"{plan.id:03d}-{plan.pair.name}-{plan.variant}-{plan.block}.log"


def database_label(plan: TrialPlan) -> str:
    """What shows in the name of a trial's database."""
    return f"{plan.pair.name}_{plan.variant}"


def set_stage(rig: Rig, plan: TrialPlan, on_step: OnStep = lambda _: None, *, watched: bool = True) -> Stage:
    """Makes the database and starts the app. Raises TargetError or SetupError, and then leaves nothing behind.

    watched: whether the sessions of the database are counted, which costs Postgres a query every now and then.
    """
    log = rig.logs / log_name(plan)
    stage = Stage(started_s=time.monotonic(), log=log, host=plan.subject.target, settle_s=plan.pair.settle_s)
    try:
        if rig.postgres is not None:
            on_step("database")
            _make_database(rig.postgres, plan, stage, watched=watched)
        on_step("start")
        if plan.subject.served:
            _start(rig, plan, stage)
    except BaseException:
        stage.clear()
        raise
    return stage


def _make_database(postgres: Postgres, plan: TrialPlan, stage: Stage, *, watched: bool) -> None:
    url = postgres.databases.clone(database_label(plan))
    stage.keep(url, lambda: postgres.databases.drop(url))
    if watched:
        stage.watch(ActivitySampler(postgres.server.url, database_of(url), stage.started_s))


def _start(rig: Rig, plan: TrialPlan, stage: Stage) -> None:
    subject = plan.subject
    env = _environment(rig, plan, stage)
    server = start_target(
        rig.targets,
        subject.target,
        app_dir=subject.app_dir,
        env=env,
        log=stage.log,
        host=rig.load.target_host,
        port=rig.port,
        factory=subject.factory,
        processes=plan.pair.workers,
        settle_s=plan.pair.settle_s,
        limits=subject.limits,
        library=asked(plan.pair.settings),
    )
    stage.targets, stage.host = server.children, server.url
    stage.children += server.children
    if worker := plan.pair.variants[plan.variant].worker:
        stage.children.append(start_worker(rig.targets, worker, app_dir=subject.app_dir, env=env, log=stage.log))


def _environment(rig: Rig, plan: TrialPlan, stage: Stage) -> dict[str, str]:
    """The target's environment; starts the stub upstream where the pair needs one."""
    env = {**plan.pair.environment, **plan.subject.env}
    if stage.database_url is not None:
        env["DATABASE_URL"] = stage.database_url
    if plan.pair.upstream:
        upstream = start_upstream(rig.targets, plan.pair.settings["upstream_delay_s"], log=stage.log)
        stage.children += upstream.children
        env["UPSTREAM_URL"] = upstream.url
    return env
