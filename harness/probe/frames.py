"""Finds the app's own line in a stack."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import FrameType

HARNESS = str(Path(__file__).resolve().parent.parent)

FrameTuple = tuple[str, int, str]  # file, line, function


class Frames:
    """Tells the app's own code from everybody else's."""

    def __init__(self, app_dir: str) -> None:
        self._app_dir = app_dir.rstrip("/") + "/"
        libraries = {sysconfig.get_path(key) for key in ("stdlib", "purelib", "platlib")}
        self._not_ours = tuple(f"{folder.rstrip('/')}/" for folder in {*libraries, HARNESS})
        # By file name, not by code object: the hash of a code object reads all of its instructions, each time anew.
        self._shown: dict[str, str | None] = {}
        self._places: dict[FrameTuple, FrameTuple] = {}

    def user_frame(self, frame: FrameType | None) -> FrameTuple | None:
        """The innermost frame of the app's code, looking through SQLAlchemy's greenlets."""
        found = self._innermost(frame)
        if found is not None or (greenlet := sys.modules.get("greenlet")) is None:
            return found
        outer = greenlet.getcurrent().parent
        while outer is not None and found is None:
            found = self._innermost(outer.gr_frame)
            outer = outer.parent
        return found

    def _innermost(self, frame: FrameType | None) -> FrameTuple | None:
        shown = self._shown
        while frame is not None:
            code = frame.f_code
            try:
                file = shown[code.co_filename]
            except KeyError:
                file = shown[code.co_filename] = self._classify(code.co_filename)
            if file is not None:
                place = (file, line_of(frame), code.co_qualname)
                return self._places.setdefault(place, place)  # one object for each place, however often it is seen
            frame = frame.f_back
        return None

    def _classify(self, filename: str) -> str | None:
        """The file relative to the app's folder when it is the app's own, else None."""
        if not filename.startswith(self._app_dir) or filename.startswith(self._not_ours) or "site-packages" in filename:
            return None
        return filename[len(self._app_dir) :]


def library_frame(frame: FrameType) -> FrameTuple:
    """Any frame, named by its module's dotted path."""
    return frame.f_globals.get("__name__", frame.f_code.co_filename), line_of(frame), frame.f_code.co_qualname


def line_of(frame: FrameType) -> int:
    """The line that executes; that of the ``def`` where the instruction belongs to none, as at a function's very start."""
    line: int | None = frame.f_lineno
    return frame.f_code.co_firstlineno if line is None else line
