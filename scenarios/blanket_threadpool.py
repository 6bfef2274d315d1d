"""Customers ask for their statement. A hundred of them, in seven cities, have five orders each, of 1, 2, 3, 4 and 5 pieces."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_statement(self) -> None:
        customer = random.randint(1, 100)
        path = f"/customers/{customer}/statement"
        with self.client.get(path, name="/customers/{id}/statement", catch_response=True) as response:
            if response.status_code != 200:
                return
            statement = response.json()
            orders = statement["orders"]
            bought = sorted({(customer * 7 + nth * 13) % 200 + 1 for nth in range(1, 6)})
            if (
                statement["name"] != f"Customer {customer}"
                or [order["quantity"] for order in orders] != [1, 2, 3, 4, 5]
                or statement["spent_cents"] != sum(order["total_cents"] for order in orders)
                or [product["id"] for product in statement["products"]] != bought
                or statement["neighbours"] not in (14, 15)
                or statement["dearest"]["id"] != 200
            ):
                response.failure(f"wrong statement: {response.text}")
