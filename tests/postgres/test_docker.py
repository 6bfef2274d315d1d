"""Postgres in Docker: with a real engine where there is one, and what is said where there is none or it fails."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.errors import SetupError
from harness.postgres import docker, embedded
from harness.postgres.databases import Databases
from harness.postgres.docker import docker_server
from harness.postgres.embedded import embedded_server
from harness.postgres.server import PostgresServer, start_postgres
from harness.postgres.urls import database_of
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
ENGINE_IS_THERE = (
    'case "$*" in version*|"compose version") exit 0;; '
    "*config) printf 'services:\\n  postgres:\\n    image: postgres:18\\n';; "
)

RUN = """
import sys, time
from harness.postgres.server import start_postgres
with start_postgres("docker", run_token="ends") as server:
    print(server.keeper.pid, flush=True)
    time.sleep(120)
"""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port at which nothing listens, for Postgres in Docker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    monkeypatch.setenv("HARNESS_POSTGRES_PORT", str(number))
    return number


@pytest.fixture
def somebodys(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Postgres that was there before the run, at the port where Docker's would be."""
    monkeypatch.setattr(embedded, "PORT", str(port))
    monkeypatch.setattr(embedded, "SETTINGS", {"listen_addresses": "127.0.0.1", "fsync": "off"})
    with embedded_server() as provided:
        with psycopg.connect(provided.url, autocommit=True) as admin:
            admin.execute("CREATE ROLE harness LOGIN CREATEDB")
            admin.execute("CREATE DATABASE harness OWNER harness")
        yield provided.url


def everything_of(port: int) -> str:
    """What the engine holds of the run at a port: containers, networks and volumes, by name."""
    found = ""
    for kind in ("container ls --all", "network ls", "volume ls"):
        name = "{{.Names}}" if kind.startswith("container") else "{{.Name}}"
        command = ["docker", *kind.split(), "--format", name, "--filter", f"name={docker.project(COMPOSE_FILE, port)}"]
        found += subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return found


def fake_docker(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def sentence(compose_file: Path = COMPOSE_FILE) -> str:
    with pytest.raises(SetupError) as caught:
        docker_server(compose_file, "bad").__enter__()
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("end", ["kill -9", "keeper gets SIGTERM"])
def test_nothing_is_left_after_any_end(engine: None, port: int, end: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert parent.stdout is not None
        keeper = int(parent.stdout.readline())
        assert len(everything_of(port).split()) == 3
        if end == "kill -9":
            parent.kill()
        else:
            os.kill(keeper, signal.SIGTERM)
        wait_until(lambda: not everything_of(port), "container, network and volume are gone", 30)
    finally:
        parent.kill()
        parent.wait()


def test_a_server_of_a_run_is_not_for_another(docker_server: PostgresServer) -> None:
    with pytest.raises(SetupError, match="another run is using Postgres in Docker: wait until it has ended"):
        start_postgres("docker", run_token="second")
    docker_server.restart("postgres")
    with pytest.raises(SetupError, match="another run is using Postgres in Docker"):
        start_postgres("docker", run_token="second")


def test_a_wrong_password(docker_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_POSTGRES_PASSWORD", "s3cret")
    with pytest.raises(SetupError) as caught:
        start_postgres("docker", run_token="wrong")
    assert 'not by the harness\' Postgres (password authentication failed for user "harness")' in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_server_that_is_there_is_used_and_left_alone(somebodys: str, tmp_path: Path) -> None:
    with docker_server(tmp_path / "no compose file is needed", "guest") as provided:
        databases = Databases(provided.url, run_token="guest")
        databases.create_template(lambda url: None)
        url = databases.clone("felt")
        with psycopg.connect(url) as session, psycopg.connect(somebodys) as owners:
            provided.restart(database_of(url))
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
            assert owners.execute("SELECT 1").fetchone() == (1,)
    with psycopg.connect(somebodys) as admin:
        assert admin.execute("SELECT count(*) FROM pg_database WHERE datname ~ 'guest'").fetchone() == (0,)


def test_a_port_that_something_else_has(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        taken.settimeout(0)
        monkeypatch.setenv("HARNESS_POSTGRES_PORT", str(taken.getsockname()[1]))
        monkeypatch.setattr(docker, "CONNECT_S", 2)
        text = sentence()
    assert f"port {os.environ['HARNESS_POSTGRES_PORT']} is taken, and not by the harness' Postgres" in text
    assert text.endswith("free it, or choose another one with HARNESS_POSTGRES_PORT")


def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_POSTGRES_PORT", "5432a")
    assert sentence().startswith("HARNESS_POSTGRES_PORT=5432a is not a port")


def test_no_compose_file(port: int, tmp_path: Path) -> None:
    text = sentence(tmp_path / "docker-compose.yml")
    assert text == "--postgres docker: there is no docker-compose.yml here: run this in a checkout of the project"


def test_no_docker(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sentence().startswith("--postgres docker: there is no command docker; install Docker, or")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1',
            "no Docker engine answers (Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?); start it, or",
        ),
        (
            'echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1',
            "this user may not use the Docker engine; add it to the group docker, or",
        ),
        (
            ENGINE_IS_THERE + 'image*) exit 1;; *pull*) echo "Get registry: no such host" >&2; exit 1;; esac',
            "the image postgres:18 is not on this machine and cannot be pulled (Get registry: no such host); put it there",
        ),
        (
            ENGINE_IS_THERE + 'image*) exit 0;; *up*) echo "Error: Bind for 127.0.0.1 failed" >&2; exit 1;; esac',
            "docker compose up failed: Error: Bind for 127.0.0.1 failed",
        ),
        (
            ENGINE_IS_THERE
            + "*ps*) echo c0ffee;; inspect*) echo running unhealthy;; logs*) echo 'FATAL: no space';; esac",
            "Postgres in Docker does not get ready: its container is unhealthy, and its log ends with: FATAL: no space",
        ),
    ],
    ids=["no engine", "no permission", "no image", "cannot start", "unhealthy"],
)
def test_what_docker_complains_of(
    script: str, said: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker, "LOOK_AT_CONTAINER_EVERY_S", 0.1)
    fake_docker(tmp_path, script, monkeypatch)
    assert said in sentence()


def test_the_compose_file_is_read_by_compose(engine: None) -> None:
    for command in (["docker", "compose"], ["docker-compose"]):
        try:
            read = subprocess.run(
                [*command, "-f", str(COMPOSE_FILE), "--profile", "distributed", "config"], capture_output=True
            )
        except FileNotFoundError:
            continue
        if read.returncode == 0:
            return
    pytest.fail("no Compose reads the file")
