"""Customers open accounts. One client of five adds a field that the shop's form does not have."""

import itertools
from typing import Any

from locust import FastHttpUser, constant, task

numbers = itertools.count(1)


class Customer(FastHttpUser):
    weight = 4
    wait_time = constant(0)

    @task
    def open_account(self) -> None:
        form = self.fill_form()
        with self.client.post("/accounts", json=form, catch_response=True) as response:
            if response.status_code != 201:
                return
            answer = response.json()
            if answer["is_admin"]:
                response.failure("a stranger is an admin now")
            elif (answer["email"], answer["name"]) != (form["email"], form["name"]):
                response.failure(f"wrong account: {response.text}")

    def fill_form(self) -> dict[str, Any]:
        n = next(numbers)
        return {"email": f"new{n}@shop.example", "name": f"Newcomer {n}"}


class Stranger(Customer):
    weight = 1

    def fill_form(self) -> dict[str, Any]:
        return super().fill_form() | {"is_admin": True}
