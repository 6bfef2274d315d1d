"""Visitors read what customers think. Review n has so many stars; with one star goes the customer's name."""

import random

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    """Reads reviews of two stars or more."""

    weight = 4
    wait_time = constant(0)
    stars: tuple[int, ...] = (2, 3, 4, 5)

    @task
    def read_review(self) -> None:
        product, nth = random.randint(1, 180), random.randint(1, 20)
        while (product + nth) % 5 + 1 not in self.stars:
            product, nth = random.randint(1, 180), random.randint(1, 20)
        review = (product - 1) * 20 + nth
        by = f"Customer {(product * 11 + nth * 17) % 100 + 1}" if 1 in self.stars else None
        with self.client.get(f"/reviews/{review}", name="/reviews/{id}", catch_response=True) as response:
            if response.status_code != 200:
                return
            answer = response.json()
            if (answer["id"], answer["stars"], answer["by"]) != (review, (product + nth) % 5 + 1, by):
                response.failure(f"wrong review: {response.text}")


class Doubter(Visitor):
    """Reads complaints."""

    weight = 1
    stars = (1,)
