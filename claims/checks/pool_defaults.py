"""The pool settings of an engine that was given none, read from its pool."""

import json

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine


def defaults(pool: object) -> dict[str, object]:
    """A pool shows its size alone in public; the rest is where its own code keeps it."""
    names = {"max_overflow": "_max_overflow", "timeout_s": "_timeout", "recycle_s": "_recycle", "pre_ping": "_pre_ping"}
    settings = {name: getattr(pool, attribute) for name, attribute in names.items()}
    return {"kind": type(pool).__name__, "size": getattr(pool, "size")(), **settings}  # noqa: B009


print(
    json.dumps(
        {
            "sync": defaults(create_engine("postgresql+psycopg://").pool),
            "asynchronous": defaults(create_async_engine("postgresql+asyncpg://").pool),
        }
    )
)
