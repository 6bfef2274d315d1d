"""Customers ask how long a delivery takes. Postcode n is in zone n mod 5 + 1 and takes n mod 3 + 1 days."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_zone(self) -> None:
        code = random.randrange(1000, 1400)
        zone = {"postcode": str(code), "zone": code % 5 + 1, "days": code % 3 + 1}
        with self.client.get(f"/zones/{code}", name="/zones/{postcode}", catch_response=True) as response:
            if response.status_code == 200 and response.json() != zone:
                response.failure(f"wrong zone: {response.text}")
