"""Shop assistants book parcels. A parcel costs 390 cents and 60 more for each whole kilogram."""

import random

from locust import FastHttpUser, constant, task


class Assistant(FastHttpUser):
    wait_time = constant(0)

    @task
    def book_parcel(self) -> None:
        order, grams = random.randint(1, 500), random.randint(100, 9000)
        with self.client.post("/parcels", json={"order_id": order, "grams": grams}, catch_response=True) as response:
            if response.status_code != 201:
                return
            label = response.json()
            if label["order_id"] != order or label["postage_cents"] != 390 + 60 * (grams // 1000):
                response.failure(f"wrong label: {response.text}")
