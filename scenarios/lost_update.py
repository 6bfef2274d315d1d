"""After the holidays customers bring back five products of the two hundred. Of each there were a thousand on the shelf."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def bring_back(self) -> None:
        product = random.randint(1, 5)
        path = f"/products/{product}/returns"
        with self.client.post(path, name="/products/{id}/returns", catch_response=True) as response:
            if response.status_code == 200:
                answer = response.json()
                if answer["sku"] != f"SKU-{product:04}" or answer["stock"] <= 1000:
                    response.failure(f"wrong stock: {response.text}")
