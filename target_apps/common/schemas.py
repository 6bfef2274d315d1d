"""What the shop's services take and answer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Health(BaseModel):
    status: str = "ok"


class Quote(BaseModel):
    sku: str
    price_cents: int


class ProductOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    sku: str
    name: str
    price_cents: int


class OrderIn(BaseModel):
    customer_id: int
    product_id: int
    quantity: Annotated[int, Field(ge=1, le=100)]


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    product_id: int
    quantity: int
    total_cents: int


class OrderHistory(BaseModel):
    customer_id: int
    spent_cents: int
    orders: list[OrderOut]
