"""Tells customers what our supplier asks for a product today."""

import requests
from fastapi import FastAPI

from target_apps.common.schemas import Health, Quote
from target_apps.common.settings import settings

app = FastAPI(title="Quotes")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{sku}/quote")
async def read_quote(sku: str) -> Quote:
    answer = requests.get(f"{settings.upstream_url}/quote/{sku}", timeout=5)  # noqa: ASYNC210  # BUG
    answer.raise_for_status()
    return Quote.model_validate(answer.json())
