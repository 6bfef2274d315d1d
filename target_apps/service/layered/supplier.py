"""The supplier's service, asked through one client for the app's life."""

from typing import Annotated

import httpx
from fastapi import Depends, Request

from target_apps.common.schemas import Quote
from target_apps.common.settings import settings


class Supplier:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def quote(self, sku: str) -> Quote:
        answer = await self.client.get(f"{settings.upstream_url}/quote/{sku}")
        answer.raise_for_status()
        return Quote.model_validate(answer.json())


async def get_supplier(request: Request) -> Supplier:
    return Supplier(request.app.state.client)


AskSupplier = Annotated[Supplier, Depends(get_supplier)]
