"""Customers order one piece each of two products on offer. Product n costs 500 + 25 n cents."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def place_order(self) -> None:
        product = random.randint(1, 2)
        order = {"customer_id": random.randint(1, 100), "product_id": product, "quantity": 1}
        with self.client.post("/orders", json=order, catch_response=True) as response:
            if response.status_code != 201:
                return
            answer = response.json()
            if answer["product_id"] != product or answer["total_cents"] != 500 + 25 * product:
                response.failure(f"wrong order: {response.text}")
