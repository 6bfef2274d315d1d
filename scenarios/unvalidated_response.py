"""Visitors look at ratings. The first 180 products have twenty reviews of 1 to 5 stars in turn, the newest twenty have none."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    weight = 9
    wait_time = constant(0)
    products: tuple[int, int] = (1, 180)

    @task
    def read_rating(self) -> None:
        product = random.randint(*self.products)
        path = f"/products/{product}/rating"
        with self.client.get(path, name="/products/{id}/rating", catch_response=True) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if not isinstance(answer["stars"], float | int):
                response.failure(f"not a number: {response.text}")
            elif answer != {"product_id": product, "reviews": 20, "stars": 3.0}:
                response.failure(f"wrong rating: {response.text}")


class CuriousVisitor(Visitor):
    """Looks at new products."""

    weight = 1
    products = (181, 200)
