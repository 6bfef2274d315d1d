"""Runs in the target process: an app with a detector switched on.

Debug mode is switched on from inside, since uvicorn overrules PYTHONASYNCIODEBUG on Python 3.11. Where blockbuster would raise, its report
is told on stderr and the call goes on: an error could be caught unseen, and would hide what comes after it. Each is told once for
each stack: a line of JSON with the call and the stack, outermost frame first.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from types import FrameType
from typing import Any

from harness.target.serve import imported

APP = "HARNESS_DETECTED_APP"  # "module:app"
TELLS = "blockbuster: "


def in_debug_mode() -> Any:
    """The app that the environment names; from its first event on, its loop is in debug mode."""
    found = imported(os.environ[APP], factory=False)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        if not loop.get_debug():
            loop.set_debug(True)
        await found(scope, receive, send)

    return app


def under_blockbuster() -> Any:
    """The app that the environment names; from now on, what blockbuster would stop on a loop is told of and let through."""
    from blockbuster import BlockBuster, BlockingError, blockbuster

    found = imported(os.environ[APP], factory=False)
    told: set[str] = set()
    plain = blockbuster._wrap_blocking

    def wrap(*args: Any, **kwargs: Any) -> Any:
        checked, (func, name) = plain(*args, **kwargs), args[2:4]

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return checked(*args, **kwargs)
            except BlockingError:  # raised before the call
                _tell(name, sys._getframe(1), told)
            return func(*args, **kwargs)

        return call

    blockbuster._wrap_blocking = wrap
    BlockBuster().activate()
    return found


def _tell(call: str, frame: FrameType, told: set[str]) -> None:
    stack = [(f.f_code.co_filename, line, f.f_code.co_name) for f, line in traceback.walk_stack(frame)]
    line = json.dumps({"call": call, "stack": stack[::-1]})
    if line not in told:
        told.add(line)
        print(TELLS + line, file=sys.stderr, flush=True)
