"""Takes orders, and takes what was ordered from the stock once the customer has the answer."""

import logging
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, status
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.jobs import FailedJob
from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

# Two who change one row at once would overwrite each other: this isolation lets the later one fail instead.
engine = create_engine(settings.sync_url, isolation_level="REPEATABLE READ")
SessionLocal = sessionmaker(engine, expire_on_commit=False)
ATTEMPTS = 6
logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def take_from_stock(product_id: int, quantity: int) -> None:
    for attempt in range(ATTEMPTS):
        try:
            with SessionLocal.begin() as session:
                product = session.get_one(Product, product_id)
                product.stock -= quantity
            return
        except OperationalError as error:
            logger.warning("product %d not taken from stock, attempt %d: %s", product_id, attempt + 1, error.orig)
            time.sleep(random.uniform(0, 0.005 * 2**attempt))
    logger.error("product %d not taken from stock, given up", product_id)
    with SessionLocal.begin() as session:
        session.add(FailedJob(job="take_from_stock", arguments={"product_id": product_id, "quantity": quantity}))


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
