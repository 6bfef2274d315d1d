from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0)

    @task(3)
    def blocks(self) -> None:
        self.client.get("/blocks")

    @task(2)
    def reads(self) -> None:
        self.client.get("/reads")

    @task(2)
    def leaks(self) -> None:
        self.client.get("/leaks")
