"""Customers ask for the supplier's price, one product after another."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_quote(self) -> None:
        product = random.randint(1, 200)
        sku = f"SKU-{product:04}"
        quote = {"sku": sku, "price_cents": sum(sku.encode()) * 7}  # as the supplier reckons it
        with self.client.get(
            f"/products/{product}/quote", name="/products/{id}/quote", catch_response=True
        ) as response:
            if response.status_code == 200 and response.json() != quote:
                response.failure(f"wrong quote: {response.text}")
