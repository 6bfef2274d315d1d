"""Visitors leaf through the shop window, five products at a time, each with eight photos and twenty reviews."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task
    def list_products(self) -> None:
        after = random.randint(0, 175)
        with self.client.get(f"/products?after={after}", name="/products", catch_response=True) as response:
            if response.status_code != 200:
                return
            shown = [(p["id"], len(p["photos"]), len(p["reviews"]), p["reviews"][0]) for p in response.json()]
            for nth, (product, photos, reviews, first) in enumerate(shown, after + 1):
                author = f"Customer {(product * 11 + 17) % 100 + 1}"
                if (product, photos, reviews, first["by"]) != (nth, 8, 20, author):
                    response.failure(f"wrong product: {product} with {photos} photos and {reviews} reviews by {first}")
                    break
            if len(shown) != 5:
                response.failure(f"{len(shown)} products instead of five")
