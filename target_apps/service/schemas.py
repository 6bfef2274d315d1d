"""What the shop's service answers, the same in both variants."""

from pydantic import BaseModel, ConfigDict


class Stock(BaseModel):
    product_id: int
    pieces: int


class CityCount(BaseModel):
    city: str
    customers: int


class Bestseller(BaseModel):
    product_id: int
    pieces: int


class CustomerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    city: str


class Margin(BaseModel):
    product_id: int
    price_cents: int
    supplier_cents: int


class Comparison(BaseModel):
    margins: list[Margin]


class Bill(BaseModel):
    customer: CustomerOut
    orders: int
    spent_cents: int
    products: list[str]
