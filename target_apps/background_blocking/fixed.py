"""Writes statements of account, which takes a while, once the customer has been told that it will."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from procrastinate import App, PsycopgConnector
from pydantic import BaseModel
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.statements import Statement
from target_apps.common.tables import Customer, Order

engine = create_engine(settings.sync_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = sessionmaker(engine)
queue = App(connector=PsycopgConnector(conninfo=settings.database_url))


class Accepted(BaseModel):
    customer_id: int
    name: str


@queue.task
def write_statement(customer_id: int) -> None:
    spent = select(func.sum(Order.total_cents)).where(Order.customer_id == customer_id, takes(settings.query_s))
    with SessionLocal.begin() as session:
        session.add(Statement(customer_id=customer_id, spent_cents=session.scalar(spent) or 0))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with queue.open():
        if not queue.check_connection():
            queue.schema_manager.apply_schema()
        yield
    engine.dispose()


app = FastAPI(title="Statements", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/customers/{customer_id}/statements", status_code=status.HTTP_202_ACCEPTED)
def order_statement(customer_id: int, session: Annotated[Session, Depends(get_db, scope="function")]) -> Accepted:
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    write_statement.defer(customer_id=customer_id)
    return Accepted(customer_id=customer_id, name=customer.name)
