"""Tells customers how long a delivery takes, from the carrier's file."""

import sqlite3
import time

import aiosqlite
from fastapi import FastAPI, HTTPException

from target_apps.common.schemas import Health
from target_apps.common.settings import settings
from target_apps.common.zones import URI, Zone

FIND_ZONE = "SELECT postcode, zone, days FROM zones WHERE postcode = ? AND takes(?) IS NULL"

app = FastAPI(title="Deliveries")


@app.get("/health")
async def health() -> Health:
    return Health()


async def find_zone(postcode: str) -> Zone | None:
    async with aiosqlite.connect(URI, uri=True) as connection:
        connection.row_factory = sqlite3.Row
        await connection.create_function("takes", 1, time.sleep)  # stands in for a file too large for the disk's cache
        async with connection.execute(FIND_ZONE, (postcode, settings.query_s)) as cursor:
            row = await cursor.fetchone()
    return None if row is None else Zone(**dict(row))


@app.get("/zones/{postcode}")
async def read_zone(postcode: str) -> Zone:
    zone = await find_zone(postcode)
    if zone is None:
        raise HTTPException(404, "we do not deliver there")
    return zone
