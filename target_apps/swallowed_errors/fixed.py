"""Shows customers what they have ordered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, OrderHistory, OrderOut
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import Customer, Order

# The default pool's wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(
    settings.async_url, pool_size=settings.pool_size, max_overflow=0, pool_timeout=settings.pool_timeout_s
)
SessionLocal = async_sessionmaker(engine)


class NoSuchCustomerError(Exception):
    pass


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Order history", lifespan=lifespan)


async def order_history(customer_id: int) -> OrderHistory:
    async with SessionLocal() as session:
        if await session.get(Customer, customer_id) is None:
            raise NoSuchCustomerError(customer_id)
        of_customer = select(Order).where(Order.customer_id == customer_id, takes(settings.query_s))
        orders = (await session.scalars(of_customer.order_by(Order.id))).all()
    return OrderHistory(
        customer_id=customer_id,
        spent_cents=sum(order.total_cents for order in orders),
        orders=[OrderOut.model_validate(order) for order in orders],
    )


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/orders")
async def read_orders(customer_id: int) -> OrderHistory:
    try:
        return await order_history(customer_id)
    except NoSuchCustomerError:
        raise HTTPException(404, "no such customer") from None
    except TimeoutError:
        raise HTTPException(503, "too many at once", {"Retry-After": "1"}) from None
