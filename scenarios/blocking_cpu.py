"""Customers mistype one letter of a product's name, and expect to see the right name first."""

import random

from locust import FastHttpUser, constant, task

SIZES = ("tiny", "small", "medium", "large", "huge")
COLOURS = ("red", "blue", "green", "white", "black", "grey", "amber", "ivory")
MATERIALS = ("oak", "pine", "steel", "copper", "glass", "wool", "linen", "clay", "marble", "wicker")
THINGS = ("kettle", "lamp", "chair", "teapot", "shelf", "rug", "clock", "bowl")


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def search(self) -> None:
        name = " ".join(random.choice(words) for words in (SIZES, COLOURS, MATERIALS, THINGS))
        at = random.randrange(len(name))
        typed = f"{name[:at]}x{name[at + 1 :]}"
        with self.client.get(
            "/suggestions", params={"searched": typed}, name="/suggestions", catch_response=True
        ) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if answer["searched"] != typed or name not in answer["names"]:
                response.failure(f"not found: {response.text}")
