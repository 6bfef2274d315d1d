"""What the shop decides. Knows nothing of HTTP."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from target_apps.common.schemas import Quote
from target_apps.common.tables import Customer, Order, Product
from target_apps.service.layered.errors import NotFoundError, UnknownTokenError
from target_apps.service.layered.inputs import AddressChange, NewOrder, QuantityChange
from target_apps.service.layered.repositories import Customers, Orders, Products
from target_apps.service.layered.supplier import Supplier
from target_apps.service.schemas import Bill, Comparison, CustomerOut, Margin


async def product_of(session: AsyncSession, product_id: int) -> Product:
    product = await Products(session).get(product_id)
    if product is None:
        raise NotFoundError("no such product")
    return product


async def customer_of(session: AsyncSession, customer_id: int) -> Customer:
    customer = await Customers(session).get(customer_id)
    if customer is None:
        raise NotFoundError("no such customer")
    return customer


async def customer_of_token(session: AsyncSession, token: str | None) -> Customer:
    customer = await Customers(session).of_token(token) if token else None
    if customer is None:
        raise UnknownTokenError
    return customer


async def order_of(session: AsyncSession, order_id: int) -> Order:
    order = await Orders(session).get(order_id)
    if order is None:
        raise NotFoundError("no such order")
    return order


async def quote_of(session: AsyncSession, supplier: Supplier, product_id: int) -> Quote:
    product = await product_of(session, product_id)
    await session.close()  # the supplier takes its time, and others need the connection
    return await supplier.quote(product.sku)


async def compare(session: AsyncSession, supplier: Supplier, product_ids: Sequence[int]) -> Comparison:
    found = await Products(session).of_ids(product_ids)
    await session.close()
    if any(product_id not in found for product_id in product_ids):
        raise NotFoundError("no such product")
    products = [found[product_id] for product_id in product_ids]
    quotes = await asyncio.gather(*(supplier.quote(product.sku) for product in products))
    return Comparison(
        margins=[
            Margin(product_id=product.id, price_cents=product.price_cents, supplier_cents=quote.price_cents)
            for product, quote in zip(products, quotes, strict=True)
        ]
    )


async def change_address(session: AsyncSession, customer_id: int, change: AddressChange) -> Customer:
    customer = await customer_of(session, customer_id)
    customer.city = change.city
    await session.commit()
    return customer


async def bill_of(session: AsyncSession, customer_id: int) -> Bill:
    customer = await customer_of(session, customer_id)
    orders = await Orders(session).to_bill(customer_id)
    return Bill(
        customer=CustomerOut.model_validate(customer),
        orders=len(orders),
        spent_cents=sum(total_cents for total_cents, _ in orders),
        products=sorted({sku for _, sku in orders}),
    )


async def place_order(session: AsyncSession, wanted: NewOrder) -> Order:
    product = await product_of(session, wanted.product_id)
    await customer_of(session, wanted.customer_id)
    order = Order(**wanted.model_dump(), total_cents=wanted.quantity * product.price_cents, channel="web")
    session.add(order)
    await session.commit()
    return order


async def change_order(session: AsyncSession, order_id: int, change: QuantityChange) -> Order:
    order = await order_of(session, order_id)
    product = await product_of(session, order.product_id)
    order.quantity = change.quantity
    order.total_cents = change.quantity * product.price_cents
    await session.commit()
    return order
