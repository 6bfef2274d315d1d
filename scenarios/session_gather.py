"""Customers open their page: five orders each, and the five newest of two hundred products."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_page(self) -> None:
        customer = random.randint(1, 100)
        path = f"/customers/{customer}/page"
        with self.client.get(path, name="/customers/{id}/page", catch_response=True) as response:
            if response.status_code != 200:
                return
            page = response.json()
            if (
                page["customer_id"] != customer
                or [order["quantity"] for order in page["orders"]] != [1, 2, 3, 4, 5]
                or [product["id"] for product in page["newest"]] != [200, 199, 198, 197, 196]
            ):
                response.failure(f"wrong page: {response.text}")
