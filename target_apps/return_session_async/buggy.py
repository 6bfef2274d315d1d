"""Shows the shop's products."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
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


app = FastAPI(title="Products", lifespan=lifespan)


async def get_db() -> AsyncSession:
    return SessionLocal()  # BUG


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products", response_model=list[ProductOut])
async def list_products(session: Annotated[AsyncSession, Depends(get_db)], after: int = 0) -> Sequence[Product]:
    page = select(Product).where(Product.id > after).order_by(Product.id).limit(20)
    return (await session.scalars(page)).all()


@app.get("/products/{product_id}", response_model=ProductOut)
async def read_product(product_id: int, session: Annotated[AsyncSession, Depends(get_db)]) -> Product:
    product = await session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    return product
