"""Tells dealers our price for a product, and what our supplier asks for it today."""

import requests
from fastapi import FastAPI

from target_apps.common.schemas import Health, Quote
from target_apps.common.seed import price_cents
from target_apps.common.settings import settings

PRICES = {f"SKU-{n:04}": price_cents(n) for n in range(1, 201)}

app = FastAPI(title="Prices")


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/products/{sku}/price")
def read_price(sku: str) -> Quote:
    return Quote(sku=sku, price_cents=PRICES[sku])


def ask_supplier(sku: str) -> Quote:
    answer = requests.get(f"{settings.upstream_url}/quote/{sku}", timeout=5)
    answer.raise_for_status()
    return Quote.model_validate(answer.json())


@app.get("/products/{sku}/quote")
def read_quote(sku: str) -> Quote:
    return ask_supplier(sku)  # BUG
