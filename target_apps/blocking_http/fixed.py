"""Tells customers what our supplier asks for a product today."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Request

from target_apps.common.schemas import Health, Quote
from target_apps.common.settings import settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=5) as client:
        app.state.client = client
        yield


app = FastAPI(title="Quotes", lifespan=lifespan)


async def get_client(request: Request) -> httpx.AsyncClient:
    client: httpx.AsyncClient = request.app.state.client
    return client


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{sku}/quote")
async def read_quote(sku: str, client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> Quote:
    answer = await client.get(f"{settings.upstream_url}/quote/{sku}")
    answer.raise_for_status()
    return Quote.model_validate(answer.json())
