"""The staff sign in, and one in ten times mistype their password."""

import random

from locust import FastHttpUser, constant, task

TO_PACK = {"ada": 3, "bruno": 7, "chloe": 11, "dag": 15}


class Packer(FastHttpUser):
    wait_time = constant(0)

    @task(9)
    def sign_in(self) -> None:
        name = random.choice(list(TO_PACK))
        wanted = {"name": name, "password": f"the {name} packs 12 kettles"}
        with self.client.post("/sign-in", json=wanted, catch_response=True) as response:
            if response.status_code == 200 and response.json() != {"name": name, "orders_to_pack": TO_PACK[name]}:
                response.failure(f"wrong person: {response.text}")

    @task(1)
    def mistype(self) -> None:
        wanted = {"name": random.choice(list(TO_PACK)), "password": "the cat packs 12 kettles"}
        with self.client.post("/sign-in", json=wanted, name="/sign-in (wrong)", catch_response=True) as response:
            if response.status_code == 401:
                response.success()
            elif response.status_code == 200:
                response.failure("let in with a wrong password")
