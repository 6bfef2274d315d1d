"""Guesses what a customer meant who mistyped the name of a product."""

from difflib import get_close_matches
from typing import Annotated

from fastapi import FastAPI, Query

from target_apps.common.schemas import Health
from target_apps.common.wares import NAMES, Suggestions

app = FastAPI(title="Search")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/suggestions")
async def suggest(searched: Annotated[str, Query(max_length=50)]) -> Suggestions:
    names = get_close_matches(searched, NAMES)  # BUG
    return Suggestions(searched=searched, names=names)
