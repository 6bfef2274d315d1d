"""Keeps the stock: what customers bring back goes on the shelf again, piece by piece."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.tables import Product

engine = create_async_engine(settings.async_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class Stock(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    sku: str
    stock: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Stock", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/products/{product_id}/returns", response_model=Stock)
async def take_back(product_id: int, session: Annotated[AsyncSession, Depends(get_db)]) -> Product:
    one_more = update(Product).where(Product.id == product_id).values(stock=Product.stock + 1).returning(Product)
    product = await session.scalar(one_more)
    if product is None:
        raise HTTPException(404, "no such product")
    await session.commit()
    return product
