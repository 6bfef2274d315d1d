"""What clients may send."""

from typing import Annotated

from pydantic import BaseModel, Field

Quantity = Annotated[int, Field(ge=1, le=100)]


class NewOrder(BaseModel):
    customer_id: int
    product_id: int
    quantity: Quantity


class QuantityChange(BaseModel):
    quantity: Quantity


class AddressChange(BaseModel):
    city: Annotated[str, Field(min_length=1, max_length=60)]


class ToCompare(BaseModel):
    product_ids: Annotated[list[int], Field(min_length=1, max_length=5)]
