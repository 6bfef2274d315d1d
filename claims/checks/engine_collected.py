"""What becomes of the connections of engines that are made per request: collector off, as usual, forced. Needs DATABASE_URL.

Thirty requests, one after the other, to a route whose dependency makes an engine, yields a session and closes it.
"""

import gc
import json
import os
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated

import psycopg
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

warnings.simplefilter("ignore")
URL = make_url(os.environ["DATABASE_URL"])
app = FastAPI()


def get_db() -> Iterator[Session]:
    with Session(create_engine(URL.set(drivername="postgresql+psycopg"))) as session:
        yield session


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(create_async_engine(URL.set(drivername="postgresql+asyncpg"))) as session:
        yield session


@app.get("/sync")
def read(db: Annotated[Session, Depends(get_db)]) -> int:
    return db.scalar(select(1)) or 0


@app.get("/asynchronous")
async def read_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> int:
    return await db.scalar(select(1)) or 0


def backends(watch: psycopg.Connection) -> int:
    """Server processes that serve this database, this question's own left out."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    row = watch.execute(query).fetchone()
    return int(row[0]) if row else 0


def ask(path: str, after_each: Callable[[], object]) -> dict[str, int]:
    """Backends at most and after 30 requests, and after a collection when all is over."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as watch, TestClient(app) as client:
        before, counts = backends(watch), []
        for _ in range(30):
            client.get(path).raise_for_status()
            after_each()
            counts.append(backends(watch) - before)
        gc.collect()
        client.get("/docs")  # lets the app's loop close what the collection let go
        return {"most": max(counts), "after_30": counts[-1], "after_collection": backends(watch) - before}


facts: dict[str, object] = {}
for path in ("/sync", "/asynchronous"):
    usual, forced = ask(path, lambda: None), ask(path, gc.collect)
    gc.disable()
    off = ask(path, lambda: None)
    gc.enable()
    facts[path[1:]] = {"collector_usual": usual, "collector_forced": forced, "collector_off": off}
print(json.dumps(facts))
