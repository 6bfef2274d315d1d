"""Takes orders."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine)


class NewOrder(BaseModel):
    customer_id: int | None = None
    product_id: int | None = None
    quantity: int | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
def place_order(wanted: NewOrder, session: Annotated[Session, Depends(get_db)]) -> Order:  # BUG
    product = session.get(Product, wanted.product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * product.price_cents, channel="web")
    session.add(order)
    session.commit()
    return order
