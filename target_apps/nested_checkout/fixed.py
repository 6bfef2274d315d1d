"""Takes orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import Customer, Order, Product

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(settings.async_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


async def price_of(session: AsyncSession, product_id: int) -> int | None:
    return await session.scalar(select(Product.price_cents).where(Product.id == product_id))


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
async def place_order(wanted: OrderIn, session: Annotated[AsyncSession, Depends(get_db)]) -> Order:
    known = select(Customer.id).where(Customer.id == wanted.customer_id, takes(settings.query_s))
    if await session.scalar(known) is None:
        raise HTTPException(404, "no such customer")
    price_cents = await price_of(session, wanted.product_id)
    if price_cents is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * price_cents, channel="web")
    session.add(order)
    await session.commit()
    return order
