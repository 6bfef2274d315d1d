"""A pytest fixture with which a test drives its app under load and asserts what no test of one request can see.

    def test_the_shop_under_load(concurrency):
        seen = concurrency.drive("shop.main:app", paths=["/items/1"], users=20)
        seen.loop_is_free()
        seen.pool_is_given_back()
        seen.queries_per_request(at_most=3)
        seen.p95_is_below(0.2)

The app runs in a process of its own, under the probe, as with ``harness run``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.measured import Figures
    from harness.record import Trial
    from harness.staging import Rig

MOST_HELD_SHARE = 0.1  # of the window, by one callback
SCENARIO = """from itertools import cycle
from locust import FastHttpUser, constant, task

PATHS = cycle({paths!r})

class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task
    def visit(self):
        self.client.get(next(PATHS))
"""


@dataclass(frozen=True)
class Seen:
    """What one drive measured. Each method raises AssertionError with a sentence when what it names does not hold."""

    trial: Trial

    @property
    def figures(self) -> Figures:
        """Every figure of the window, for assertions of one's own."""
        return self.trial.figures

    def loop_is_free(self, *, at_most: float = MOST_HELD_SHARE) -> None:
        """No callback holds the event loop for more than this share of the window."""
        __tracebackhide__ = True
        held = self._measured("loop_held_share")
        where = self.trial.holds[0] if self.trial.holds else None
        line = (
            f": {where.user or where.offender} keeps it in {where.offender} while serving {where.route}"
            if where
            else ""
        )
        assert held <= at_most, f"the event loop was held for {held:.0%} of the window, {at_most:.0%} is allowed{line}"

    def pool_is_given_back(self) -> None:
        """No connection outlives its request, and none gives up waiting for one."""
        __tracebackhide__ = True
        self._measured("connections_out_max")
        for site in self.trial.checkouts:
            place = f"session made at {site.session}, connection taken at {site.taken}, route {site.route}"
            assert not site.outlived, f"{site.outlived} of {site.checkouts} connections outlived their request: {place}"
        for site in self.trial.checkouts:
            place = f"asked for at {site.taken}, route {site.route}"
            assert not site.timeouts, f"{site.timeouts} requests gave up waiting for a connection: {place}"

    def queries_per_request(self, *, at_most: float) -> None:
        """The mean over right answers; over all answers when none was right."""
        __tracebackhide__ = True
        found = self._measured("queries_per_request")
        assert found <= at_most, f"a request makes {found:.3g} queries on average, {at_most:g} are allowed"

    def p95_is_below(self, seconds: float) -> None:
        """95 % of the requests are answered within so many seconds, from when they were meant to be sent."""
        __tracebackhide__ = True
        found = self._measured("response_p95_s")
        note = self.trial.warnings.get("response_p95_s")
        limit = f"95 % of {self.figures.requests} requests took up to {found * 1000:.1f} ms, {seconds * 1000:g} ms are allowed"
        assert found < seconds, limit + (f" ({note})" if note else "")

    def nothing_failed(self) -> None:
        """Every request got the answer that the scenario takes for right."""
        __tracebackhide__ = True
        failed = self._measured("failed_share")
        assert failed == 0, f"{failed:.1%} of the requests failed; outcomes: {self.trial.outcomes}"

    def _measured(self, name: str) -> float:
        found = getattr(self.figures, name)
        if found is None:
            pytest.fail(
                f"{name} was not measured: no request was answered, or the app does not use SQLAlchemy", pytrace=False
            )
        return float(found)


class Concurrency:
    """Starts apps and drives them. One for the whole test session: its helper processes take a second to start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._shared: Rig | None = None
        self._drives = 0

    def drive(
        self,
        app: str,
        *,
        locustfile: Path | str | None = None,
        paths: Sequence[str] = (),
        users: int = 10,
        seconds: float = 2.0,
        warmup: float = 0.5,
        app_dir: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        factory: bool = False,
    ) -> Seen:
        """Drives ``module:app`` with so many users, who each wait for their answer.

        Give a Locust file, or paths that are asked with GET in turn. app_dir: to import from; None: the current
        folder. Raises
        UsageError for what cannot be used and TargetError, with the end of its log, when the app does not start or
        ends.
        """
        from harness.errors import TargetError, UsageError
        from harness.own import VARIANT, OwnApp, own_plan
        from harness.staging import TrialPlan
        from harness.trial import run_trial

        if (locustfile is None) == (not paths):
            raise UsageError("drive() needs either a locustfile or paths")
        self._drives += 1
        own = OwnApp(
            target=app, locustfile=Path(locustfile) if locustfile is not None else self._scenario(paths), users=users, seconds=seconds,
            warmup_s=warmup, app_dir=Path(app_dir) if app_dir is not None else None, factory=factory,
            env=[f"{name}={value}" for name, value in (env or {}).items()],
        )  # fmt: skip
        plan = own_plan(own, out=self._folder, seed=self._drives, command="pytest")
        (pair,) = plan.pairs
        trial = TrialPlan(
            id=self._drives, pair=pair, variant=VARIANT, subject=plan.subjects[pair.name, VARIANT], block=1, seed=1, profile=plan.profile
        )  # fmt: skip
        data = run_trial(self._rig(), trial)
        ended = [reason for reason in data.trial.invalid if "ended before" in reason]
        if ended:
            raise TargetError(ended[0])
        return Seen(data.trial)

    def close(self) -> None:
        self._stack.close()

    def _scenario(self, paths: Sequence[str]) -> Path:
        file = self._folder / f"locust_{self._drives}.py"
        file.write_text(SCENARIO.format(paths=list(paths)), encoding="utf-8")
        return file

    def _rig(self) -> Rig:
        from harness.driving import LOAD_PRELOAD
        from harness.forkserver import ForkServer
        from harness.staging import Rig
        from harness.target.target import OWN_PRELOAD

        if self._shared is None:
            self._shared = Rig(
                started_s=time.monotonic(), logs=self._folder, postgres=None, targets=self._stack.enter_context(ForkServer(OWN_PRELOAD)),
                loads=self._stack.enter_context(ForkServer(LOAD_PRELOAD)),
            )  # fmt: skip
        return self._shared


@pytest.fixture(scope="session")
def concurrency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Concurrency]:
    """Drives an app under load: see :mod:`harness.pytest_plugin`."""
    driver = Concurrency(tmp_path_factory.mktemp("concurrency"))
    yield driver
    driver.close()
