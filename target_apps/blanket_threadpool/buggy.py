"""Sends customers a statement of all that they have bought."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, OrderOut, ProductOut
from target_apps.common.settings import settings
from target_apps.common.spending import Statement
from target_apps.common.tables import Customer, Order, Product

engine = create_engine(settings.sync_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Statements", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def find_customer(session: Session, customer_id: int) -> Customer | None:
    return session.get(Customer, customer_id)


def count_neighbours(session: Session, city: str) -> int:
    return session.scalar(select(func.count()).select_from(Customer).where(Customer.city == city)) or 0


def find_orders(session: Session, customer_id: int) -> Sequence[Order]:
    return session.scalars(select(Order).where(Order.customer_id == customer_id).order_by(Order.id)).all()


def sum_spent(session: Session, customer_id: int) -> int:
    return session.scalar(select(func.sum(Order.total_cents)).where(Order.customer_id == customer_id)) or 0


def find_products(session: Session, orders: Sequence[Order]) -> Sequence[Product]:
    wanted = [order.product_id for order in orders]
    return session.scalars(select(Product).where(Product.id.in_(wanted)).order_by(Product.id)).all()


def find_dearest(session: Session) -> Product:
    return session.scalars(select(Product).order_by(Product.price_cents.desc()).limit(1)).one()


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/statement")
async def read_statement(customer_id: int, session: Annotated[Session, Depends(get_db)]) -> Statement:
    customer = await run_in_threadpool(find_customer, session, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    neighbours = await run_in_threadpool(count_neighbours, session, customer.city)
    orders = await run_in_threadpool(find_orders, session, customer_id)
    spent_cents = await run_in_threadpool(sum_spent, session, customer_id)
    products = await run_in_threadpool(find_products, session, orders)
    dearest = await run_in_threadpool(find_dearest, session)
    return Statement(
        name=customer.name,
        city=customer.city,
        neighbours=neighbours,
        spent_cents=spent_cents,
        orders=[OrderOut.model_validate(order) for order in orders],
        products=[ProductOut.model_validate(product) for product in products],
        dearest=ProductOut.model_validate(dearest),
    )
