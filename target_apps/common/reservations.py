"""Slots at the shop's counter, which customers reserve to collect their orders."""

from sqlalchemy import Connection, ForeignKey, Identity, Table, UniqueConstraint, event, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from target_apps.common.tables import Base

TAKEN_SLOTS = 100
COMMIT_S = 0.005


class Reservation(Base):
    __tablename__ = "reservations"
    # Deferred, so that two customers can change places in one transaction.
    __table_args__ = (UniqueConstraint("slot", deferrable=True, initially="DEFERRED"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    slot: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))


@event.listens_for(Reservation.__table__, "after_create")
def let_commits_wait(table: Table, connection: Connection, **_: object) -> None:
    """The embedded server does not wait for its disk. Here the commit is the lesson, so it lasts as on a server that does."""
    connection.exec_driver_sql(f"""
        CREATE FUNCTION wait_for_disk() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep({COMMIT_S}); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER durable AFTER INSERT ON reservations DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.slot > {TAKEN_SLOTS}) EXECUTE FUNCTION wait_for_disk();
    """)


def fill_reservations(session: Session) -> None:
    """The first hundred slots are taken."""
    session.execute(insert(Reservation), [{"slot": n, "customer_id": n} for n in range(1, TAKEN_SLOTS + 1)])
