"""Customers watch the supplier's prices come in, one line for each of their first three orders."""

import json
import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def watch_quotes(self) -> None:
        customer = random.randint(1, 100)
        path = f"/customers/{customer}/quotes"
        with self.client.get(path, name="/customers/{id}/quotes", catch_response=True) as response:
            if response.status_code != 200:
                return
            quotes = [json.loads(line) for line in response.text.splitlines()]
            skus = [f"SKU-{(customer * 7 + nth * 13) % 200 + 1:04}" for nth in range(1, 4)]
            # as the supplier reckons it
            if quotes != [{"sku": sku, "price_cents": sum(sku.encode()) * 7} for sku in skus]:
                response.failure(f"wrong quotes: {response.text}")
