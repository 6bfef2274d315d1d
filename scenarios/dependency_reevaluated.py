"""People draw numbers at a counter: nobody gets a number that anybody else has got, and it stands on the receipt too."""

from typing import ClassVar

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)
    given: ClassVar[dict[str | None, set[int]]] = {}  # by the counter's address: each has numbers of its own

    @task
    def take_ticket(self) -> None:
        given = self.given.setdefault(self.host, set())
        with self.client.post("/tickets", catch_response=True) as response:
            if response.status_code != 200:
                return
            ticket = response.json()
            number = ticket["number"]
            if number in given:
                response.failure(f"number {number} is given a second time")
            elif ticket["receipt"] != f"No. {number}":
                response.failure(f"number {number} has a receipt for {ticket['receipt']}")
            given.add(number)
