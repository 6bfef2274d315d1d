"""Looks up products by the number on their label."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, ProductOut
from target_apps.common.settings import settings
from target_apps.common.tables import Product

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(settings.async_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Labels", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


async def find_product(sku: str) -> Product:
    async for session in get_db():  # BUG
        product = await session.scalar(select(Product).where(Product.sku == sku))
        if product is None:
            raise HTTPException(404, "no such product")
        return product
    raise RuntimeError("get_db yields a session")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/labels/{sku}", response_model=ProductOut)
async def read_label(sku: str) -> Product:
    return await find_product(sku)
