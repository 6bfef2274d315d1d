"""The shop's service: its catalogue, its customers and their orders."""

from collections.abc import Sequence
from typing import Annotated, Any, Optional

import requests
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import sessionmaker

from target_apps.common.schemas import Health, OrderOut, ProductOut, Quote
from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import ApiToken, Customer, Order, Product
from target_apps.service.schemas import Bestseller, Bill, CityCount, Comparison, CustomerOut, Margin, Stock

engine = create_engine(settings.sync_url)
SessionLocal = sessionmaker(engine)
catalogue = SessionLocal()

app = FastAPI(title="Shop")


class NewOrder(BaseModel):
    customer_id: Optional[int] = None  # noqa: UP045
    product_id: Optional[int] = None  # noqa: UP045
    quantity: Optional[int] = None  # noqa: UP045


class QuantityChange(BaseModel):
    quantity: Optional[int] = None  # noqa: UP045


class AddressChange(BaseModel):
    city: Optional[str] = None  # noqa: UP045


class ToCompare(BaseModel):
    product_ids: Optional[list[Any]] = None  # noqa: UP045


@app.get("/health")
async def health() -> Health:
    return Health()


@app.get("/cities")
async def list_cities() -> list[CityCount]:
    counted = select(Customer.city, func.count()).group_by(Customer.city).order_by(Customer.city)
    return [CityCount(city=city, customers=n) for city, n in catalogue.execute(counted)]


@app.get("/products", response_model=list[ProductOut])
async def list_products(after: int = 0, limit: int = 20) -> Sequence[Product]:
    return catalogue.scalars(select(Product).where(Product.id > after).order_by(Product.id).limit(limit)).all()


@app.get("/products/{product_id}", response_model=ProductOut)
async def read_product(product_id: int) -> Product:
    db = SessionLocal()
    product = db.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    db.close()
    return product


@app.get("/products/{product_id}/stock")
def read_stock(product_id: int) -> Stock:
    db = SessionLocal()
    product = db.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    stock = Stock(product_id=product_id, pieces=product.stock)
    db.close()
    return stock


@app.get("/products/{product_id}/quote")
async def read_quote(product_id: int) -> Quote:
    db = SessionLocal()
    product = db.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    answer = requests.get(f"{settings.upstream_url}/quote/{product.sku}", timeout=5)  # noqa: ASYNC210  # BUG
    answer.raise_for_status()
    db.close()
    return Quote(**answer.json())


@app.get("/search", response_model=list[ProductOut])
async def search(word: str) -> Sequence[Product]:
    db = SessionLocal()
    products = db.scalars(select(Product).where(Product.name.contains(word)).order_by(Product.id).limit(20)).all()
    db.close()
    return products


@app.get("/bestsellers")
async def list_bestsellers() -> list[Bestseller]:
    db = SessionLocal()
    pieces = func.sum(Order.quantity)
    sold = select(Order.product_id, pieces).where(takes(settings.query_s)).group_by(Order.product_id)
    rows = db.execute(sold.order_by(pieces.desc(), Order.product_id).limit(10)).all()
    db.close()
    return [Bestseller(product_id=product_id, pieces=n) for product_id, n in rows]


@app.post("/comparisons")
async def compare(wanted: ToCompare) -> Comparison:
    db = SessionLocal()
    margins = []
    for product_id in wanted.product_ids or []:
        product = db.get(Product, product_id)
        if product is None:
            raise HTTPException(404, "no such product")
        answer = requests.get(f"{settings.upstream_url}/quote/{product.sku}", timeout=5)  # noqa: ASYNC210
        answer.raise_for_status()
        supplier_cents = answer.json()["price_cents"]
        margins.append(Margin(product_id=product.id, price_cents=product.price_cents, supplier_cents=supplier_cents))
    db.close()
    return Comparison(margins=margins)


@app.get("/me", response_model=CustomerOut)
async def read_me(x_api_token: Annotated[str | None, Header()] = None) -> Customer:
    db = SessionLocal()
    customer = db.scalar(select(Customer).join(ApiToken).where(ApiToken.token == x_api_token))
    if customer is None:
        raise HTTPException(401, "unknown token")
    db.close()
    return customer


@app.get("/me/orders", response_model=list[OrderOut])
async def list_my_orders(x_api_token: Annotated[str | None, Header()] = None) -> Sequence[Order]:
    db = SessionLocal()
    customer = db.scalar(select(Customer).join(ApiToken).where(ApiToken.token == x_api_token))
    if customer is None:
        raise HTTPException(401, "unknown token")
    orders = db.scalars(select(Order).where(Order.customer_id == customer.id).order_by(Order.id)).all()
    db.close()
    return orders


@app.get("/customers/{customer_id}", response_model=CustomerOut)
def read_customer(customer_id: int) -> Customer:
    db = SessionLocal()
    customer = db.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    db.close()
    return customer


@app.patch("/customers/{customer_id}")
async def change_address(customer_id: int, change: AddressChange) -> CustomerOut:
    db = SessionLocal()
    customer = db.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    customer.city = change.city
    db.commit()
    changed = CustomerOut(id=customer.id, name=customer.name, city=customer.city)
    db.close()
    return changed


@app.get("/customers/{customer_id}/bill")
async def read_bill(customer_id: int) -> Bill:
    db = SessionLocal()
    customer = db.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    mine = select(Order).where(Order.customer_id == customer_id, takes(settings.query_s)).order_by(Order.id)
    orders, spent_cents, products = 0, 0, []
    for order in db.scalars(mine).all():
        orders += 1
        spent_cents += order.total_cents
        product = db.get(Product, order.product_id)
        if product is not None and product.sku not in products:
            products.append(product.sku)
    bill = Bill(
        customer=CustomerOut(id=customer.id, name=customer.name, city=customer.city),
        orders=orders,
        spent_cents=spent_cents,
        products=sorted(products),
    )
    db.close()
    return bill


@app.post("/orders", status_code=201)
async def place_order(wanted: NewOrder) -> OrderOut:
    db = SessionLocal()
    product = db.get(Product, wanted.product_id)
    if product is None:
        raise HTTPException(404, "no such product")
    order = Order(
        customer_id=wanted.customer_id,
        product_id=wanted.product_id,
        quantity=wanted.quantity,
        total_cents=wanted.quantity * product.price_cents,
        channel="web",
    )
    db.add(order)
    db.commit()
    placed = OrderOut(id=order.id, product_id=order.product_id, quantity=order.quantity, total_cents=order.total_cents)
    db.close()
    return placed


@app.get("/orders/{order_id}", response_model=OrderOut)
async def read_order(order_id: int) -> Order:
    db = SessionLocal()
    order = db.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    db.close()
    return order


@app.patch("/orders/{order_id}")
async def change_order(order_id: int, change: QuantityChange) -> OrderOut:
    db = SessionLocal()
    order = db.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    product = db.get(Product, order.product_id)
    order.quantity = change.quantity
    order.total_cents = change.quantity * product.price_cents
    db.commit()
    changed = OrderOut(id=order.id, product_id=order.product_id, quantity=order.quantity, total_cents=order.total_cents)
    db.close()
    return changed
