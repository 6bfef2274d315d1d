"""Visitors look at one product after another, out of two hundred."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_product(self) -> None:
        product = random.randint(1, 200)
        with self.client.get(f"/products/{product}", name="/products/{id}", catch_response=True) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if answer["id"] != product or answer["price_cents"] != 500 + 25 * product:
                response.failure(f"wrong product: {response.text}")
