"""Lists what customers think of the shop's products."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.reviews import Review
from target_apps.common.schemas import Health
from target_apps.common.settings import settings

engine = create_async_engine(settings.async_url)
SessionLocal = async_sessionmaker(engine)


class ReviewOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    product_id: int
    stars: int
    text: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Reviews", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/reviews", response_model=list[ReviewOut])
async def list_reviews(
    session: Annotated[AsyncSession, Depends(get_db)],
    page: Annotated[int, Query(ge=1)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Sequence[Review]:
    wanted = select(Review).order_by(Review.id).offset((page - 1) * per_page).limit(per_page)
    return (await session.scalars(wanted)).all()
