"""Two routes that spend known times in known ways, as their query says, in seconds: what the latency split is checked against."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from threading import Timer

import anyio
import anyio.to_thread
import httpx
import requests
from fastapi import FastAPI
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

url = make_url(os.environ["DATABASE_URL"])
async_engine = create_async_engine(url.set(drivername="postgresql+asyncpg"), pool_size=1, max_overflow=0)
engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_size=1, max_overflow=0)
upstream_url = os.environ["UPSTREAM_URL"] + "/quote/a"
client = httpx.AsyncClient()
sync_client = requests.Session()
app = FastAPI()


@app.get("/async")
async def known_async(
    token: float = 0,
    checkout: float = 0,
    sql: float = 0,
    upstream: int = 0,
    own: float = 0,
    loop: float = 0,
    other: float = 0,
) -> str:
    if token:
        await wait_for_token(token)
    if checkout or sql:
        held = await async_engine.connect()
        later(checkout, held.close)
        async with AsyncSession(async_engine) as session:
            await session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": sql})
    if upstream:
        await client.get(upstream_url)
    burn(own)
    if loop:
        asyncio.get_running_loop().call_soon(burn, loop, context=Context())
        await asyncio.sleep(0)
    await asyncio.sleep(other)
    return "ok"


@app.get("/sync")
def known_sync(checkout: float = 0, sql: float = 0, upstream: int = 0, own: float = 0) -> str:
    if checkout or sql:
        Timer(checkout, engine.connect().close).start()
        with Session(engine) as session:
            session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": sql})
    if upstream:
        sync_client.get(upstream_url)
    burn(own)
    return "ok"


async def wait_for_token(seconds: float) -> None:
    """Somebody else has the only token for so long."""
    limiter = anyio.CapacityLimiter(1)
    await limiter.acquire_on_behalf_of("somebody else")

    async def give_back() -> None:
        limiter.release_on_behalf_of("somebody else")

    later(seconds, give_back)
    await anyio.to_thread.run_sync(int, limiter=limiter)


def later(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    """Does it in a task of nobody's."""

    async def wait_and_do() -> None:
        await asyncio.sleep(seconds)
        await do()

    tasks.add(task := asyncio.get_running_loop().create_task(wait_and_do(), context=Context()))
    task.add_done_callback(tasks.discard)


tasks: set[asyncio.Task[None]] = set()


def burn(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
