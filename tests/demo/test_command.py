"""The verb: what it says when it cannot serve, and which port it takes."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.demo import command
from harness.demo.server import free_port
from harness.errors import SetupError


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match="make demo"):
        command.demo()


def test_a_taken_port_gives_the_next_that_is_free() -> None:
    with free_port(18_900) as first, free_port(first.getsockname()[1]) as second:
        assert second.getsockname()[0] == "127.0.0.1"
        assert second.getsockname()[1] > first.getsockname()[1]


def test_where_no_port_is_free_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object) -> None:
        raise OSError("address in use")

    monkeypatch.setattr(socket.socket, "bind", taken)
    with pytest.raises(SetupError, match="choose another with --port"):
        free_port(18_900)


def test_other_verbs_do_not_load_the_page() -> None:
    code = "import sys, harness.cli; sys.exit('nicegui' in sys.modules or 'harness.demo.server' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
