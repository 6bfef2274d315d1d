"""Customers order, and then look at what they have ordered."""

from typing import Any

from locust import task

from shoppers.orders import Buyer


class Customer(Buyer):
    ordered: dict[str, Any] | None = None

    @task
    def order_or_look(self) -> None:
        if self.ordered is None:
            self.ordered = self.place_order()
        else:
            self.read_order(self.ordered)
            self.ordered = None

    def read_order(self, ordered: dict[str, Any]) -> None:
        with self.client.get(f"/orders/{ordered['id']}", name="/orders/{id}", catch_response=True) as response:
            if response.status_code == 200 and response.json() != ordered:
                response.failure(f"another order: {response.text}")
