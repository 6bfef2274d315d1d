"""What is believed of FastAPI and Pydantic, asked of the versions at hand: the evidence beside that of the controls."""

from __future__ import annotations

import asyncio
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, PydanticDeprecatedSince20, PydanticUserError

from target_apps.dependency_reevaluated import buggy as returning
from target_apps.dependency_reevaluated import fixed as yielding
from target_apps.mutable_default import buggy as mutable


def answers(app: FastAPI, method: str, path: str, times: int = 3) -> list[Any]:
    """What an app answers to the same request, asked several times."""

    async def ask() -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            return [(await client.request(method, path)).json() for _ in range(times)]

    return asyncio.run(ask())


def test_a_mutable_default_grows_in_a_plain_call_and_not_in_a_route() -> None:
    assert [found["words"] for found in answers(mutable.app, "GET", "/oak")] == [["oak"]] * 3
    assert [found["words"] for found in answers(mutable.app, "POST", "/steel")] == [["steel"]] * 3

    async def call_twice() -> list[list[str]]:
        return [(await mutable.search_oak()).words for _ in range(2)]

    assert asyncio.run(call_twice()) == [["oak"], ["oak", "oak"]]


@pytest.mark.parametrize("counter", [returning, yielding], ids=["returned", "yielded"])
def test_a_dependency_is_called_for_each_request_and_once_within_it(counter: ModuleType) -> None:
    tickets = answers(counter.app, "POST", "/tickets")
    assert [ticket["number"] for ticket in tickets] == [1, 2, 3]
    assert [ticket["receipt"] for ticket in tickets] == ["No. 1", "No. 2", "No. 3"]


class Slip(BaseModel):
    sku: str


@pytest.mark.parametrize(
    ("old", "new"), [("dict", "model_dump"), ("json", "model_dump_json"), ("schema", "model_json_schema")]
)
def test_the_old_names_still_answer_and_warn(old: str, new: str) -> None:
    slip = Slip(sku="SKU-0007")
    with pytest.warns(PydanticDeprecatedSince20):
        answer = getattr(slip, old)()
    assert answer == getattr(slip, new)()


def test_a_name_that_never_was_is_missed_only_when_it_is_called() -> None:
    with pytest.raises(AttributeError, match="model_json"):
        Slip(sku="SKU-0007").model_json()  # type: ignore[attr-defined]


def test_from_orm_wants_from_attributes() -> None:
    with pytest.warns(PydanticDeprecatedSince20), pytest.raises(PydanticUserError, match="from_attributes"):
        Slip.from_orm(SimpleNamespace(sku="SKU-0007"))
