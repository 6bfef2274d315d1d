"""The order book: what the tests are of."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from target_apps.common.tables import Order

PRICE_CENTS = 525


def place_order(session: Session, quantity: int) -> int:
    """The new order's id."""
    order = Order(customer_id=1, product_id=1, quantity=quantity, total_cents=quantity * PRICE_CENTS, channel="web")
    session.add(order)
    session.commit()
    return order.id


def cancel_order(session: Session, order_id: int) -> None:
    session.execute(delete(Order).where(Order.id == order_id))
    session.commit()


def takings_cents(session: Session) -> int:
    return session.scalar(select(func.coalesce(func.sum(Order.total_cents), 0)).where(Order.channel == "web")) or 0


def forget_orders(session: Session) -> None:
    session.execute(delete(Order).where(Order.channel == "web"))
