"""Tells customers what our supplier asks for a product today."""

import httpx
from fastapi import FastAPI

from target_apps.common.schemas import Health, Quote
from target_apps.common.settings import settings

app = FastAPI(title="Quotes")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{sku}/quote")
async def read_quote(sku: str) -> Quote:
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.get(f"{settings.upstream_url}/quote/{sku}")
    answer.raise_for_status()
    return Quote.model_validate(answer.json())
