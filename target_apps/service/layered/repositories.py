"""What is asked of the database. Each method is one query."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from target_apps.common.settings import settings
from target_apps.common.slow import takes
from target_apps.common.tables import ApiToken, Customer, Order, Product
from target_apps.service.schemas import Bestseller, CityCount


class Products:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, product_id: int) -> Product | None:
        return await self.session.get(Product, product_id)

    async def of_ids(self, ids: Sequence[int]) -> dict[int, Product]:
        found = await self.session.scalars(select(Product).where(Product.id.in_(ids)))
        return {product.id: product for product in found}

    async def page(self, after: int, limit: int) -> Sequence[Product]:
        page = select(Product).where(Product.id > after).order_by(Product.id).limit(limit)
        return (await self.session.scalars(page)).all()

    async def named(self, word: str) -> Sequence[Product]:
        named = select(Product).where(Product.name.contains(word)).order_by(Product.id).limit(20)
        return (await self.session.scalars(named)).all()


class Customers:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, customer_id: int) -> Customer | None:
        return await self.session.get(Customer, customer_id)

    async def of_token(self, token: str) -> Customer | None:
        customer: Customer | None = await self.session.scalar(
            select(Customer).join(ApiToken).where(ApiToken.token == token)
        )
        return customer

    async def by_city(self) -> list[CityCount]:
        counted = select(Customer.city, func.count()).group_by(Customer.city).order_by(Customer.city)
        return [CityCount(city=city, customers=n) for city, n in await self.session.execute(counted)]


class Orders:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, order_id: int) -> Order | None:
        return await self.session.get(Order, order_id)

    async def of_customer(self, customer_id: int) -> Sequence[Order]:
        mine = select(Order).where(Order.customer_id == customer_id).order_by(Order.id)
        return (await self.session.scalars(mine)).all()

    async def to_bill(self, customer_id: int) -> list[tuple[int, str]]:
        """Total and SKU of each order of a customer."""
        mine = select(Order.total_cents, Product.sku).join(Product, Product.id == Order.product_id)
        orders = await self.session.execute(mine.where(Order.customer_id == customer_id, takes(settings.query_s)))
        return [(total_cents, sku) for total_cents, sku in orders]

    async def bestsellers(self) -> list[Bestseller]:
        pieces = func.sum(Order.quantity)
        sold = select(Order.product_id, pieces).where(takes(settings.query_s)).group_by(Order.product_id)
        best = await self.session.execute(sold.order_by(pieces.desc(), Order.product_id).limit(10))
        return [Bestseller(product_id=product_id, pieces=n) for product_id, n in best]
