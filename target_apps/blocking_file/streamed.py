"""Lets dealers download the price list."""

from fastapi import FastAPI
from fastapi.responses import FileResponse

from target_apps.common.price_list import PATH
from target_apps.common.schemas import Health

app = FastAPI(title="Dealers")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/price-list")
async def read_price_list() -> FileResponse:
    return FileResponse(PATH, media_type="text/csv")
