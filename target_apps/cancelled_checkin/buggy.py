"""Shows customers what they have ordered."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint

from target_apps.common.schemas import Health, OrderOut
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import Order

# The default pool: 5 connections and up to 10 more. Its wait of 30 s is cut, for a short test to see its end.
engine = create_async_engine(settings.async_url, pool_timeout=settings.pool_timeout_s)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


class Timing(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        started_s = time.monotonic()
        response = await call_next(request)
        response.headers["Server-Timing"] = f"app;dur={(time.monotonic() - started_s) * 1000:.0f}"
        return response


app = FastAPI(title="My orders", lifespan=lifespan)
app.add_middleware(Timing)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/orders", response_model=list[OrderOut])
async def list_orders(customer_id: int, session: Annotated[AsyncSession, Depends(get_db)]) -> Sequence[Order]:
    of_customer = select(Order).where(Order.customer_id == customer_id, takes(settings.query_s))
    orders = (await session.scalars(of_customer.order_by(Order.id))).all()
    if not orders:
        raise HTTPException(404, "no orders")
    return orders
