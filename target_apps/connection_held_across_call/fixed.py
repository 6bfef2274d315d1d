"""Tells customers what our supplier asks today for a product of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, Quote
from target_apps.common.settings import settings
from target_apps.common.tables import Product

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(settings.async_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=5) as client:
        app.state.client = client
        yield
    await engine.dispose()


app = FastAPI(title="Quotes", lifespan=lifespan)


async def get_client(request: Request) -> httpx.AsyncClient:
    client: httpx.AsyncClient = request.app.state.client
    return client


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{product_id}/quote")
async def read_quote(product_id: int, client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> Quote:
    async with SessionLocal() as session:
        product = await session.get(Product, product_id)
        if product is None:
            raise HTTPException(404, "no such product")
    answer = await client.get(f"{settings.upstream_url}/quote/{product.sku}")
    answer.raise_for_status()
    return Quote.model_validate(answer.json())
