"""Routes with one query, on the asynchronous and on the synchronous stack, and one that does nothing.

``/row-…`` is what people write: a row of a model read by its key, answered through a response model. ``/one-…`` is the lightest
query there is.
"""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

url = make_url(os.environ["DATABASE_URL"])
SIZE = {"pool_size": 15, "max_overflow": 0}  # three servers with two pools each: Postgres has room for 97 connections
make_async = async_sessionmaker(create_async_engine(url.set(drivername="postgresql+asyncpg"), **SIZE))
make_sync = sessionmaker(create_engine(url.set(drivername="postgresql+psycopg"), **SIZE))
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    price_cents: Mapped[int]
    made_at: Mapped[datetime]


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str | None
    price_cents: int
    made_at: datetime


def make_rows() -> None:
    """The table and the rows that the routes read."""
    Base.metadata.create_all(make_sync.kw["bind"])
    with make_sync() as session:
        made_at = datetime(2026, 1, 1)
        session.add_all(Item(name=f"item {n}", price_cents=n, made_at=made_at) for n in range(100))
        session.commit()


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with make_async() as session:
        yield session


def get_db() -> Iterator[Session]:
    with make_sync() as session:
        yield session


@app.get("/row-async/{item_id}", response_model=ItemOut)
async def row_async(item_id: int, db: Annotated[AsyncSession, Depends(get_async_db)]) -> Item:
    item = await db.scalar(select(Item).where(Item.id == item_id))
    if item is None:
        raise HTTPException(404)
    return item


@app.get("/row-sync/{item_id}", response_model=ItemOut)
def row_sync(item_id: int, db: Annotated[Session, Depends(get_db)]) -> Item:
    item = db.scalar(select(Item).where(Item.id == item_id))
    if item is None:
        raise HTTPException(404)
    return item


@app.get("/one-async")
async def one_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> int:
    return await db.scalar(text("SELECT 1")) or 0


@app.get("/one-sync")
def one_sync(db: Annotated[Session, Depends(get_db)]) -> int:
    return db.scalar(text("SELECT 1")) or 0


@app.get("/empty")
async def empty() -> str:
    return "ok"
