"""How often a plain dependency (no yield) is called: at start-up, per request, and when two others want it in one request."""

import json
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

calls: list[int] = []
app = FastAPI()


def plain() -> int:
    calls.append(1)
    return len(calls)


def one(value: Annotated[int, Depends(plain)]) -> int:
    return value


def other(value: Annotated[int, Depends(plain)]) -> int:
    return value


@app.get("/once")
def once(value: Annotated[int, Depends(plain)]) -> int:
    return value


@app.get("/twice")
def twice(first: Annotated[int, Depends(one)], second: Annotated[int, Depends(other)]) -> list[int]:
    return [first, second]


with TestClient(app) as client:
    at_start = len(calls)
    values = [client.get("/once").json() for _ in range(5)]
    before = len(calls)
    client.get("/twice")

print(
    json.dumps(
        {
            "at_start": at_start,
            "requests": len(values),
            "different_values": len(set(values)),
            "calls_for_two_users_in_one_request": len(calls) - before,
        }
    )
)
