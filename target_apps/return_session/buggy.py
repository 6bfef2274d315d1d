"""Shows the shop's products."""

from collections.abc import AsyncIterator, Sequence
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


app = FastAPI(title="Products", lifespan=lifespan)


def get_db() -> Session:
    return SessionLocal()  # BUG


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products", response_model=list[ProductOut])
def list_products(session: Annotated[Session, Depends(get_db)], after: int = 0) -> Sequence[Product]:
    return session.scalars(select(Product).where(Product.id > after).order_by(Product.id).limit(20)).all()


@app.get("/products/{product_id}", response_model=ProductOut)
def read_product(product_id: int, session: Annotated[Session, Depends(get_db)]) -> Product:
    product = session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    return product
