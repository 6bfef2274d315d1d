"""Asks our supplier what a customer's first orders would cost today, and shows each price as it comes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

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


async def quotes(skus: Sequence[str], client: httpx.AsyncClient) -> AsyncIterator[bytes]:
    for sku in skus:
        answer = await client.get(f"{settings.upstream_url}/quote/{sku}")
        yield answer.content + b"\n"


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/quotes")
async def stream_quotes(
    customer_id: int, client: Annotated[httpx.AsyncClient, Depends(get_client)]
) -> StreamingResponse:
    ordered = select(Product.sku).join(Order).where(Order.customer_id == customer_id).order_by(Order.id).limit(3)
    async with SessionLocal() as session:
        skus = (await session.scalars(ordered)).all()
    if not skus:
        raise HTTPException(404, "no orders")
    return StreamingResponse(quotes(skus, client), media_type="application/x-ndjson")
