"""An app that reads a row, and is slowed down by as much as its environment says."""

import os
import random
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.apps.pause import Pauses

CPU_S = float(os.environ.get("SLOW_CPU_S", "0"))
QUERIES = int(os.environ.get("SLOW_QUERIES", "0"))
HOLD_S = float(os.environ.get("SLOW_HOLD_S", "0"))
WAIT_S = float(os.environ.get("SLOW_WAIT_S", "0"))
TAIL_S = float(os.environ.get("SLOW_TAIL_S", "0"))
TAIL_SHARE = float(os.environ.get("SLOW_TAIL_SHARE", "0"))

url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg")
make_session = async_sessionmaker(create_async_engine(url, pool_size=15))
pauses = Pauses()
app = FastAPI()


async def get_db() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


@app.get("/row")
async def row(db: Annotated[AsyncSession, Depends(get_db)]) -> int:
    found = 0
    for _ in range(1 + QUERIES):
        found = await db.scalar(text("SELECT 1")) or 0
    if HOLD_S:
        await pauses.pause(HOLD_S)
    await db.close()
    if WAIT_S:
        await pauses.pause(WAIT_S)
    if TAIL_S and random.random() < TAIL_SHARE:
        await pauses.pause(TAIL_S)
    if CPU_S:
        until_s = time.thread_time() + CPU_S
        while time.thread_time() < until_s:
            pass
    return found


@app.get("/health")
async def health() -> str:
    return "ok"
