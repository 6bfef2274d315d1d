"""Visitors page through two hundred products and look at single ones."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task(3)
    def read_product(self) -> None:
        product = random.randint(1, 200)
        with self.client.get(f"/products/{product}", name="/products/{id}", catch_response=True) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if answer["id"] != product or answer["price_cents"] != 500 + 25 * product:
                response.failure(f"wrong product: {response.text}")

    @task(1)
    def list_products(self) -> None:
        after = random.randrange(0, 180)
        with self.client.get(f"/products?after={after}", name="/products", catch_response=True) as response:
            if response.status_code == 200:
                ids = [product["id"] for product in response.json()]
                if ids != list(range(after + 1, after + 21)):
                    response.failure(f"wrong page: {ids}")
