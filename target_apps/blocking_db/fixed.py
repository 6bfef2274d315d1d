"""Shows customers what they have ordered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.schemas import Health, OrderHistory, OrderOut
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import Order

engine = create_async_engine(settings.async_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Order history", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


class OrderRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def of_customer(self, customer_id: int) -> Sequence[Order]:
        of_customer = select(Order).where(Order.customer_id == customer_id, takes(settings.query_s))
        return (await self.session.scalars(of_customer.order_by(Order.id))).all()


async def order_history(customer_id: int, session: AsyncSession) -> OrderHistory | None:
    orders = await OrderRepository(session).of_customer(customer_id)
    if not orders:
        return None
    return OrderHistory(
        customer_id=customer_id,
        spent_cents=sum(order.total_cents for order in orders),
        orders=[OrderOut.model_validate(order) for order in orders],
    )


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/orders")
async def read_orders(customer_id: int, session: Annotated[AsyncSession, Depends(get_db)]) -> OrderHistory:
    history = await order_history(customer_id, session)
    if history is None:
        raise HTTPException(404, "no orders")
    return history
