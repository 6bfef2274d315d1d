"""The order book's tests, written for one process: each takes it that the book is empty, and that nobody else writes in it."""

import os

import pytest
from sqlalchemy.orm import Session

from target_apps.shared_test_database.book import PRICE_CENTS, cancel_order, place_order, takings_cents

pytest_plugins = os.environ["FIXTURES"]  # the module that has `session`


@pytest.mark.parametrize("quantity", range(1, 11))
def test_an_order_is_taken_in(session: Session, quantity: int) -> None:
    place_order(session, quantity)
    assert takings_cents(session) == quantity * PRICE_CENTS


@pytest.mark.parametrize("orders", range(2, 12))
def test_orders_add_up(session: Session, orders: int) -> None:
    for _ in range(orders):
        place_order(session, 1)
    assert takings_cents(session) == orders * PRICE_CENTS


@pytest.mark.parametrize("quantity", range(1, 11))
def test_a_cancelled_order_is_not_taken_in(session: Session, quantity: int) -> None:
    kept, cancelled = place_order(session, quantity), place_order(session, quantity)
    cancel_order(session, cancelled)
    assert kept != cancelled
    assert takings_cents(session) == quantity * PRICE_CENTS
