"""Takes orders, and asks the supplier for more once the customer has been answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, status
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, OrderIn, OrderOut
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


app = FastAPI(title="Orders", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


async def get_client(request: Request) -> httpx.AsyncClient:
    client: httpx.AsyncClient = request.app.state.client
    return client


async def restock(product_id: int, client: httpx.AsyncClient, session: AsyncSession) -> None:
    product = await session.get_one(Product, product_id)  # BUG
    answer = await client.get(f"{settings.upstream_url}/quote/{product.sku}")
    answer.raise_for_status()


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
async def place_order(
    wanted: OrderIn,
    background: BackgroundTasks,
    client: Annotated[httpx.AsyncClient, Depends(get_client)],
    session: Annotated[AsyncSession, Depends(get_db)],
) -> Order:
    price_cents = await session.scalar(select(Product.price_cents).where(Product.id == wanted.product_id))
    if price_cents is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * price_cents, channel="web")
    session.add(order)
    await session.commit()
    background.add_task(restock, order.product_id, client, session)
    return order
