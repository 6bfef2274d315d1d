"""The staff look up how much is left of one product after another: a thousand pieces of each."""

import random

from locust import FastHttpUser, constant, task


class Packer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_stock(self) -> None:
        product = random.randint(1, 200)
        with self.client.get(
            f"/products/{product}/stock", name="/products/{id}/stock", catch_response=True
        ) as response:
            if response.status_code == 200 and response.json() != {"product_id": product, "pieces": 1000}:
                response.failure(f"wrong stock: {response.text}")
