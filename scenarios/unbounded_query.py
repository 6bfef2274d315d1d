"""Visitors leaf through 3,600 reviews, twenty at a time. One of ten clients would rather have them all at once."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    weight = 9
    wait_time = constant(0)

    @task
    def list_reviews(self) -> None:
        page = random.randint(1, 180)
        with self.client.get(f"/reviews?page={page}", name="/reviews", catch_response=True) as response:
            if response.status_code == 200:
                ids = [review["id"] for review in response.json()]
                if ids != list(range(20 * page - 19, 20 * page + 1)):
                    response.failure(f"wrong page: {ids}")


class Export(FastHttpUser):
    """Asks for everything. A service may say no: then it is content with what it may have at once."""

    weight = 1
    wait_time = constant(0)
    per_page = 1_000_000

    @task
    def export_reviews(self) -> None:
        path = f"/reviews?per_page={self.per_page}"
        with self.client.get(path, name="/reviews (export)", catch_response=True) as response:
            if response.status_code == 422:
                self.per_page = 100
                response.success()
            elif response.status_code == 200:
                ids = [review["id"] for review in response.json()]
                if ids != list(range(1, min(self.per_page, 3600) + 1)):
                    response.failure(f"wrong export of {len(ids)} reviews")
