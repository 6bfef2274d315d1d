"""Gives the people at the shop's counter their numbers."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from target_apps.common.schemas import Health

numbers = count(1)

app = FastAPI(title="Counter")


class Ticket(BaseModel):
    number: int
    receipt: str


async def draw_number() -> AsyncIterator[int]:
    yield next(numbers)


async def print_receipt(number: Annotated[int, Depends(draw_number)]) -> str:
    return f"No. {number}"


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/tickets")
async def take_ticket(
    number: Annotated[int, Depends(draw_number)], receipt: Annotated[str, Depends(print_receipt)]
) -> Ticket:
    return Ticket(number=number, receipt=receipt)
