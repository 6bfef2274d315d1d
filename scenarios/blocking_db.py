"""Customers look at what they have ordered. A hundred of them have five orders each, of 1, 2, 3, 4 and 5 pieces."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_orders(self) -> None:
        customer = random.randint(1, 100)
        path = f"/customers/{customer}/orders"
        with self.client.get(path, name="/customers/{id}/orders", catch_response=True) as response:
            if response.status_code != 200:
                return
            history = response.json()
            orders = history["orders"]
            if (
                history["customer_id"] != customer
                or [order["quantity"] for order in orders] != [1, 2, 3, 4, 5]
                or history["spent_cents"] != sum(order["total_cents"] for order in orders)
            ):
                response.failure(f"wrong history: {response.text}")
