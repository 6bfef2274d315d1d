"""Shop assistants scan labels. One label in six is of something that the shop no longer sells, unless FAILING_SHARE says otherwise."""

import os
import random

from locust import FastHttpUser, constant, task

FAILING_SHARE = float(os.environ.get("FAILING_SHARE", 1 / 6))


class Assistant(FastHttpUser):
    wait_time = constant(0)

    @task
    def scan_label(self) -> None:
        known = random.random() >= FAILING_SHARE
        product = random.randint(1, 200)
        sku = f"SKU-{product:04}" if known else f"OLD-{product:04}"
        with self.client.get(f"/labels/{sku}", name="/labels/{sku}", catch_response=True) as response:
            if response.status_code == 404 and not known:
                response.success()
            elif response.status_code == 200 and (not known or response.json()["id"] != product):
                response.failure(f"wrong product: {response.text}")
