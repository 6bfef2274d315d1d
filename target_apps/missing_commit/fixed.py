"""Takes orders and shows them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine)


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
def place_order(wanted: OrderIn, session: Annotated[Session, Depends(get_db)]) -> Order:
    product = session.get(Product, wanted.product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * product.price_cents, channel="web")
    session.add(order)
    session.commit()
    session.refresh(order)
    return order


@app.get("/orders/{order_id}", response_model=OrderOut)
def read_order(order_id: int, session: Annotated[Session, Depends(get_db)]) -> Order:
    order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return order
