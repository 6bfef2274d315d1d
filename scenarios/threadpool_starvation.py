"""Dealers ask for a supplier's price, one product after another."""

import random

from locust import FastHttpUser, constant, task


class Dealer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_quote(self) -> None:
        sku = f"SKU-{random.randint(1, 200):04}"
        quote = {"sku": sku, "price_cents": sum(sku.encode()) * 7}  # as the supplier reckons it
        with self.client.get(f"/products/{sku}/quote", name="/products/{sku}/quote", catch_response=True) as response:
            if response.status_code == 200 and response.json() != quote:
                response.failure(f"wrong quote: {response.text}")
