"""Customers order, and then look at what they have ordered. Product n costs 500 + 25 n cents."""

import random
from typing import Any

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)
    ordered: dict[str, Any] | None = None

    @task
    def order_or_look(self) -> None:
        if self.ordered is None:
            self.place_order()
        else:
            self.read_order(self.ordered)
            self.ordered = None

    def place_order(self) -> None:
        product, quantity = random.randint(1, 200), random.randint(1, 5)
        order = {"customer_id": random.randint(1, 100), "product_id": product, "quantity": quantity}
        with self.client.post("/orders", json=order, catch_response=True) as response:
            if response.status_code != 201:
                return
            answer = response.json()
            if answer["product_id"] != product or answer["total_cents"] != quantity * (500 + 25 * product):
                response.failure(f"wrong order: {response.text}")
            else:
                self.ordered = answer

    def read_order(self, ordered: dict[str, Any]) -> None:
        with self.client.get(f"/orders/{ordered['id']}", name="/orders/{id}", catch_response=True) as response:
            if response.status_code == 200 and response.json() != ordered:
                response.failure(f"another order: {response.text}")
