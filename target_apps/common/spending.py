"""What a customer's statement says."""

from pydantic import BaseModel

from target_apps.common.schemas import OrderOut, ProductOut


class Statement(BaseModel):
    name: str
    city: str
    neighbours: int
    spent_cents: int
    orders: list[OrderOut]
    products: list[ProductOut]
    dearest: ProductOut
