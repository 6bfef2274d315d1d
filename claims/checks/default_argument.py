"""Whether a mutable default value keeps what one request put into it, on a route and in a helper."""

import json
from typing import Annotated

from fastapi import Body, FastAPI, Query
from fastapi.testclient import TestClient

app = FastAPI()


@app.get("/query")
async def query(filters: Annotated[list[str], Query()] = []) -> list[str]:  # noqa: B006
    filters.append("active")
    return filters


@app.get("/body")
async def body(filters: Annotated[list[str], Body()] = []) -> list[str]:  # noqa: B006
    filters.append("active")
    return filters


def add_filter(filters: list[str] = []) -> list[str]:  # noqa: B006
    filters.append("active")
    return filters


@app.get("/helper")
async def helper() -> list[str]:
    return list(add_filter())


def sizes(path: str) -> list[int]:
    """The length of the list in three answers, one after the other."""
    with TestClient(app) as client:
        return [len(client.get(path).json()) for _ in range(3)]


print(
    json.dumps(
        {"query_third": sizes("/query")[-1], "body_third": sizes("/body")[-1], "helper_third": sizes("/helper")[-1]}
    )
)
