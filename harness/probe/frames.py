"""Finds the app's own line in a stack."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

HARNESS = str(Path(__file__).resolve().parent.parent)

FrameTuple = tuple[str, int, str]  # file, line, function


class Frames:
    """Tells the app's own code from everybody else's."""

    def __init__(self, app_dir: str) -> None:
        self._app_dir = app_dir.rstrip("/") + "/"
        libraries = {sysconfig.get_path(key) for key in ("stdlib", "purelib", "platlib")}
        self._not_ours = tuple(f"{folder.rstrip('/')}/" for folder in {*libraries, HARNESS})
        self._shown: dict[CodeType, str | None] = {}

    def user_file(self, code: CodeType) -> str | None:
        """The file relative to the app's folder when the code is the app's, else None."""
        try:
            return self._shown[code]
        except KeyError:
            shown = self._shown[code] = self._classify(code.co_filename)
            return shown

    def _classify(self, filename: str) -> str | None:
        if not filename.startswith(self._app_dir) or filename.startswith(self._not_ours) or "site-packages" in filename:
            return None
        return filename[len(self._app_dir) :]

    def user_frame(self, frame: FrameType | None) -> FrameTuple | None:
        """The innermost frame of the app's code, looking through SQLAlchemy's greenlets."""
        for each in _outwards(frame):
            shown = self.user_file(each.f_code)
            if shown is not None:
                return shown, each.f_lineno, each.f_code.co_qualname
        return None


def library_frame(frame: FrameType) -> FrameTuple:
    """Any frame, named by its module's dotted path."""
    return frame.f_globals.get("__name__", frame.f_code.co_filename), frame.f_lineno, frame.f_code.co_qualname


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    yield from _chain(frame)
    greenlet = sys.modules.get("greenlet")
    current = greenlet.getcurrent().parent if greenlet else None
    while current is not None:
        yield from _chain(current.gr_frame)
        current = current.parent


def _chain(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
