"""The two forms of the whole service have one contract: the same document, and the same answers to the same requests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from harness.forkserver import ForkServer
from harness.postgres.databases import Databases
from harness.postgres.server import PostgresServer
from harness.target.seeding import seed
from harness.target.target import PRELOAD, start_target, start_upstream

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = ("buggy", "fixed")
INPUTS = {"NewOrder", "QuantityChange", "AddressChange", "ToCompare"}  # loose in one, strict in the other
BOUNDS = {"minimum", "maximum"}


class Asked(NamedTuple):
    method: str
    path: str
    json: dict[str, Any] | None = None
    token: str | None = None


@pytest.fixture(scope="module")
def services(embedded_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[httpx.Client]]:
    """A client of each variant, each variant on a database of its own."""
    logs = tmp_path_factory.mktemp("logs")
    databases = Databases(embedded_server.url, run_token=secrets.token_hex(4))
    with ForkServer(PRELOAD) as forks:
        databases.create_template(lambda url: seed(forks, url, root=ROOT, log=logs / "seed.log"))
        upstream = start_upstream(forks, 0.0, log=logs / "upstream.log")
        clients, children = [], [upstream.child]
        for variant in VARIANTS:
            env = {"DATABASE_URL": databases.clone(f"service_{variant}"), "UPSTREAM_URL": upstream.url}
            app = f"target_apps.service.{variant}:app"
            target = start_target(forks, app, app_dir=ROOT, env=env, log=logs / f"{variant}.log")
            children.append(target.child)
            # uvicorn closes a connection after an unhandled error without a word: none is used twice.
            fresh = httpx.Limits(max_keepalive_connections=0)
            clients.append(httpx.Client(base_url=target.url, timeout=10, limits=fresh))
        yield clients
        for client in clients:
            client.close()
        for child in children:
            child.stop()
    databases.drop_all()


def answers(services: list[httpx.Client], asked: Asked) -> list[tuple[int, Any]]:
    headers = {"X-Api-Token": asked.token} if asked.token else {}
    found = []
    for client in services:
        answer = client.request(asked.method, asked.path, json=asked.json, headers=headers)
        found.append((answer.status_code, answer.json() if "json" in answer.headers["content-type"] else answer.text))
    return found


ORDER = {"customer_id": 3, "product_id": 7, "quantity": 2}
ALIKE = [
    Asked("GET", "/health"),
    Asked("GET", "/cities"),
    Asked("GET", "/products"),
    Asked("GET", "/products?after=190&limit=5"),
    Asked("GET", "/products?after=200"),
    Asked("GET", "/products?limit=many"),
    Asked("GET", "/products/7"),
    Asked("GET", "/products/0"),
    Asked("GET", "/products/seven"),
    Asked("GET", "/products/7/stock"),
    Asked("GET", "/products/0/stock"),
    Asked("GET", "/products/7/quote"),
    Asked("GET", "/products/0/quote"),
    Asked("GET", "/search?word=lamp"),
    Asked("GET", "/search?word=yacht"),
    Asked("GET", "/search"),
    Asked("GET", "/bestsellers"),
    Asked("POST", "/comparisons", {"product_ids": [7, 1, 200]}),
    Asked("POST", "/comparisons", {"product_ids": [7, 0]}),
    Asked("GET", "/me", token="token-003"),
    Asked("GET", "/me", token="token-000"),
    Asked("GET", "/me"),
    Asked("GET", "/me/orders", token="token-003"),
    Asked("GET", "/me/orders"),
    Asked("GET", "/customers/3"),
    Asked("GET", "/customers/0"),
    Asked("GET", "/customers/3/bill"),
    Asked("GET", "/customers/0/bill"),
    Asked("POST", "/orders", ORDER),
    Asked("POST", "/orders", {**ORDER, "product_id": 0}),
    Asked("POST", "/orders", {**ORDER, "quantity": "two"}),
    Asked("GET", "/orders/501"),
    Asked("GET", "/orders/0"),
    Asked("PATCH", "/orders/501", {"quantity": 5}),
    Asked("PATCH", "/orders/0", {"quantity": 5}),
    Asked("GET", "/orders/501"),
    Asked("GET", "/me/orders", token="token-003"),
    Asked("GET", "/customers/3/bill"),
    Asked("PATCH", "/customers/3", {"city": "Oslo"}),
    Asked("PATCH", "/customers/0", {"city": "Oslo"}),
    Asked("GET", "/cities"),
    Asked("GET", "/me", token="token-003"),
]


def test_the_same_requests_get_the_same_answers(services: list[httpx.Client]) -> None:
    seen = set()
    for asked in ALIKE:
        buggy, fixed = answers(services, asked)
        if fixed[0] != 422:  # the words of a refusal are those of the model that refuses
            assert buggy == fixed, asked
        assert buggy[0] == fixed[0] < 500, asked
        seen.add(fixed[0])
    assert seen == {200, 201, 401, 404, 422}


def test_the_documents_differ_in_how_strict_the_inputs_are_and_in_nothing_else(services: list[httpx.Client]) -> None:
    buggy, fixed = (client.get("/openapi.json").json() for client in services)
    assert without_bounds(buggy["paths"]) == without_bounds(fixed["paths"])
    assert sum(len(operations) for operations in fixed["paths"].values()) == 17
    loose, strict = buggy["components"]["schemas"], fixed["components"]["schemas"]
    assert {name for name in loose.keys() | strict.keys() if loose.get(name) != strict.get(name)} == INPUTS
    for name in INPUTS:
        assert loose[name]["properties"].keys() == strict[name]["properties"].keys()
        assert "required" not in loose[name]
        assert strict[name]["required"] == list(strict[name]["properties"])


def without_bounds(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: without_bounds(value) for key, value in document.items() if key not in BOUNDS}
    return [without_bounds(value) for value in document] if isinstance(document, list) else document


@pytest.mark.parametrize(
    ("asked", "loose_status"),
    [
        (Asked("POST", "/orders", {"customer_id": 3, "product_id": 7}), 500),
        (Asked("POST", "/orders", {**ORDER, "customer_id": None}), 500),
        (Asked("POST", "/orders", {**ORDER, "quantity": -2}), 201),
        (Asked("PATCH", "/orders/1", {}), 500),
        (Asked("PATCH", "/customers/5", {"city": None}), 500),
        (Asked("POST", "/comparisons", {}), 200),
    ],
)
def test_what_loose_models_let_through_the_strict_refuse(
    services: list[httpx.Client], asked: Asked, loose_status: int
) -> None:
    assert [status for status, _ in answers(services, asked)] == [loose_status, 422]


def test_one_error_on_the_shared_session_ends_its_routes(services: list[httpx.Client]) -> None:
    statuses = [
        [status for status, _ in answers(services, Asked("GET", path))]
        for path in ("/products", "/products?limit=-1", "/products", "/cities")
    ]
    assert statuses == [[200, 200], [500, 422], [500, 200], [500, 200]]
