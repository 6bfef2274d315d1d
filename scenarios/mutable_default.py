"""Customers search two departments. One that gives no words gets the department's own word and no other, each time."""

import random
from typing import Any

from locust import FastHttpUser, constant, task

COLOURS = ("red", "blue", "green", "white", "black", "grey", "amber", "ivory")


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task(3)
    def browse_oak(self) -> None:
        with self.client.get("/oak", catch_response=True) as response:
            check(response, ["oak"])

    @task(1)
    def search_oak(self) -> None:
        colour = random.choice(COLOURS)
        with self.client.get("/oak", params={"words": colour}, name="/oak?words=", catch_response=True) as response:
            check(response, [colour, "oak"])

    @task(3)
    def browse_steel(self) -> None:
        with self.client.post("/steel", catch_response=True) as response:
            check(response, ["steel"])


def check(response: Any, words: list[str]) -> None:
    if response.status_code != 200:
        return
    found = response.json()
    if found["words"] != words or len(found["names"]) != 5:
        response.failure(f"searched {found['words']} instead of {words}")
    elif not all(word in name for word in words for name in found["names"]):
        response.failure(f"wrong names: {response.text[:200]}")
