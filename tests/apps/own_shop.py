"""An app as a user may bring it: settings of its own, a database of its own, and two bugs."""

import os
import time
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

print(f"greeting: {os.environ.get('GREETING')}, database: {os.environ.get('DATABASE_URL')}")
engine = create_engine("sqlite://", poolclass=QueuePool, connect_args={"check_same_thread": False}, pool_timeout=0.3)
SessionLocal = sessionmaker(engine)
sound_engine = create_engine("sqlite://", poolclass=QueuePool, connect_args={"check_same_thread": False})
kept: list[Session] = []


def get_db() -> Session:
    kept.append(SessionLocal())
    return kept[-1]


def create_app() -> FastAPI:
    app = FastAPI()
    app.get("/blocks")(blocks)
    app.get("/leaks")(leaks)
    app.get("/reads")(reads)
    app.get("/health")(health)
    return app


async def blocks() -> str:
    time.sleep(0.05)  # noqa: ASYNC251 - the bug
    return "ok"


def leaks(db: Annotated[Session, Depends(get_db)]) -> int:
    return db.scalar(text("SELECT 1")) or 0


def reads() -> int:
    with Session(sound_engine) as db:
        return (db.scalar(text("SELECT 1")) or 0) + (db.scalar(text("SELECT 2")) or 0)


async def health() -> str:
    return "ok"


app = create_app()
not_an_app = "a text"
