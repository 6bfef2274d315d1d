"""Lists the orders of the customer who asks, known by the token in a header."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health, OrderOut
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import ApiToken, Customer, Order

# Twice the default pool of 5 and 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_engine(settings.sync_url, pool_size=10, max_overflow=20, pool_timeout=settings.pool_timeout_s)
SessionLocal = sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="My orders", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def current_customer(
    token: Annotated[str, Depends(APIKeyHeader(name="X-Api-Token"))], session: Annotated[Session, Depends(get_db)]
) -> Customer:
    customer = session.scalar(select(Customer).join(ApiToken).where(ApiToken.token == token))
    if customer is None:
        raise HTTPException(401, "unknown token")
    return customer


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/me/orders", response_model=list[OrderOut])
def list_my_orders(
    customer: Annotated[Customer, Depends(current_customer)], session: Annotated[Session, Depends(get_db)]
) -> Sequence[Order]:
    mine = select(Order).where(Order.customer_id == customer.id, takes(settings.query_s))
    return session.scalars(mine.order_by(Order.id)).all()
