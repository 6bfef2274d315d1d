"""When a session takes its connection: when it is made, or with its first query. Needs DATABASE_URL."""

import asyncio
import json
import os

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

URL = make_url(os.environ["DATABASE_URL"])


def out(pool: object) -> int:
    """Connections that a pool has handed out."""
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def sync() -> dict[str, int]:
    engine = create_engine(URL.set(drivername="postgresql+psycopg"))
    with Session(engine) as session:
        made = out(engine.pool)
        session.execute(text("SELECT 1"))
        queried = out(engine.pool)
        session.commit()
        return {"made": made, "queried": queried, "committed": out(engine.pool)}


async def asynchronous() -> dict[str, int]:
    engine = create_async_engine(URL.set(drivername="postgresql+asyncpg"))
    async with AsyncSession(engine) as session:
        made = out(engine.pool)
        await session.execute(text("SELECT 1"))
        queried = out(engine.pool)
        await session.commit()
        committed = out(engine.pool)
    await engine.dispose()
    return {"made": made, "queried": queried, "committed": committed}


print(json.dumps({"sync": sync(), "asynchronous": asyncio.run(asynchronous())}))
