"""The suite of the pair `shared_test_database` is right: what fails in two processes passes in one."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from harness.postgres.databases import Databases
from target_apps.common.tables import Base, Customer, Product
from target_apps.shared_test_database.runs import counted, run_pytest

TESTS = 30


@pytest.fixture
def shop(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.create_template(lambda url: None)
    url = databases.clone("shop")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Customer(name="Ada", email="ada@shop.example", city="Lyon"))
        session.add(Product(sku="SKU-0001", name="lamp", price_cents=525, stock=1))
        session.commit()
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", url)


def test_one_process_alone_passes_though_all_share_the_table(shop: None) -> None:
    """What two processes do to each other is seen with the other pairs, in `test_pairs.py`."""
    told = asyncio.run(run_pytest("target_apps.shared_test_database.buggy", processes=1))
    assert (counted(told, "passed"), counted(told, "failed"), counted(told, "error")) == (TESTS, 0, 0), told
