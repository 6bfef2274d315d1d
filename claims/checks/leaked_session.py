"""When the connection of a session that nobody closes is given back, with Python's collector off, as usual, and forced.

Thirty requests, one after the other, to a route whose dependency returns a session. Needs DATABASE_URL.
"""

import gc
import json
import logging
import os
import warnings
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

logging.disable()  # the pool complains of every connection that the collector has to end
warnings.simplefilter("ignore")
URL = make_url(os.environ["DATABASE_URL"])
app = FastAPI()
engine = create_engine(URL.set(drivername="postgresql+psycopg"), max_overflow=-1)
async_engine = create_async_engine(URL.set(drivername="postgresql+asyncpg"), max_overflow=-1)


def get_db() -> Session:
    return Session(engine)


def get_async_db() -> AsyncSession:
    return AsyncSession(async_engine)


@app.get("/sync")
def read(db: Annotated[Session, Depends(get_db)]) -> int:
    return db.scalar(select(1)) or 0


@app.get("/committed")
def write(db: Annotated[Session, Depends(get_db)]) -> int:
    value = db.scalar(select(1)) or 0
    db.commit()
    return value


@app.get("/asynchronous")
async def read_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> int:
    return await db.scalar(select(1)) or 0


def leak(client: TestClient, path: str, after_each: Callable[[], object]) -> dict[str, int]:
    """Connections out at most and at the end, and connections opened, over 30 requests."""
    pool = (async_engine if path == "/asynchronous" else engine).pool
    assert isinstance(pool, QueuePool)
    gc.collect()
    opened: list[int] = []
    event.listen(pool, "connect", count := lambda *_: opened.append(1))
    out = []
    for _ in range(30):
        client.get(path).raise_for_status()
        after_each()
        out.append(pool.checkedout())
    event.remove(pool, "connect", count)
    return {"out_max": max(out), "out_at_the_end": out[-1], "opened": len(opened)}


facts: dict[str, object] = {}
for path in ("/sync", "/asynchronous", "/committed"):
    with TestClient(app) as client:
        usual = leak(client, path, lambda: None)
        forced = leak(client, path, gc.collect)
        gc.disable()
        off = leak(client, path, lambda: None)
        gc.enable()
        facts[path[1:]] = {"collector_usual": usual, "collector_forced": forced, "collector_off": off}
        gc.collect()
print(json.dumps(facts))
