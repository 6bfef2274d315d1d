"""Customers order. Product n costs 500 + 25 n cents."""

import random
from typing import Any

from locust import FastHttpUser, constant, task


class Buyer(FastHttpUser):
    """Knows how to order. What it does, and when, is for the classes derived from it to say."""

    abstract = True
    wait_time = constant(0)

    def place_order(self) -> dict[str, Any] | None:
        """The order as the shop took it; None when it took none, or another."""
        product, quantity = random.randint(1, 200), random.randint(1, 5)
        order = {"customer_id": random.randint(1, 100), "product_id": product, "quantity": quantity}
        with self.client.post("/orders", json=order, catch_response=True) as response:
            if response.status_code != 201:
                return None
            answer: dict[str, Any] = response.json()
            if answer["product_id"] != product or answer["total_cents"] != quantity * (500 + 25 * product):
                response.failure(f"wrong order: {response.text}")
                return None
        return answer


class Customer(Buyer):
    @task
    def order(self) -> None:
        self.place_order()
