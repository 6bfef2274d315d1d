"""Runs the order book's tests on one database, in which no test leaves anything."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from target_apps.common.settings import settings
from target_apps.shared_test_database.runs import testing_service

engine = create_engine(settings.sync_url)


@pytest.fixture
def session() -> Iterator[Session]:
    with engine.connect() as connection:
        outer = connection.begin()
        # What the test commits is a savepoint of this transaction, which nobody else sees.
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


app = testing_service(fixtures=__name__)
