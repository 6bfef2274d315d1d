"""Customers ask for a statement of their account, and are told that they will get one."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def order_statement(self) -> None:
        customer = random.randint(1, 100)
        path = f"/customers/{customer}/statements"
        with self.client.post(path, name="/customers/{id}/statements", catch_response=True) as response:
            if response.status_code == 202 and response.json() != {
                "customer_id": customer,
                "name": f"Customer {customer}",
            }:
                response.failure(f"wrong answer: {response.text}")
