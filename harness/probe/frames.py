"""Finds the app's own line in a stack."""

from __future__ import annotations

import gc
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

HARNESS = str(Path(__file__).resolve().parent.parent)

FrameTuple = tuple[str, int, str]  # file, line, function
WRAPPER = "probed.<locals>.probed_app"  # the function of the harness around every app: where a request begins

_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class Frames:
    """Tells the app's own code from everybody else's."""

    def __init__(self, app_dir: str) -> None:
        self._app_dir = app_dir.rstrip("/") + "/"
        libraries = {sysconfig.get_path(key) for key in ("stdlib", "purelib", "platlib")}
        self._not_ours = tuple(f"{folder.rstrip('/')}/" for folder in {*libraries, HARNESS})
        # By file name, not by code object: the hash of a code object reads all of its instructions, each time anew.
        self._shown: dict[str, str | None] = {}
        self._places: dict[FrameTuple, FrameTuple] = {}
        self._made: dict[tuple[int, int], tuple[FrameTuple, CodeType]] = {}

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

    def maker(self, frame: FrameType | None) -> FrameTuple | None:
        """As :meth:`user_frame`; of a generator that the app's own code drives by hand, the line that drives it."""
        own = self._own(frame)
        if own is None:
            return self.user_frame(frame)
        code = own.f_code
        # Every session comes by here: what drives a generator has mostly been classified, and to find a line means to read a whole table.
        if code.co_flags & _GENERATOR and (driver := own.f_back) is not None:
            name = driver.f_code.co_filename
            if self._shown[name] if name in self._shown else self._shown_name(driver):
                own, code = driver, driver.f_code
        at = id(code), own.f_lasti
        if at not in self._made:
            self._made[at] = self._place(own, line_of(own)), code  # the code is kept, so that no other gets its id
        return self._made[at][0]

    def entry(self, frame: FrameType | None) -> FrameTuple | None:
        """The outermost frame of the app's code."""
        found = None
        while frame is not None:
            found = frame if self._shown_name(frame) else found
            frame = frame.f_back
        return None if found is None else self._place(found, line_of(found))

    def of_error(self, error: BaseException) -> tuple[FrameTuple | None, FrameTuple | None]:
        """The app's innermost line in the traceback of the exception, and the first of the unbroken run of its lines that leads there.

        Of the exception's causes, the deepest that passed through the app's code.
        """
        found: tuple[FrameTuple | None, FrameTuple | None] = None, None
        for each in chain(error):
            run: list[FrameTuple] = []
            inside = False
            for traceback in _entries(each):
                if self._shown_name(traceback.tb_frame):
                    if not inside:
                        run = []
                    run.append(self._place(traceback.tb_frame, traceback.tb_lineno))
                    inside = True
                else:
                    inside = False
            if run:
                found = run[-1], run[0]
        return found

    def catcher(self, error: BaseException) -> FrameTuple | None:
        """The outermost line of the app that an exception came to: the one that caught it, when it went no further."""
        for traceback in _entries(error):
            if self._shown_name(traceback.tb_frame):
                return self._place(traceback.tb_frame, traceback.tb_lineno)
        return None

    def function(self, function: Any) -> FrameTuple | None:
        """A function of the app's own, at its first line."""
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        if code is None or (file := self._classify(code.co_filename)) is None:
            return None
        return file, code.co_firstlineno, code.co_qualname

    def _shown_name(self, frame: FrameType) -> str | None:
        name = frame.f_code.co_filename
        if name not in self._shown:
            self._shown[name] = self._classify(name)
        return self._shown[name]

    def _place(self, frame: FrameType, line: int | None) -> FrameTuple:
        place = (
            self._shown[frame.f_code.co_filename] or "",
            line or frame.f_code.co_firstlineno,
            frame.f_code.co_qualname,
        )
        return self._places.setdefault(place, place)

    def _innermost(self, frame: FrameType | None) -> FrameTuple | None:
        own = self._own(frame)
        return None if own is None else self._place(own, line_of(own))

    def _own(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of the app's code, itself."""
        shown = self._shown
        while frame is not None:
            name = frame.f_code.co_filename
            try:
                if shown[name] is not None:
                    return frame
            except KeyError:
                shown[name] = self._classify(name)
                continue
            frame = frame.f_back
        return None

    def _classify(self, filename: str) -> str | None:
        """The file relative to the app's folder when it is the app's own, else None."""
        if not filename.startswith(self._app_dir) or filename.startswith(self._not_ours) or "site-packages" in filename:
            return None
        return filename[len(self._app_dir) :]


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile. For whoever looks at the frames of other threads.

    To make a frame's object may start the collector, and what that finalizes (a session, which gives its connection back) may let other
    threads run: the frame may be gone before its object is made, and the interpreter crashes; or another thread wants the list of threads, which is
    still locked, and all stand still. That is so up to Python 3.11.8 (python/cpython#106883).
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def chain(error: BaseException) -> list[BaseException]:
    """An exception and what caused it, outermost first; of a group the first."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found


def _entries(error: BaseException) -> Iterator[TracebackType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def library_frame(frame: FrameType) -> FrameTuple:
    """Any frame, named by its module's dotted path."""
    return frame.f_globals.get("__name__", frame.f_code.co_filename), line_of(frame), frame.f_code.co_qualname


def line_of(frame: FrameType) -> int:
    """The line that executes; that of the ``def`` where the instruction belongs to none, as at a function's very start."""
    line: int | None = frame.f_lineno
    return frame.f_code.co_firstlineno if line is None else line
