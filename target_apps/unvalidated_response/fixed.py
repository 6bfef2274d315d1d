"""Tells how customers rate a product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import Float, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from target_apps.common.reviews import Review
from target_apps.common.schemas import Health
from target_apps.common.settings import settings

engine = create_async_engine(settings.async_url, pool_size=settings.pool_size, max_overflow=0)
SessionLocal = async_sessionmaker(engine)


class Rating(BaseModel):
    product_id: int
    reviews: int
    stars: float


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(title="Ratings", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{product_id}/rating", response_model=Rating)
async def read_rating(product_id: int, session: Annotated[AsyncSession, Depends(get_db)]) -> dict[str, Any]:
    figures = select(func.count(Review.id), func.avg(cast(Review.stars, Float))).where(Review.product_id == product_id)
    reviews, stars = (await session.execute(figures)).one()
    return {"product_id": product_id, "reviews": reviews, "stars": stars}
