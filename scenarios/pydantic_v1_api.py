"""Customers order, and once in forty times a packer prints a slip. Product n costs 500 + 25 n cents."""

import random

from locust import FastHttpUser, constant, task


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task(40)
    def place_order(self) -> None:
        product, quantity = random.randint(1, 200), random.randint(1, 5)
        order = {"sku": f" SKU-{product:04} ", "quantity": quantity}
        with self.client.post("/orders", json=order, catch_response=True) as response:
            if response.status_code == 201 and response.json() != slip(product, quantity):
                response.failure(f"wrong slip: {response.text}")

    @task(1)
    def print_slip(self) -> None:
        product, quantity = random.randint(1, 200), random.randint(1, 5)
        path = f"/slips/SKU-{product:04}?quantity={quantity}"
        with self.client.get(path, name="/slips/{sku}", catch_response=True) as response:
            if response.status_code == 200 and response.json() != slip(product, quantity):
                response.failure(f"wrong slip: {response.text}")


def slip(product: int, quantity: int) -> dict[str, str | int]:
    return {"sku": f"SKU-{product:04}", "quantity": quantity, "total_cents": quantity * (500 + 25 * product)}
