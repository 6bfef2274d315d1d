"""An app that makes as many queries as it is told, and may fail, lack its route, block its loop or keep its connection."""

import os
import time

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

QUERIES = int(os.environ.get("QUERIES", "1"))
FAULT = os.environ.get("FAULT")
engine = create_engine("sqlite://", poolclass=QueuePool, connect_args={"check_same_thread": False}, pool_timeout=0.2)
kept: list[Session] = []
app = FastAPI()


def read() -> int:
    if FAULT == "fails":
        raise HTTPException(503)
    session = Session(engine)
    found = sum(session.scalar(text("SELECT 1")) or 0 for _ in range(QUERIES))
    if FAULT == "leaks":
        kept.append(session)
    else:
        session.close()
    return found


async def blocks() -> int:
    time.sleep(0.02)  # noqa: ASYNC251 - the bug
    return 1


if FAULT == "blocks":
    app.get("/read")(blocks)
elif FAULT != "lacks":
    app.get("/read")(read)
