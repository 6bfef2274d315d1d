"""Shows a customer's page: who they are, what they ordered, and what is new."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from target_apps.common.customer_page import CustomerPage
from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(settings.async_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Customer page", lifespan=lifespan)


async def orders_of(customer_id: int) -> Sequence[Order]:
    of_customer = select(Order).where(Order.customer_id == customer_id).order_by(Order.id)
    async with SessionLocal() as session:
        return (await session.scalars(of_customer)).all()


async def newest_products() -> Sequence[Product]:
    newest = select(Product).order_by(Product.id.desc()).limit(5)
    async with SessionLocal() as session:
        return (await session.scalars(newest)).all()


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/page")
async def read_page(customer_id: int) -> CustomerPage:
    orders, products = await asyncio.gather(orders_of(customer_id), newest_products())
    return CustomerPage.model_validate({"customer_id": customer_id, "orders": orders, "newest": products})
