"""`python -m target_apps.common.seed` makes the tables in DATABASE_URL and puts the same rows into them every time."""

from sqlalchemy import create_engine, insert, text
from sqlalchemy.orm import Session

from target_apps.common import jobs as jobs  # for its table
from target_apps.common import statements as statements
from target_apps.common.accounts import fill_accounts
from target_apps.common.reservations import fill_reservations
from target_apps.common.reviews import ReviewBase, fill_reviews
from target_apps.common.settings import settings
from target_apps.common.tables import ApiToken, Base, Customer, Order, Product

CUSTOMERS = 100
PRODUCTS = 200
ORDERS_PER_CUSTOMER = 5

CITIES = ("Aarhus", "Bilbao", "Cork", "Gdansk", "Lyon", "Porto", "Turin")
THINGS = ("kettle", "lamp", "chair", "teapot", "shelf", "rug", "clock", "bowl")


def price_cents(product_id: int) -> int:
    return 500 + 25 * product_id


def fill(session: Session) -> None:
    """Ids are left to the tables' own counters, which give 1, 2, 3... in the order of the rows."""
    customers = range(1, CUSTOMERS + 1)
    products = range(1, PRODUCTS + 1)
    session.execute(
        insert(Customer),
        [
            {"name": f"Customer {n}", "email": f"customer{n}@shop.example", "city": CITIES[n % len(CITIES)]}
            for n in customers
        ],
    )
    session.execute(insert(ApiToken), [{"token": f"token-{n:03}", "customer_id": n} for n in customers])
    session.execute(
        insert(Product),
        [
            {"sku": f"SKU-{n:04}", "name": THINGS[n % len(THINGS)], "price_cents": price_cents(n), "stock": 1000}
            for n in products
        ],
    )
    orders = []
    for customer in customers:
        for nth in range(1, ORDERS_PER_CUSTOMER + 1):
            product = (customer * 7 + nth * 13) % PRODUCTS + 1
            orders.append(
                {
                    "customer_id": customer,
                    "product_id": product,
                    "quantity": nth,
                    "total_cents": nth * price_cents(product),
                    "channel": "till",
                }
            )
    session.execute(insert(Order), orders)


def main() -> None:
    engine = create_engine(settings.sync_url)
    Base.metadata.create_all(engine)
    ReviewBase.metadata.create_all(engine)  # the tables that are not there yet
    with Session(engine) as session:
        fill(session)
        fill_accounts(session)
        fill_reservations(session)
        fill_reviews(session)
        session.commit()
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    engine.dispose()


if __name__ == "__main__":
    main()
