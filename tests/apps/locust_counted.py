from locust import FastHttpUser, constant, task


class Reader(FastHttpUser):
    wait_time = constant(0.01)

    @task
    def read(self) -> None:
        self.client.get("/read")
