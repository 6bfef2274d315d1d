"""What touching a relation that was not loaded does: on each stack, with its session open and closed. Needs DATABASE_URL."""

import asyncio
import json
import os
from collections.abc import Callable

from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

URL = make_url(os.environ["DATABASE_URL"])
PROJECTS = 10
queries: list[object] = []


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner] = relationship()


def outcome(touch: Callable[[], object]) -> str:
    try:
        touch()
    except Exception as error:
        return f"raises {type(error).__name__}"
    return "works"


def sync() -> dict[str, object]:
    engine = create_engine(URL.set(drivername="postgresql+psycopg"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Project(id=n, owner=Owner(id=n)) for n in range(1, PROJECTS + 1))
        session.commit()
    event.listen(engine, "before_cursor_execute", lambda *_: queries.append(1))
    with Session(engine) as session:
        projects = session.scalars(select(Project)).all()
        opened = outcome(lambda: [project.owner.id for project in projects])
        count = len(queries)
    with Session(engine) as session:
        project = session.get_one(Project, 1)
    with Session(engine) as session:
        expired = session.get_one(Project, 1)
        session.commit()
    closed = {"relation_closed": outcome(lambda: project.owner), "column_closed": outcome(lambda: project.owner_id)}
    return {"relation_open": opened, "queries": count, **closed, "committed_column": outcome(lambda: expired.owner_id)}


async def asynchronous() -> dict[str, object]:
    engine = create_async_engine(URL.set(drivername="postgresql+asyncpg"))
    async with AsyncSession(engine) as session:
        one = await session.get_one(Project, 1)
        opened = outcome(lambda: one.owner)
    async with AsyncSession(engine) as session:
        project = await session.get_one(Project, 1)
    async with AsyncSession(engine) as session:
        expired = await session.get_one(Project, 1)
        await session.commit()
        still_open = outcome(lambda: expired.owner_id)
    await engine.dispose()
    closed = {"relation_closed": outcome(lambda: project.owner), "column_closed": outcome(lambda: project.owner_id)}
    return {"relation_open": opened, **closed, "committed_column_open": still_open}


print(json.dumps({"projects": PROJECTS, "sync": sync(), "asynchronous": asyncio.run(asynchronous())}))
