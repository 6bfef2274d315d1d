"""Takes orders, and lists a customer's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, status
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from target_apps.common.schemas import Health, OrderIn, OrderOut
from target_apps.common.settings import settings
from target_apps.common.tables import Order, Product

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine)
session = SessionLocal()  # BUG


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Orders", lifespan=lifespan)


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/orders", response_model=list[OrderOut])
def list_orders(customer_id: int) -> Sequence[Order]:
    of_customer = select(Order).where(Order.customer_id == customer_id, Order.channel == "till")
    return session.scalars(of_customer.order_by(Order.id)).all()


@app.post("/orders", status_code=status.HTTP_201_CREATED, response_model=OrderOut)
def place_order(wanted: OrderIn) -> Order:
    product = session.get(Product, wanted.product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    total_cents = wanted.quantity * product.price_cents
    order = Order(**wanted.model_dump(), total_cents=total_cents, channel="web")
    session.add(order)
    session.commit()
    return order
