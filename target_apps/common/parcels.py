"""What the parcel desk takes, answers and reads from its environment."""

from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ParcelSettings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True)

    label_s: float = 0.1  # the courier prints a label so long after the booking


class ParcelIn(BaseModel):
    order_id: Annotated[int, Field(ge=1)]
    grams: Annotated[int, Field(ge=1, le=30_000)]


class Label(BaseModel):
    order_id: int
    tracking: str
    postage_cents: int


def label_for(parcel: ParcelIn) -> Label:
    """The label that the courier prints for a parcel."""
    tracking = f"{parcel.order_id:08}-{(parcel.order_id * 7 + parcel.grams) % 97:02}"
    return Label(order_id=parcel.order_id, tracking=tracking, postage_cents=390 + 60 * (parcel.grams // 1000))


settings = ParcelSettings()
