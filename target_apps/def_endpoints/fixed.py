"""Tells the shop's staff how many pieces of a product are left."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import Product

engine = create_engine(settings.sync_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Stock", lifespan=lifespan)


class Stock(BaseModel):
    product_id: int
    pieces: int


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{product_id}/stock")
def read_stock(product_id: int, session: Annotated[Session, Depends(get_db)]) -> Stock:
    stock = select(Product.stock).where(Product.id == product_id, takes(settings.query_s))
    pieces = session.scalar(stock)
    if pieces is None:
        raise HTTPException(404, "no such product")
    return Stock(product_id=product_id, pieces=pieces)
