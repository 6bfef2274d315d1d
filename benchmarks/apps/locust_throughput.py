"""For stock Locust: an even rate the way it offers it, each user at its share of the rate in RATE_PER_USER."""

import os

from locust import FastHttpUser, constant_throughput, task


class Reader(FastHttpUser):
    wait_time = constant_throughput(float(os.environ.get("RATE_PER_USER", "1")))

    @task
    def read(self) -> None:
        self.client.get("/empty")
