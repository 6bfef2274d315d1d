"""Customers look at their orders. One in five loses patience and closes the connection before the answer is there."""

import os
import random
import socket
import time
from urllib.parse import urlsplit

from locust import FastHttpUser, constant, task

LEAVING_SHARE = float(os.environ.get("LEAVING_SHARE", 1 / 5))
PATIENCE_S = 0.03  # less than the answer takes


class Customer(FastHttpUser):
    wait_time = constant(0)

    @task
    def read_orders(self) -> None:
        patient = random.random() >= LEAVING_SHARE
        path = f"/customers/{random.randint(1, 100)}/orders"
        if not patient:
            self.leave_early(path)
            return
        with self.client.get(path, name="/customers/{id}/orders", catch_response=True) as response:
            if response.status_code == 200 and [order["quantity"] for order in response.json()] != [1, 2, 3, 4, 5]:
                response.failure(f"wrong orders: {response.text}")

    def leave_early(self, path: str) -> None:
        """Nobody counts these: they get no answer."""
        server = urlsplit(self.host or "")
        with socket.create_connection((server.hostname, server.port)) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.netloc}\r\n\r\n".encode())
            time.sleep(PATIENCE_S)
