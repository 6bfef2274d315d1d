"""What a customer's page shows."""

from pydantic import BaseModel, ConfigDict

from target_apps.common.schemas import OrderOut, ProductOut


class CustomerPage(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: int
    orders: list[OrderOut]
    newest: list[ProductOut]
