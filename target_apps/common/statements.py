"""Statements of account: what a customer has spent, written on request."""

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from target_apps.common.tables import Base


class Statement(Base):
    __tablename__ = "statements"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    spent_cents: Mapped[int]
