"""Tells of what goes wrong in a request: exceptions nobody handled, coroutines nobody awaited, rows nobody committed.

Nothing here runs in a request that is well, but a look at a few attributes when it ends.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from harness.inside import Sight
from harness.probe.frames import WRAPPER, chain
from harness.probe.recorder import Probe
from harness.probe.state import RequestState, current_request

LONGEST_TOLD = 160  # characters
CONNECTION_LOST = "connection lost"  # stands among an exception's types where SQLAlchemy found its connection broken


def hook_sights(probe: Probe) -> None:
    """Hooks what starlette does with exceptions, and what Python does with coroutines that are thrown away."""
    _see_unhandled()
    _see_unawaited(probe)


def tell_of(request: RequestState, probe: Probe) -> None:
    """A request is about to end: tells its route's endpoint, once, and what went wrong."""
    route = request.find_route()
    if route is not None and route not in probe.routes and request.scope is not None:
        probe.routes.add(route)
        probe.see(Sight.ENDPOINT, place=probe.frames.function(request.scope.get("endpoint")), route=route)
    if request.error is not None:
        _tell_of_error(request, probe, request.error)
        request.error = None
    elif request.unkept and request.status is not None and request.status < 400:
        probe.unkept_routes.add(route)
        probe.see(Sight.UNKEPT, place=request.wrote, route=route)


def _tell_of_error(request: RequestState, probe: Probe, error: Exception) -> None:
    causes = chain(error)
    types = [type(cause).__name__ for cause in causes]
    if any(getattr(cause, "connection_invalidated", False) for cause in causes):
        types.append(CONNECTION_LOST)
    place, via = probe.frames.of_error(error)
    kind = Sight.FAILED
    if request.status is not None and request.status < 400:
        if not _left_the_app(error):
            kind, via = Sight.MASKED, probe.frames.catcher(error)
        elif request.last_byte_s is not None:
            kind = Sight.AFTER_ANSWER
    message = str(causes[-1]).strip().partition("\n")[0][:LONGEST_TOLD]
    probe.see(kind, " \N{LEFTWARDS ARROW} ".join(types), message, place=place, via=via, route=request.find_route())


def _left_the_app(error: Exception) -> bool:
    """Whether it came as far as the probe's own wrapper, around the whole app."""
    traceback = error.__traceback__
    return traceback is not None and traceback.tb_frame.f_code.co_qualname == WRAPPER


def _see_unhandled() -> None:
    """Starlette looks for a handler whenever an exception leaves an endpoint, and never else."""
    try:
        from starlette import _exception_handler as module
    except ImportError:
        return
    original: Any = getattr(module, "_lookup_exception_handler", None)
    if original is None:
        return

    def lookup(handlers: Any, error: Exception) -> Any:
        handler = original(handlers, error)
        request = current_request.get()
        if handler is None and request is not None:
            request.error = error
        return handler

    module._lookup_exception_handler = lookup  # type: ignore[assignment]


def _see_unawaited(probe: Probe) -> None:
    original = getattr(warnings, "_warn_unawaited_coroutine", None)
    if original is None:
        return

    def warn(coroutine: Any) -> None:
        request = current_request.get()
        place = probe.frames.user_frame(sys._getframe(1))
        probe.see(Sight.UNAWAITED, coroutine.__qualname__, place=place, route=request.find_route() if request else None)
        original(coroutine)

    warnings._warn_unawaited_coroutine = warn  # type: ignore[attr-defined]
