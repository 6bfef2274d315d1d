"""Looks up products by the number on their label."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, ProductOut
from target_apps.common.settings import settings
from target_apps.common.tables import Product

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_engine(settings.sync_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Labels", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    session = SessionLocal()
    yield session  # BUG
    session.close()


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/labels/{sku}", response_model=ProductOut)
def read_label(sku: str, session: Annotated[Session, Depends(get_db)]) -> Product:
    product = session.scalar(select(Product).where(Product.sku == sku))
    if product is None:
        raise HTTPException(404, "no such product")
    return product
