"""Searches the departments of the shop."""

from typing import Annotated

from fastapi import FastAPI, Query

from target_apps.common.departments import Found, find
from target_apps.common.schemas import Health

app = FastAPI(title="Departments")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/oak")
async def search_oak(words: Annotated[list[str] | None, Query()] = None) -> Found:
    words = words or []
    words.append("oak")
    return find(words)


@app.post("/steel")
async def search_steel(words: list[str] | None = None) -> Found:
    words = words or []
    words.append("steel")
    return find(words)
