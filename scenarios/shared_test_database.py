"""A developer runs the tests in two processes, looks at the outcome, and runs them again. Nothing is wrong with what they test."""

from typing import Any

from locust import FastHttpUser, constant, task

PROCESSES = 2
TESTS = 30


class Developer(FastHttpUser):
    wait_time = constant(0)
    outcome: dict[str, Any] | None = None

    @task
    def run_or_look(self) -> None:
        if self.outcome is None:
            self.run_tests()
        else:
            self.look_at(self.outcome["id"])
            self.outcome = None

    def run_tests(self) -> None:
        with self.client.post("/runs", json={"processes": PROCESSES}, catch_response=True) as response:
            if response.status_code == 201:
                self.outcome = response.json()
                check(response)

    def look_at(self, run: int) -> None:
        with self.client.get(f"/runs/{run}", name="/runs/{id}", catch_response=True) as response:
            if response.status_code == 200:
                check(response)


def check(response: Any) -> None:
    told = response.json()
    if (told["passed"], told["failed"]) != (TESTS, 0):
        response.failure(f"the tests do not pass: {response.text}")
