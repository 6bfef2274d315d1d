"""A developer runs the tests in two processes, again and again. Nothing is wrong with what they test."""

from locust import FastHttpUser, constant, task

PROCESSES = 2
TESTS = 30


class Developer(FastHttpUser):
    wait_time = constant(0)

    @task
    def run_tests(self) -> None:
        wanted = {"processes": PROCESSES}
        with self.client.post("/runs", json=wanted, catch_response=True) as response:
            if response.status_code == 200 and response.json() != {"passed": TESTS, "failed": 0}:
                response.failure(f"the tests do not pass: {response.text}")
