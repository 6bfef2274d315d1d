"""Takes orders, and prints the slips that go into the parcels."""

from fastapi import FastAPI, Response, status
from pydantic import BaseModel, ConfigDict, field_validator

from target_apps.common.schemas import Health
from target_apps.common.seed import price_cents

app = FastAPI(title="Slips")


class Wanted(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    sku: str
    quantity: int

    @field_validator("sku")
    @classmethod
    def known_sku(cls, sku: str) -> str:
        if not sku.startswith("SKU-"):
            raise ValueError("not one of our numbers")
        return sku


class Slip(Wanted):
    total_cents: int


def slip_for(wanted: Wanted) -> Slip:
    return Slip(**wanted.model_dump(), total_cents=wanted.quantity * price_cents(int(wanted.sku[4:])))


@app.get("/health")
async def health() -> Health:
    return Health()


@app.post("/orders", status_code=status.HTTP_201_CREATED)
async def place_order(wanted: Wanted) -> Slip:
    return slip_for(wanted)


@app.get("/slips/{sku}")
async def print_slip(sku: str, quantity: int) -> Response:
    slip = slip_for(Wanted(sku=sku, quantity=quantity))
    return Response(slip.model_json(), media_type="application/json")
