"""The shop's accounts: who may sign in, and who may do everything."""

from sqlalchemy import Identity, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from target_apps.common.tables import Base

ACCOUNTS = 100


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]  # None: signs in by a link that is mailed
    is_admin: Mapped[bool] = mapped_column(default=False)


def fill_accounts(session: Session) -> None:
    """One account for each customer; the first is the shop's owner."""
    session.execute(
        insert(Account),
        [
            {
                "email": f"customer{n}@shop.example",
                "name": f"Customer {n}",
                "password_hash": f"scrypt$16384$8$1${n:032x}",
                "is_admin": n == 1,
            }
            for n in range(1, ACCOUNTS + 1)
        ],
    )
