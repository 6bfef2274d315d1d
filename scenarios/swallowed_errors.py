"""Customers look at what they have ordered. A hundred of them have five orders each; customers above a hundred do not exist."""

import os
import random

from locust import FastHttpUser, constant, task

FAILING_USERS_SHARE = float(os.environ.get("FAILING_USERS_SHARE", 1 / 20))


class Customer(FastHttpUser):
    weight = round(20 * (1 - FAILING_USERS_SHARE), 3)
    wait_time = constant(0)

    @task
    def read_orders(self) -> None:
        customer = random.randint(1, 100)
        path = f"/customers/{customer}/orders"
        with self.client.get(path, name="/customers/{id}/orders", catch_response=True) as response:
            if response.status_code != 200:
                return
            history = response.json()
            if history.get("customer_id") != customer or len(history["orders"]) != 5:
                response.failure(f"no history: {response.text}")


class Stranger(FastHttpUser):
    """Asks for customers that do not exist, and ought to be told so."""

    weight = round(20 * FAILING_USERS_SHARE, 3)
    wait_time = constant(0)

    @task
    def read_no_orders(self) -> None:
        path = f"/customers/{random.randint(101, 999)}/orders"
        with self.client.get(path, name="/customers/{id}/orders (none)", catch_response=True) as response:
            if response.status_code == 404:
                response.success()
            elif response.status_code == 200:
                response.failure(f"a stranger's history: {response.text}")
