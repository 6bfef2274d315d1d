"""Takes orders, and lists a customer's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, status
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(settings.async_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/orders", response_model=list[OrderOut])
async def list_orders(customer_id: int) -> Sequence[Order]:
    async with SessionLocal() as session:
        of_customer = select(Order).where(Order.customer_id == customer_id, Order.channel == "till")
        return (await session.scalars(of_customer.order_by(Order.id))).all()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
async def place_order(wanted: OrderIn) -> Order:
    async with SessionLocal() as session:
        product = await session.get(Product, wanted.product_id)
        if product is None:
            raise HTTPException(404, "no such product")
        total_cents = wanted.quantity * product.price_cents
        order = Order(**wanted.model_dump(), total_cents=total_cents, channel="web")
        session.add(order)
        await session.commit()
        return order
