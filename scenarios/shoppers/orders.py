"""Customers order. Product n costs 500 + 25 n cents."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def place_order(self) -> None:
        product, quantity = random.randint(1, 200), random.randint(1, 5)
        order = {"customer_id": random.randint(1, 100), "product_id": product, "quantity": quantity}
        with self.client.post("/orders", json=order, catch_response=True) as response:
            if response.status_code != 201:
                return
            answer = response.json()
            if answer["product_id"] != product or answer["total_cents"] != quantity * (500 + 25 * product):
                response.failure(f"wrong order: {response.text}")
