"""Slots at the shop's counter, which customers reserve to collect their orders."""

from sqlalchemy import ForeignKey, Identity, UniqueConstraint, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from target_apps.common.tables import Base

TAKEN_SLOTS = 100


class Reservation(Base):
    __tablename__ = "reservations"
    # Deferred, so that two customers can change places in one transaction.
    __table_args__ = (UniqueConstraint("slot", deferrable=True, initially="DEFERRED"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    slot: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))


def fill_reservations(session: Session) -> None:
    """The first hundred slots are taken."""
    session.execute(insert(Reservation), [{"slot": n, "customer_id": n} for n in range(1, TAKEN_SLOTS + 1)])
