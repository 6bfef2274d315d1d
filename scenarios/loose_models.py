"""Customers order. Two of ten come with a broken client, whose orders ought to be refused with a 422."""

import random

from locust import FastHttpUser, constant, task
from shoppers import orders

BROKEN: tuple[dict[str, int | None], ...] = ({"quantity": None}, {"quantity": -3}, {"customer_id": None})


class Customer(orders.Customer):
    weight = 4


class BrokenClient(FastHttpUser):
    weight = 1
    wait_time = constant(0)

    @task
    def place_broken_order(self) -> None:
        customer, product = random.randint(1, 100), random.randint(1, 200)
        order = {"customer_id": customer, "product_id": product, "quantity": 1, **random.choice(BROKEN)}
        with self.client.post("/orders", json=order, name="/orders (broken)", catch_response=True) as response:
            if response.status_code == 422:
                response.success()
            elif response.status_code == 201:
                response.failure(f"a broken order was taken: {response.text}")
