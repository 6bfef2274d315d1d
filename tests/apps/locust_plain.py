from locust import FastHttpUser, HttpUser, constant, task


class Fast(FastHttpUser):
    weight = 1
    wait_time = constant(0)

    @task
    def read(self) -> None:
        self.client.get("/plain", name="fast")


class Slow(HttpUser):
    weight = 1
    wait_time = constant(0)

    @task
    def read(self) -> None:
        self.client.get("/plain", name="requests")
