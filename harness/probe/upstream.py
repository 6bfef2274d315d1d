"""Outgoing HTTP: how long the request waits for others, from the call to the answer's headers, and its body unless it is streamed.

The usual clients are hooked when the app imports them, or at once where they are imported already.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial, wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from harness.probe.state import current_request

_calling: ContextVar[bool] = ContextVar("harness_upstream", default=False)  # a redirect may be a call within a call


def hook_upstreams() -> None:
    """Hooks the clients that are imported, and those that will be."""
    for name, methods in HOOKS.items():
        if name in sys.modules:
            _hook(sys.modules[name], methods)
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Hooks a client as soon as its module is executed."""

    def __init__(self) -> None:
        self._finding = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in HOOKS or self._finding:
            return None
        self._finding = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._finding = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = partial(_execute_and_hook, execute)  # type: ignore[method-assign]
        return spec


def _execute_and_hook(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    execute(module)
    _hook(module, HOOKS[module.__name__])


def _hook(module: ModuleType, methods: dict[tuple[str, str], Callable[..., Any]]) -> None:
    for (owner, name), timed in methods.items():
        if (cls := getattr(module, owner, None)) is not None and hasattr(cls, name):
            setattr(cls, name, timed(getattr(cls, name)))


def _timed(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def timed(*args: Any, **named: Any) -> Any:
        request = current_request.get()
        if request is None or _calling.get():
            return original(*args, **named)
        calling = _calling.set(True)
        started_s = request.enter_span()
        try:
            return original(*args, **named)
        finally:
            request.upstream_s += request.leave_span() - started_s
            _calling.reset(calling)

    return timed


def _timed_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    async def timed(*args: Any, **named: Any) -> Any:
        request = current_request.get()
        if request is None or _calling.get():
            return await original(*args, **named)
        calling = _calling.set(True)
        started_s = request.enter_span()
        try:
            return await original(*args, **named)
        finally:
            request.upstream_s += request.leave_span() - started_s
            _calling.reset(calling)

    return timed


HOOKS = {
    "httpx": {("Client", "send"): _timed, ("AsyncClient", "send"): _timed_async},
    "requests": {("Session", "send"): _timed},
    "aiohttp": {("ClientSession", "_request"): _timed_async},
}
