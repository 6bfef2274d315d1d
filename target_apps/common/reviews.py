"""Products with their reviews and photos, as a service maps them that follows relations."""

from sqlalchemy import ForeignKey, Identity, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

REVIEWED_PRODUCTS = 180  # the newest twenty have no reviews yet
REVIEWS_PER_PRODUCT = 20
PHOTOS_PER_PRODUCT = 8
CUSTOMERS = 100

OPINIONS = (
    "Does what it should, and looks good while it does.",
    "Smaller than I had thought from the photo, but well made.",
    "Arrived late; the shop answered within the hour and sent a new one.",
    "My second one. The first has lasted for eleven years.",
)


class ReviewBase(DeclarativeBase):
    pass


class Customer(ReviewBase):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Product(ReviewBase):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    price_cents: Mapped[int]

    reviews: Mapped[list["Review"]] = relationship(order_by="Review.id")
    photos: Mapped[list["Photo"]] = relationship(order_by="Photo.id")


class Review(ReviewBase):
    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    stars: Mapped[int]
    text: Mapped[str]

    customer: Mapped[Customer] = relationship()


class Photo(ReviewBase):
    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    url: Mapped[str]


def fill_reviews(session: Session) -> None:
    session.execute(
        insert(Review),
        [
            {
                "product_id": product,
                "customer_id": (product * 11 + nth * 17) % CUSTOMERS + 1,
                "stars": (product + nth) % 5 + 1,
                "text": OPINIONS[(product + nth) % len(OPINIONS)],
            }
            for product in range(1, REVIEWED_PRODUCTS + 1)
            for nth in range(1, REVIEWS_PER_PRODUCT + 1)
        ],
    )
    session.execute(
        insert(Photo),
        [
            {"product_id": product, "url": f"https://photos.shop.example/{product}/{nth}.jpg"}
            for product in range(1, REVIEWED_PRODUCTS + 1)
            for nth in range(1, PHOTOS_PER_PRODUCT + 1)
        ],
    )
