"""What a response model does that reads a relation nobody loaded: on each stack, with get_db as taught. Needs DATABASE_URL."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

URL = make_url(os.environ["DATABASE_URL"])
engine = create_engine(URL.set(drivername="postgresql+psycopg"))
async_engine = create_async_engine(URL.set(drivername="postgresql+asyncpg"))
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)


class Till(Base):
    __tablename__ = "tills"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shop: Mapped[Shop] = relationship()


class ShopOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int


class TillOut(ShopOut):
    shop: ShopOut


def get_db() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


async def get_async_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(async_engine) as session:
        yield session


@app.get("/sync", response_model=TillOut)
def read(db: Annotated[Session, Depends(get_db)]) -> Till:
    return db.get_one(Till, 1)


@app.get("/asynchronous", response_model=TillOut)
async def read_async(db: Annotated[AsyncSession, Depends(get_async_db)]) -> Till:
    return await db.get_one(Till, 1)


def asked(path: str) -> dict[str, object]:
    """The exception that leaves the app, and the one that it tells of in its text or causes."""
    with TestClient(app) as client:
        try:
            return {"status": client.get(path).status_code, "raised": "nothing", "tells_of": "nothing"}
        except Exception as error:
            text = f"{error} {error!r} {error.__cause__!r}"
            named = [name for name in ("MissingGreenlet", "DetachedInstanceError") if name in text]
            return {"status": 500, "raised": type(error).__name__, "tells_of": (named or ["nothing"])[0]}


Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(Till(id=1, shop=Shop(id=1)))
    session.commit()
print(json.dumps({"sync": asked("/sync"), "asynchronous": asked("/asynchronous")}))
