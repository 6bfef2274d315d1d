"""An app with one route for each thing that the probe must see."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context
from typing import Annotated

import httpx
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI
from fastapi.responses import PlainTextResponse
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool
from starlette.types import ASGIApp, Receive, Scope, Send

url = make_url(os.environ["DATABASE_URL"])
engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_size=1, max_overflow=1, pool_timeout=0.2)
async_engine = create_async_engine(
    url.set(drivername="postgresql+asyncpg"), pool_size=1, max_overflow=0, pool_timeout=0.2
)
other_engine = create_engine(engine.url, pool_size=1, max_overflow=0)
shared_engine = create_engine(engine.url, poolclass=StaticPool)
SessionLocal = sessionmaker(engine)
kept: list[Session] = []
worked = threading.Event()


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)


NOTES = text("CREATE TEMP TABLE note (id serial PRIMARY KEY) ON COMMIT DROP")


class Swallower:
    """A middleware that answers for lookups that fail."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except LookupError:
            await PlainTextResponse("fine")(scope, receive, send)


app = FastAPI()
app.add_middleware(Swallower)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def get_leaky_db() -> Session:
    kept.append(SessionLocal())
    return kept[-1]


things, others, apart = APIRouter(), APIRouter(prefix="/inner"), FastAPI()


@others.get("")
async def other() -> str:
    return "ok"


things.include_router(others)


@things.get("/{number}")
async def thing(number: int) -> int:
    return number


@apart.get("/{number}")
async def far_thing(number: int) -> int:
    return number


app.include_router(things, prefix="/things")
app.mount("/apart", apart)


@app.get("/plain")
async def plain() -> str:
    return "ok"


@app.get("/blocks")
async def blocks() -> str:
    helper_that_sleeps()
    return "ok"


def helper_that_sleeps() -> None:
    time.sleep(0.2)


@app.get("/busy")
async def busy() -> str:
    for _ in range(200):
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
        await asyncio.sleep(0)
    return "ok"


@app.get("/ready")
async def ready() -> str:
    """Ready to go on, while the loop does something of nobody's."""
    asyncio.get_running_loop().call_soon(helper_that_sleeps, context=Context())
    await asyncio.sleep(0)
    return "ok"


@app.get("/child")
async def child() -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(blocks())
    return "ok"


@app.get("/calls")
async def calls() -> str:
    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        await client.get("http://upstream/")
    return "ok"


@app.get("/sleeps")
async def sleeps() -> str:
    await asyncio.sleep(0.2)
    return "ok"


@app.get("/threads")
def threads() -> str:
    time.sleep(0.4)
    return "ok"


@app.get("/query")
def query(db: Annotated[Session, Depends(get_db)], seconds: float = 0.05) -> int:
    db.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
    return db.scalar(text("SELECT 1")) or 0


@app.get("/async-query")
async def async_query(seconds: float = 0.05) -> int:
    async with AsyncSession(async_engine) as session:
        await session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
        return await session.scalar(text("SELECT 1")) or 0


@app.get("/leak")
def leak(db: Annotated[Session, Depends(get_leaky_db)]) -> int:
    return db.scalar(text("SELECT 1")) or 0


@app.get("/background")
def background(tasks: BackgroundTasks) -> str:
    tasks.add_task(work)
    return "ok"


def work() -> None:
    time.sleep(0.1)
    worked.set()


@app.get("/settled")
def settled() -> bool:
    return worked.wait(10)


@app.get("/fails")
async def fails() -> str:
    raise RuntimeError("meant to fail")


@app.get("/swallowed")
async def swallowed() -> str:
    return {"a": "b"}["c"]


@app.get("/fails-later")
async def fails_later(tasks: BackgroundTasks) -> str:
    tasks.add_task(fails)
    return "ok"


@app.get("/lost")
def lost(db: Annotated[Session, Depends(get_db)]) -> str:
    db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    return "ok"


@app.get("/unawaited")
async def unawaited() -> str:
    asyncio.sleep(0)  # type: ignore[unused-coroutine]
    return "ok"


@app.get("/unkept")
def unkept(db: Annotated[Session, Depends(get_db)]) -> str:
    write(db)
    return "ok"


@app.get("/kept")
def kept_in_time(db: Annotated[Session, Depends(get_db)]) -> str:
    write(db)
    db.commit()
    return "ok"


@app.get("/flushed-first")
def flushed_first(db: Annotated[Session, Depends(get_db)]) -> str:
    db.add(Note())
    with suppress(ProgrammingError):  # there is no such table; it is enough that a connection is asked for
        db.flush()
    return "ok"


def write(db: Session) -> None:
    db.execute(NOTES)
    db.add(Note())
    db.flush()


@app.get("/nested")
def nested(db: Annotated[Session, Depends(get_db)]) -> int:
    db.scalar(text("SELECT 1"))
    with SessionLocal() as other:
        return other.scalar(text("SELECT 1")) or 0


@app.get("/two-engines")
def two_engines(db: Annotated[Session, Depends(get_db)]) -> int:
    db.scalar(text("SELECT 1"))
    with Session(other_engine) as other:
        return other.scalar(text("SELECT 1")) or 0


@app.get("/shared")
def shared() -> int:
    with Session(shared_engine) as db:
        db.scalar(text("SELECT pg_sleep(0.05)"))
        return 1


@app.get("/many")
def many(db: Annotated[Session, Depends(get_db)]) -> int:
    return sum(db.scalar(text("SELECT 1")) or 0 for _ in range(12))


@app.get("/by-hand")
def by_hand() -> int:
    for session in get_db():
        return session.scalar(text("SELECT 1")) or 0
    return 0
