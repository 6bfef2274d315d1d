"""Takes orders and shows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

engine = create_async_engine(settings.async_url, pool_size=settings.pool_size, max_overflow=0)
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
    product = await session.get(Product, wanted.product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * product.price_cents, channel="web")
    session.add(order)
    await session.flush()
    session.commit()  # BUG
    return order


@app.get("/orders/{order_id}", response_model=OrderOut)
async def read_order(order_id: int, session: Annotated[AsyncSession, Depends(get_db)]) -> Order:
    order = await session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return order
