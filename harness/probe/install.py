"""Puts the probe around an app, before the app is imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from multiprocessing.connection import Connection

from harness.probe.asgi import App, probed
from harness.probe.home import ProbeThread
from harness.probe.loop import LoopWatch
from harness.probe.recorder import Probe
from harness.probe.sights import hook_sights
from harness.probe.steps import hook_steps
from harness.probe.threads import TokenWatch, hook_threads
from harness.probe.upstream import hook_upstreams


class InstalledProbe:
    """The hooks are in; wrap the app next, then start the thread."""

    def __init__(self, app_dir: str, channel: Connection, on_stop: Callable[[], None], settle_s: float = 0.0) -> None:
        self._probe = Probe(app_dir)
        self._tokens = TokenWatch()
        self._loop = LoopWatch(self._probe, also_start=self._tokens.start_on_running_loop)
        self.thread = ProbeThread(channel, self._probe, self._loop, self._tokens, on_stop, settle_s)
        hook_steps()
        hook_threads()
        hook_upstreams()
        hook_sights(self._probe)
        if find_spec("sqlalchemy"):
            from harness.probe.pool import hook_pools
            from harness.probe.queries import hook_queries

            hook_pools(self._probe)
            hook_queries(self._probe)

    def wrap(self, app: App) -> App:
        return probed(app, self._probe, self._loop)

    def busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self._probe.in_flight)
