"""Shows customers what they have ordered."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, OrderHistory, OrderOut
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import Order

engine = create_engine(settings.sync_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Order history", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


class OrderRepository:
    def __init__(self, session: Session) -> None:
        self.session = session

    def of_customer(self, customer_id: int) -> Sequence[Order]:
        of_customer = select(Order).where(Order.customer_id == customer_id, takes(settings.query_s))
        return self.session.scalars(of_customer.order_by(Order.id)).all()


def order_history(customer_id: int, session: Session) -> OrderHistory | None:
    orders = OrderRepository(session).of_customer(customer_id)
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
def read_orders(customer_id: int, session: Annotated[Session, Depends(get_db)]) -> OrderHistory:
    history = order_history(customer_id, session)
    if history is None:
        raise HTTPException(404, "no orders")
    return history
