"""Input that cannot be used, and servers that cannot be: one sentence, and no password in it."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError, SetupError, UsageError
from harness.postgres.embedded import embedded_server
from harness.postgres.server import start_postgres


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def sentence(choice: str, error: type[HarnessError]) -> str:
    with pytest.raises(error) as caught:
        start_postgres(choice, run_token="bad")
    assert type(caught.value) is error
    text = str(caught.value)
    assert "\n" not in text
    assert "s3cret" not in text
    return text


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ("dokcer", "'dokcer'"),
        ("", "''"),
        ("mysql://root:s3cret@host/shop", "a mysql:// URL"),
        ("lena:s3cret@host/shop", "that"),
        ("host=h password=s3cret", "that"),
    ],
)
def test_an_unknown_choice(choice: str, shown: str) -> None:
    assert sentence(choice, UsageError) == f'--postgres takes "embedded", "docker" or a postgresql:// URL, not {shown}'


@pytest.mark.parametrize(
    "choice",
    [
        "postgresql://lena:s3cret@host:port/shop",
        "postgresql://lena:s3cret@[::1/shop",
        "postgresql://lena:s3cret@host/shop?colour=red",
        "postgresql://lena:100%s3cret@host/shop",
        "postgresql://lena:12#s3cret@host/shop",
        "postgresql://lena:12/s3cret@host/shop",
        "postgresql://lena:12?s3cret@host/shop",
    ],
)
def test_a_url_that_cannot_be_read(choice: str) -> None:
    assert sentence(choice, UsageError).startswith("--postgres: the URL cannot be read; write postgresql://")


def test_no_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can answer there
        port = taken.getsockname()[1]
        text = sentence(f"postgresql+psycopg://lena:s3cret@127.0.0.1:{port}/shop", SetupError)
    assert text == f"Postgres at 127.0.0.1:{port}: Connection refused"


def test_a_wrong_password(users_url: str) -> None:
    text = sentence(users_url.replace("s3cret", "s3cretly"), SetupError)
    assert text.endswith('password authentication failed for user "lena"')


def test_no_right_to_create_databases(users_url: str) -> None:
    text = sentence(users_url.replace("lena:s3cret%2Fp%40ss", "guest:guest"), SetupError)
    assert text.endswith("role guest may not create databases; ALTER ROLE … CREATEDB lets it")


def test_a_folder_whose_path_is_too_long_for_a_socket(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = open_folder / ("d" * 90)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    text = sentence("embedded", SetupError)
    assert text.startswith("embedded Postgres cannot start: ")
    assert text.endswith("too long a path for a socket; set TMPDIR to a shorter one")
    assert list(Path(deep).iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")
def test_a_folder_that_postgres_cannot_enter(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_folder.chmod(0o700)
    monkeypatch.setenv("TMPDIR", str(open_folder))
    text = sentence("embedded", SetupError)
    assert text.endswith(f"the system user nobody cannot enter {open_folder}; set TMPDIR to a folder open to all")
    assert list(Path(open_folder).iterdir()) == []


def test_postgres_own_last_words(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.postgres.embedded.SETTINGS", {"max_connections": "none"})
    monkeypatch.setattr("tempfile.tempdir", str(open_folder))
    with pytest.raises(SetupError, match='FATAL:  invalid value for parameter "max_connections": "none"'):
        embedded_server().__enter__()
    assert list(Path(open_folder).iterdir()) == []
