"""How a command takes being told to end: as it takes Ctrl-C, so that all it started is stopped."""

from __future__ import annotations

import signal
from types import FrameType


def interrupt_on_termination() -> None:
    """Makes SIGTERM raise KeyboardInterrupt in the main thread."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
