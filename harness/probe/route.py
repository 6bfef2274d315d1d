"""The route that answers a request, as its path is written in the app."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]

WEBSOCKET = "WEBSOCKET"


def route_of(scope: Scope) -> str | None:
    """The method (or :data:`WEBSOCKET`) and the path's pattern, with the prefixes of routers and mounts; None until one has been found.

    A mount's prefix is as it was asked for, where it has parameters. A newer FastAPI leaves an included router's route as it was
    written, and has the whole path beside it.
    """
    route = scope.get("route")
    path = getattr(route, "path", None)
    if path is None or hasattr(route, "routes"):  # a mount, which has yet to look further
        return None
    included = scope.get("fastapi")
    context: Any = included.get("effective_route_context") if isinstance(included, dict) else None
    if context is not None and context.original_route is route:
        path = context.path
    if "app_root_path" in scope:  # starlette's Mount: what was there before it
        path = scope["root_path"].removeprefix(scope["app_root_path"]) + path
    return f"{scope.get('method', WEBSOCKET)} {path}"
