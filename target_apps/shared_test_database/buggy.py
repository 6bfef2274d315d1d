"""Runs the order book's tests on one database, which each test empties before it begins."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from target_apps.common.settings import settings
from target_apps.shared_test_database.book import forget_orders
from target_apps.shared_test_database.runs import testing_service

engine = create_engine(settings.sync_url)


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(engine) as session:
        forget_orders(session)  # BUG
        session.commit()
        yield session


app = testing_service(fixtures=__name__)
