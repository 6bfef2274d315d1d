"""Customers, each known by a token, list their own orders: five each, of 1, 2, 3, 4 and 5 pieces."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def list_my_orders(self) -> None:
        customer = random.randint(1, 100)
        header = {"X-Api-Token": f"token-{customer:03}"}
        with self.client.get("/me/orders", headers=header, catch_response=True) as response:
            if response.status_code != 200:
                return
            orders = [(order["product_id"], order["quantity"]) for order in response.json()]
            if orders != [((customer * 7 + nth * 13) % 200 + 1, nth) for nth in range(1, 6)]:
                response.failure(f"wrong orders: {response.text}")
