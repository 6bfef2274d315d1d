"""Dealers download the price list, a file of some four megabytes."""

from locust import FastHttpUser, constant, task

LINES, LINE_BYTES = 100_000, 42


class Dealer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_price_list(self) -> None:
        with self.client.get("/price-list", catch_response=True) as response:
            if response.status_code != 200:
                return
            content = response.content or b""
            if len(content) != LINES * LINE_BYTES or not content.rstrip().endswith(b";0100475"):
                response.failure(f"{len(content)} bytes, ending in {content[-20:]!r}")
