"""Lets dealers download the price list."""

import aiofiles
from fastapi import FastAPI
from fastapi.responses import Response

from target_apps.common.price_list import PATH
from target_apps.common.schemas import Health

app = FastAPI(title="Dealers")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/price-list")
async def read_price_list() -> Response:
    async with aiofiles.open(PATH, "rb") as file:
        content = await file.read()
    return Response(content, media_type="text/csv")
