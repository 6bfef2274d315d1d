"""Restarts of Postgres during a window, at moments that the clock on the wall tells and the Locust file knows too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from harness.errors import SetupError
from harness.record import Fault, Restart


class RestartsInWindow:
    """Runs ``restart`` in a thread at the moments that a fault names, from ``begin`` on, within ``window_s``."""

    def __init__(self, fault: Fault, restart: Callable[[], None], *, window_s: float, t0_monotonic: float) -> None:
        """restart: returns when Postgres answers again; t0_monotonic: from where the restarts' times count."""
        self._fault = fault
        self._restart = restart
        self._window_s = window_s
        self._t0 = t0_monotonic
        self._done: list[Restart] = []
        self._wrong: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restarts", daemon=True)

    def begin(self) -> None:
        """The window begins."""
        self._thread.start()

    def end(self) -> tuple[tuple[Restart, ...], list[str]]:
        """Waits for a restart that is under way. Returns all of them, and why the trial cannot be trusted."""
        self._ending.set()
        if not self._thread.ident:
            return (), []  # the window never began; whatever kept it from that has been said
        self._thread.join()
        if not self._done and not self._wrong:
            self._wrong.append("no restart of Postgres fell into the window: it is too short")
        return tuple(self._done), self._wrong

    def _run(self) -> None:
        for at_s in moments(self._fault, time.time(), time.time() + self._window_s):
            if self._ending.wait(max(0.0, at_s - time.time())):
                return
            began_s = time.monotonic()
            try:
                self._restart()
            except SetupError as error:
                self._wrong.append(f"Postgres could not be restarted: {error}")
                return
            back_s = time.monotonic()
            self._done.append(Restart(began_s=began_s - self._t0, back_s=back_s - self._t0))
            quiet_s = self._fault.restart_every_s - self._fault.restart_after_s
            if back_s - began_s > quiet_s:
                self._wrong.append(
                    f"Postgres took {back_s - began_s:.1f} s to restart, and the load pauses for {quiet_s:.1f} s only: "
                    "what failed then says nothing about the app"
                )
                return


def moments(fault: Fault, start_s: float, end_s: float) -> Iterator[float]:
    """The moments of restarts, as ``time.time()`` tells them: those after which the load goes on before the end. Pure."""
    round_ = int(start_s // fault.restart_every_s)
    while (round_ + 1) * fault.restart_every_s < end_s:
        at_s = round_ * fault.restart_every_s + fault.restart_after_s
        if at_s >= start_s:
            yield at_s
        round_ += 1
