"""Screens in the shop show eight products each, and all turn to the next eight at the same moment. In between nobody asks."""

import random
import time

from locust import FastHttpUser, task

TURN_EVERY_S = 2.0
ON_A_SCREEN = 8


class Screen(FastHttpUser):
    shown = 0

    @task
    def show_product(self) -> None:
        product = random.randint(1, 200)
        with self.client.get(f"/products/{product}", name="/products/{id}", catch_response=True) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if answer["id"] != product or answer["price_cents"] != 500 + 25 * product:
                response.failure(f"wrong product: {response.text}")

    def wait_time(self) -> float:
        self.shown += 1
        return 0 if self.shown % ON_A_SCREEN else TURN_EVERY_S - time.time() % TURN_EVERY_S
