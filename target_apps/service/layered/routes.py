"""The service's routes: each takes a request, calls one function of a lower layer and answers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query

from target_apps.common.schemas import Health, OrderOut, ProductOut, Quote
from target_apps.common.tables import Customer, Order, Product
from target_apps.service.layered import services
from target_apps.service.layered.database import Db
from target_apps.service.layered.inputs import AddressChange, NewOrder, QuantityChange, ToCompare
from target_apps.service.layered.repositories import Customers, Orders, Products
from target_apps.service.layered.supplier import AskSupplier
from target_apps.service.schemas import Bestseller, Bill, CityCount, Comparison, CustomerOut, Stock

router = APIRouter()

Token = Annotated[str | None, Header()]


@router.get("/health")
async def health() -> Health:
    return Health()


@router.get("/cities")
async def list_cities(session: Db) -> list[CityCount]:
    return await Customers(session).by_city()


@router.get("/products", response_model=list[ProductOut])
async def list_products(
    session: Db, after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Sequence[Product]:
    return await Products(session).page(after, limit)


@router.get("/products/{product_id}", response_model=ProductOut)
async def read_product(product_id: int, session: Db) -> Product:
    return await services.product_of(session, product_id)


@router.get("/products/{product_id}/stock")
async def read_stock(product_id: int, session: Db) -> Stock:
    return Stock(product_id=product_id, pieces=(await services.product_of(session, product_id)).stock)


@router.get("/products/{product_id}/quote")
async def read_quote(product_id: int, session: Db, supplier: AskSupplier) -> Quote:
    return await services.quote_of(session, supplier, product_id)


@router.get("/search", response_model=list[ProductOut])
async def search(word: str, session: Db) -> Sequence[Product]:
    return await Products(session).named(word)


@router.get("/bestsellers")
async def list_bestsellers(session: Db) -> list[Bestseller]:
    return await Orders(session).bestsellers()


@router.post("/comparisons")
async def compare(wanted: ToCompare, session: Db, supplier: AskSupplier) -> Comparison:
    return await services.compare(session, supplier, wanted.product_ids)


@router.get("/me", response_model=CustomerOut)
async def read_me(session: Db, x_api_token: Token = None) -> Customer:
    return await services.customer_of_token(session, x_api_token)


@router.get("/me/orders", response_model=list[OrderOut])
async def list_my_orders(session: Db, x_api_token: Token = None) -> Sequence[Order]:
    customer = await services.customer_of_token(session, x_api_token)
    return await Orders(session).of_customer(customer.id)


@router.get("/customers/{customer_id}", response_model=CustomerOut)
async def read_customer(customer_id: int, session: Db) -> Customer:
    return await services.customer_of(session, customer_id)


@router.patch("/customers/{customer_id}", response_model=CustomerOut)
async def change_address(customer_id: int, change: AddressChange, session: Db) -> Customer:
    return await services.change_address(session, customer_id, change)


@router.get("/customers/{customer_id}/bill")
async def read_bill(customer_id: int, session: Db) -> Bill:
    return await services.bill_of(session, customer_id)


@router.post("/orders", status_code=201, response_model=OrderOut)
async def place_order(wanted: NewOrder, session: Db) -> Order:
    return await services.place_order(session, wanted)


@router.get("/orders/{order_id}", response_model=OrderOut)
async def read_order(order_id: int, session: Db) -> Order:
    return await services.order_of(session, order_id)


@router.patch("/orders/{order_id}", response_model=OrderOut)
async def change_order(order_id: int, change: QuantityChange, session: Db) -> Order:
    return await services.change_order(session, order_id, change)
