"""Shows the shop's products."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, ProductOut
from target_apps.common.settings import settings
from target_apps.common.tables import Product

engine = create_engine(settings.sync_url, pool_pre_ping=True)
SessionLocal = sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Products", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{product_id}", response_model=ProductOut)
def read_product(product_id: int, session: Annotated[Session, Depends(get_db)]) -> Product:
    product = session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    return product
