"""Routes with one query, on the asynchronous and on the synchronous stack, and one that does nothing."""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

url = make_url(os.environ["DATABASE_URL"])
make_async = async_sessionmaker(create_async_engine(url.set(drivername="postgresql+asyncpg"), pool_size=15))
make_sync = sessionmaker(create_engine(url.set(drivername="postgresql+psycopg"), pool_size=15))
app = FastAPI()


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with make_async() as session:
        yield session


def get_db() -> Iterator[Session]:
    with make_sync() as session:
        yield session


@app.get("/async")
async def one_query_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> int:
    return await db.scalar(text("SELECT 1")) or 0


@app.get("/sync")
def one_query_sync(db: Annotated[Session, Depends(get_db)]) -> int:
    return db.scalar(text("SELECT 1")) or 0


@app.get("/empty")
async def empty() -> str:
    return "ok"
