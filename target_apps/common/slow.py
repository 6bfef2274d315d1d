"""Stands in for work that a seeded database is too small to need."""

from sqlalchemy import ColumnElement, func, select


def takes(seconds: float) -> ColumnElement[bool]:
    """A condition, always true, that makes a query last `seconds` longer, whatever number of rows it reads.

    A query over millions of rows would take another time on every machine and heat every core while it did. Sleeping in
    the server holds the connection and keeps the client waiting just as long, and takes the same time everywhere. The
    subquery depends on no row, so Postgres runs it once.
    """
    return select(func.pg_sleep(seconds)).scalar_subquery().is_not(None)
