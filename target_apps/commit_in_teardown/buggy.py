"""Reserves slots at the counter, where customers collect what they have ordered."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, status
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from target_apps.common.reservations import Reservation
from target_apps.common.schemas import Health
from target_apps.common.settings import settings

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine, expire_on_commit=False)


class ReservationIn(BaseModel):
    customer_id: int
    slot: int


class ReservationOut(ReservationIn):
    model_config = ConfigDict(from_attributes=True)

    id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    engine.dispose()


app = FastAPI(title="Reservations", lifespan=lifespan)


@app.exception_handler(IntegrityError)
async def refuse(request: Request, error: IntegrityError) -> JSONResponse:
    return JSONResponse({"detail": "this slot is taken"}, status.HTTP_409_CONFLICT)


def get_db() -> Iterator[Session]:
    session = SessionLocal()
    try:
        yield session
        session.commit()  # BUG
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/reservations", status_code=status.HTTP_201_CREATED, response_model=ReservationOut)
def reserve(wanted: ReservationIn, session: Annotated[Session, Depends(get_db)]) -> Reservation:
    reservation = Reservation(**wanted.model_dump())
    session.add(reservation)
    session.flush()
    return reservation


@app.get("/reservations/{reservation_id}", response_model=ReservationOut)
def read_reservation(reservation_id: int, session: Annotated[Session, Depends(get_db)]) -> Reservation:
    reservation = session.get(Reservation, reservation_id)
    if reservation is None:
        raise HTTPException(404, "no such reservation")
    return reservation
