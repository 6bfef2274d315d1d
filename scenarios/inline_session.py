"""Customers look at their orders and place new ones. One order in five is for something that the shop no longer sells."""

import os
import random

from locust import FastHttpUser, constant, task

FAILING_ORDERS_SHARE = float(os.environ.get("FAILING_ORDERS_SHARE", 1 / 5))


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_orders(self) -> None:
        path = f"/customers/{random.randint(1, 100)}/orders"
        with self.client.get(path, name="/customers/{id}/orders", catch_response=True) as response:
            if response.status_code == 200 and [o["quantity"] for o in response.json()] != [1, 2, 3, 4, 5]:
                response.failure(f"wrong orders: {response.text}")

    @task
    def place_order(self) -> None:
        if random.random() >= FAILING_ORDERS_SHARE:
            self.order(random.randint(1, 200), "/orders", 201)
        else:
            self.order(random.randint(201, 250), "/orders (no longer sold)", 404)

    def order(self, product: int, name: str, expected: int) -> None:
        quantity = random.randint(1, 5)
        order = {"customer_id": random.randint(1, 100), "product_id": product, "quantity": quantity}
        with self.client.post("/orders", json=order, name=name, catch_response=True) as response:
            if response.status_code == expected == 404:
                response.success()
            elif response.status_code == 201 and response.json()["total_cents"] != quantity * (500 + 25 * product):
                response.failure(f"wrong order: {response.text}")
