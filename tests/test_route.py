"""The route's name, from what routers leave in a request's scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.probe.route import route_of


@dataclass
class Route:
    path: str


@dataclass
class Mount(Route):
    routes: list[Route] = field(default_factory=list)


@dataclass
class Context:
    """As a newer FastAPI has it for the route of an included router."""

    original_route: Route
    path: str


BARE = Route("/{id}")
GET: dict[str, Any] = {"method": "GET"}
INCLUDED = {"effective_route_context": Context(BARE, "/users/{id}")}


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        pytest.param({}, None, id="nothing found yet"),
        pytest.param({"route": BARE}, "GET /{id}", id="a route"),
        pytest.param({"route": BARE, "fastapi": INCLUDED}, "GET /users/{id}", id="of an included router"),
        pytest.param({"route": Route("/x"), "fastapi": INCLUDED}, "GET /x", id="beside one that was included"),
        pytest.param({"route": BARE, "fastapi": "the app's own"}, "GET /{id}", id="a key of the same name"),
        pytest.param(
            {"route": BARE, "root_path": "/behind/v1", "app_root_path": "/behind"}, "GET /v1/{id}", id="in a mount"
        ),
        pytest.param({"route": BARE, "root_path": "/behind"}, "GET /{id}", id="behind a proxy"),
        pytest.param({"route": Mount("/v1"), "root_path": "/v1", "app_root_path": ""}, None, id="a mount, so far"),
        pytest.param({"route": Route("")}, "GET ", id="an empty path"),
    ],
)
def test_a_route_is_named_as_it_is_asked_for(scope: dict[str, Any], name: str | None) -> None:
    assert route_of(GET | scope) == name


def test_a_websocket_has_no_method() -> None:
    assert route_of({"type": "websocket", "route": Route("/ws")}) == "WEBSOCKET /ws"
