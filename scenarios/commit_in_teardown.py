"""Customers reserve slots at the counter. The first hundred slots were taken before they came."""

import itertools
import random
from typing import Any

from locust import FastHttpUser, constant, task

free_slots = itertools.count(101)


class Customer(FastHttpUser):
    """Reserves one free slot after another."""

    fixed_count = 1  # so that this is the one user who comes first, alone
    wait_time = constant(0)
    reserved: dict[str, Any] | None = None

    @task
    def visit(self) -> None:
        self.go_on()

    def go_on(self) -> None:
        wanted = {"customer_id": random.randint(1, 100), "slot": next(free_slots)}
        with self.client.post("/reservations", json=wanted, catch_response=True) as response:
            if response.status_code == 201:
                self.reserved = response.json()
                if self.reserved != {**wanted, "id": self.reserved["id"]}:
                    response.failure(f"another reservation: {response.text}")


class CarefulCustomer(Customer):
    """Looks at each reservation as soon as it is made."""

    fixed_count = 0
    weight = 8

    def go_on(self) -> None:
        if self.reserved is None:
            super().go_on()
            return
        reserved, self.reserved = self.reserved, None
        path = f"/reservations/{reserved['id']}"
        with self.client.get(path, name="/reservations/{id}", catch_response=True) as response:
            if response.status_code == 200 and response.json() != reserved:
                response.failure(f"another reservation: {response.text}")


class LateCustomer(FastHttpUser):
    """Wants a slot that somebody else has."""

    weight = 1
    wait_time = constant(0)

    @task
    def reserve_taken_slot(self) -> None:
        wanted = {"customer_id": random.randint(1, 100), "slot": random.randint(1, 100)}
        with self.client.post(
            "/reservations", json=wanted, name="/reservations (taken)", catch_response=True
        ) as response:
            if response.status_code == 409:
                response.success()
            elif response.status_code == 201:
                response.failure("a taken slot was promised to somebody else")
