"""Customers ask for their postage. The shop has no rate yet for the seventh city."""

import os
import random

from locust import FastHttpUser, constant, task

FAILING_USERS_SHARE = float(os.environ.get("FAILING_USERS_SHARE", 1 / 7))
POSTAGE_CENTS = (590, 490, 650, 390, 450, 520)


class Customer(FastHttpUser):
    """Lives in one of the six cities that have a rate. Customer n lives in city n mod 7."""

    weight = round(7 * (1 - FAILING_USERS_SHARE), 3)
    wait_time = constant(0)
    cities: tuple[int, ...] = (0, 1, 2, 3, 4, 5)

    @task
    def read_postage(self) -> None:
        city = random.choice(self.cities)
        customer = random.randint(1, 13) * 7 + city
        path = f"/customers/{customer}/postage"
        with self.client.get(path, name="/customers/{id}/postage", catch_response=True) as response:
            if response.status_code == 200 and response.json().get("cents") not in POSTAGE_CENTS[city : city + 1]:
                response.failure(f"not a rate: {response.text}")


class NewCustomer(Customer):
    """Lives in the seventh."""

    weight = round(7 * FAILING_USERS_SHARE, 3)
    cities = (6,)
