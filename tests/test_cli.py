"""What `harness run` says to input that it cannot use: one sentence, exit code 2, nothing left."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from uvicorn.importer import ImportFromStringError

from harness import cli
from harness.measuring import without_secrets
from harness.own import most_in_flight, shown
from harness.target.serve import imported

Refused = Callable[..., str]
APP = "from fastapi import FastAPI\napp = FastAPI()\ndef create_app(): return app\n"
LOAD = "from locust import FastHttpUser, task\nclass Visitor(FastHttpUser):\n    @task\n    def read(self): self.client.get('/')\n"
GOOD = ["shop:app", "-f", "load.py", "--users", "2"]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Refused]:
    """Calls the command in a folder with an app and a Locust file; returns the sentence with which it ended with code 2."""
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such luck')\n")
    (tmp_path / "load.py").write_text(LOAD)
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        assert end.value.code == 2, said
        assert (said.out, said.err.count("\n"), "Traceback" in said.err) == ("", 1, False)
        assert not list(tmp_path.glob("reports/*")), "nothing was measured, nothing is left"
        return said.err

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shop", *GOOD[1:]], ["'shop'", "module:app", "URL"]),
        (["shop/main.py:app", *GOOD[1:]], ["module:app", "URL"]),
        (["ftp://127.0.0.1:1", *GOOD[1:]], ["ftp://127.0.0.1:1", "http://HOST:PORT"]),
        (["http://127.0.0.1:99999", *GOOD[1:]], ["99999", "not a URL"]),
        (["http://u:secret@127.0.0.1:1", *GOOD[1:]], ["http://127.0.0.1:1 does not answer", "refused", "start it first"]),
        (["http://127.0.0.1:1", *GOOD[1:], "--env", "A=1"], ["--env", "leave it out"]),
        (["shop:app", "-f", "nowhere.py", "--users", "2"], ["nowhere.py does not exist"]),
        (["shop:app", "-f", "load.py"], ["--users N", "--rate R"]),
        ([*GOOD[:-1], "0"], ["--users 0", "at least 1"]),
        ([*GOOD[:-1], "20000"], ["--users 20000", "at most 10000"]),
        ([*GOOD, "--rate", "0"], ["--rate 0", "more than 0"]),
        ([*GOOD, "--rate", "nan"], ["--rate nan"]),
        ([*GOOD, "--seconds", "-1"], ["--seconds -1", "more than 0"]),
        ([*GOOD, "--warmup", "-1"], ["--warmup -1", "at least 0"]),
        ([*GOOD, "--blocks", "0"], ["--blocks 0", "at least 1"]),
        ([*GOOD, "--think", "-1"], ["--think -1"]),
        ([*GOOD, "--rate", "5", "--think", "1"], ["--think", "--rate"]),
        ([*GOOD, "--arrivals", "even"], ["--arrivals", "--rate"]),
        ([*GOOD, "--rate", "5", "--arrivals", "odd"], ["--arrivals 'odd'", "poisson or even"]),
        ([*GOOD, "--canary", "health"], ["--canary 'health'", "/health"]),
        ([*GOOD, "--env", "SECRET"], ["--env 'SECRET'", "NAME=VALUE"]),
        ([*GOOD, "--app-dir", "nowhere"], ["--app-dir nowhere is not a folder"]),
    ],
)  # fmt: skip
def test_a_flag_that_cannot_be_used_is_named(refused: Refused, arguments: list[str], words: list[str]) -> None:
    said = refused("run", *arguments)
    assert [word for word in words if word not in said] == [], said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("broken:app", ["broken:app", "no such luck"]),
        ("shop:create_app", ["shop:create_app", "--factory"]),
    ],
)
def test_an_app_that_does_not_start_is_told_with_the_end_of_its_log(
    refused: Refused, target: str, words: list[str]
) -> None:
    said = refused("run", target, *GOOD[1:])
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize(
    ("name", "factory", "words"),
    [
        ("tests.nowhere:app", False, 'Could not import module "tests.nowhere"'),
        ("tests.apps.own_shop:nothing", False, 'Attribute "nothing" not found in module "tests.apps.own_shop"'),
        ("tests.apps.own_shop:not_an_app", False, "tests.apps.own_shop:not_an_app is a str, not an app"),
        ("tests.apps.own_shop:create_app", False, "Add --factory"),
        ("tests.apps.own_shop:get_db", True, r"get_db\(\) is a Session, not an app"),
    ],
)
def test_a_name_that_is_no_app_is_told(name: str, factory: bool, words: str) -> None:
    with pytest.raises(ImportFromStringError, match=words):
        imported(name, factory=factory)


def test_an_app_or_what_a_factory_makes_is_served() -> None:
    app = imported("tests.apps.own_shop:app", factory=False)
    assert type(imported("tests.apps.own_shop:create_app", factory=True)) is type(app)


def test_a_taken_port_is_named(refused: Refused) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--port {port}" in refused("run", *GOOD, "--port", str(port))


def test_passwords_and_values_of_the_environment_stay_out_of_the_command_line() -> None:
    given = [
        "run",
        "http://me:pw@h:1/",
        "--env",
        "KEY=pw",
        "--env=URL=postgres://u:pw@h/d",
        "--postgres",
        "postgresql://u:pw@h/d",
    ]
    kept = ["run", "http://me:…@h:1/", "--env", "KEY=…", "--env=URL=…", "--postgres", "postgresql://u:…@h/d"]
    assert without_secrets(given) == kept
    assert shown("http://me:pw@h:1/x") == "http://h:1/x"


@pytest.mark.parametrize(("rate_rps", "users"), [(0.1, 50), (100, 200), (5000, 1000)])
def test_users_of_an_open_load_suffice_for_answers_of_two_seconds(rate_rps: float, users: int) -> None:
    assert most_in_flight(rate_rps) == users


def test_a_verb_loads_no_more_than_it_needs() -> None:
    code = "import sys; from harness.cli import list_pairs; list_pairs(); print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert "blocking_sleep" in ended.stdout
    loaded = set(ended.stderr.split())
    assert "harness.catalog" in loaded
    assert not loaded & {
        "fastapi",
        "gevent",
        "harness.bench",
        "locust",
        "matplotlib",
        "numpy",
        "psycopg",
        "pyarrow",
        "scipy",
    }
