"""A Locust file that knows nothing of the harness and uses much of what Locust offers."""

from typing import Any

from locust import HttpUser, SequentialTaskSet, TaskSet, constant, events, task

seen: list[str] = []


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_option(parser: Any) -> None:
    parser.add_argument("--path", default="/chosen")


@events.init.add_listener  # type: ignore[untyped-decorator]
def on_init(environment: Any, **_: Any) -> None:
    seen.append("init")


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def on_test_start(environment: Any, **_: Any) -> None:
    seen.append("test_start")


class Browsing(TaskSet):
    wait_time = constant(0)

    @task
    def read(self) -> None:
        assert "init" in seen and "test_start" in seen, seen
        self.client.get(self.user.environment.parsed_options.path, name="nested")
        self.interrupt()  # type: ignore[no-untyped-call]


class Buying(SequentialTaskSet):
    @task
    def first(self) -> None:
        self.client.get("/first", name="first")

    @task
    def idle(self) -> None:
        """A step without a request."""

    @task
    def last(self) -> None:
        self.client.get("/last", name="last")
        self.client.get("/more", name="follows")
        self.interrupt()  # type: ignore[no-untyped-call]


class Visitor(HttpUser):
    wait_time = constant(0)
    tasks = [Browsing, Buying]  # noqa: RUF012 - as Locust's documentation has it

    def on_start(self) -> None:
        self.client.get("/login", name="login")
