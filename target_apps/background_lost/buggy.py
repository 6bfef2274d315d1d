"""Takes orders, and takes what was ordered from the stock once the customer has the answer."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, status
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

# Two who change one row at once would overwrite each other: this isolation lets the later one fail instead.
engine = create_engine(settings.sync_url, isolation_level="REPEATABLE READ")
SessionLocal = sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def take_from_stock(product_id: int, quantity: int) -> None:
    with SessionLocal.begin() as session:  # BUG
        product = session.get_one(Product, product_id)
        product.stock -= quantity


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
def place_order(
    wanted: OrderIn, tasks: BackgroundTasks, session: Annotated[Session, Depends(get_db, scope="function")]
) -> Order:
    product = session.get(Product, wanted.product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * product.price_cents, channel="web")
    session.add(order)
    session.commit()
    tasks.add_task(take_from_stock, wanted.product_id, wanted.quantity)
    return order
