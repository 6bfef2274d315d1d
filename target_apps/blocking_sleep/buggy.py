"""Books parcels with a courier, which prints each label a moment after the booking."""

import time

from fastapi import FastAPI, status

from target_apps.common.parcels import Label, ParcelIn, label_for, settings
from target_apps.common.schemas import Health

app = FastAPI(title="Parcels")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/parcels", status_code=status.HTTP_201_CREATED)
async def book_parcel(parcel: ParcelIn) -> Label:
    time.sleep(settings.label_s)  # noqa: ASYNC251  # BUG
    return label_for(parcel)
