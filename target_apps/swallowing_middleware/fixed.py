"""Tells customers what sending a parcel to them costs."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware.base import RequestResponseEndpoint

from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.tables import Customer

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine)
logger = logging.getLogger(__name__)

POSTAGE_CENTS = {"Aarhus": 590, "Bilbao": 490, "Cork": 650, "Gdansk": 390, "Lyon": 450, "Porto": 520}  # Turin is new


class Postage(BaseModel):
    city: str
    cents: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Postage", lifespan=lifespan)


@app.middleware("http")
async def log_errors(request: Request, call_next: RequestResponseEndpoint) -> Response:
    try:
        return await call_next(request)
    except Exception:
        logger.exception("%s failed", request.url.path)
        raise


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/customers/{customer_id}/postage")
def read_postage(customer_id: int, session: Annotated[Session, Depends(get_db)]) -> Postage:
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    return Postage(city=customer.city, cents=POSTAGE_CENTS[customer.city])
