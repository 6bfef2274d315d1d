"""Customers look at their orders and place new ones. There are a hundred of them, with five orders each."""

import random

from locust import task
from shoppers.orders import Buyer


class Customer(Buyer):
    @task
    def read_orders(self) -> None:
        path = f"/customers/{random.randint(1, 100)}/orders"
        with self.client.get(path, name="/customers/{id}/orders", catch_response=True) as response:
            if response.status_code == 200 and [o["quantity"] for o in response.json()] != [1, 2, 3, 4, 5]:
                response.failure(f"wrong orders: {response.text}")

    @task
    def order(self) -> None:
        self.place_order()
