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
from target_apps.common.tables import Order, Product

# One pool for each worker process.
engine = create_async_engine(settings.async_url, pool_size=30, max_overflow=30)  # BUG
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
async def place_order(wanted: OrderIn, session: Annotated[AsyncSession, Depends(get_db)]) -> Order:
    price = select(Product.price_cents).where(Product.id == wanted.product_id, takes(settings.query_s))
    price_cents = await session.scalar(price)
    if price_cents is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * price_cents, channel="web")
    session.add(order)
    await session.commit()
    return order
