"""Shows customers what they have ordered."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class Timing:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.monotonic()

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                duration_ms = (time.monotonic() - started_s) * 1000
                MutableHeaders(scope=message)["Server-Timing"] = f"app;dur={duration_ms:.0f}"
            await send(message)

        await self.app(scope, receive, send_timed)


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
