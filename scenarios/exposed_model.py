"""Visitors open the pages of a hundred accounts. A page shows a name and an address to write to, and nothing else."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_account(self) -> None:
        n = random.randint(1, 100)
        with self.client.get(f"/accounts/{n}", name="/accounts/{id}", catch_response=True) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if secrets := sorted(answer.keys() - {"id", "name", "email"}):
                response.failure(f"the answer tells {', '.join(secrets)}")
            elif answer != {"id": n, "name": f"Customer {n}", "email": f"customer{n}@shop.example"}:
                response.failure(f"wrong account: {response.text}")
