"""Shows the shop's products with their photos and what customers think of them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from target_apps.common.reviews import Product, Review
from target_apps.common.schemas import Health
from target_apps.common.settings import settings

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine)


class ReviewShown(BaseModel):
    by: str
    stars: int
    text: str


class ProductShown(BaseModel):
    id: int
    name: str
    photos: list[str]
    reviews: list[ReviewShown]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Shop window", lifespan=lifespan)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def show(product: Product) -> ProductShown:
    return ProductShown(
        id=product.id,
        name=product.name,
        photos=[photo.url for photo in product.photos],
        reviews=[ReviewShown(by=r.customer.name, stars=r.stars, text=r.text) for r in product.reviews],
    )


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products")
def list_products(
    session: Annotated[Session, Depends(get_db)],
    after: int = 0,
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> list[ProductShown]:
    page = select(Product).where(Product.id > after).order_by(Product.id).limit(limit)
    page = page.options(selectinload(Product.photos), selectinload(Product.reviews).joinedload(Review.customer))
    return [show(product) for product in session.scalars(page)]
