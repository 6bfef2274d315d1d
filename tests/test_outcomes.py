"""How one request ended, from what the client saw.

The module under test imports Locust, and that patches the standard library of its process. The cases are therefore worked
through in a process of their own, which imports this file too: only there are the exceptions made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
POOL_MESSAGE = b"QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 1.00"


@dataclass(frozen=True)
class Case:
    what: str
    exception: Callable[[], Any]
    status: int
    body: bytes
    outcome: str


def _rejected() -> Exception:
    from locust.exception import CatchResponseError

    return CatchResponseError("no total in the answer")


def _raised_in_the_with_block() -> Exception:
    from locust.exception import ResponseError

    return ResponseError("no total in the answer")


def _rejected_with_an_exception() -> Exception:
    return ValueError("no total in the answer")  # response.failure() takes any


def _http_error() -> Exception:
    from requests import HTTPError

    return HTTPError("500 Server Error")


def _read_timeout() -> Exception:
    from requests.exceptions import ReadTimeout

    return ReadTimeout()


def _gevent_timeout() -> BaseException:
    from gevent import Timeout

    return Timeout(1.0)


def _cut_short() -> Exception:
    from requests.exceptions import ChunkedEncodingError

    return ChunkedEncodingError("Connection broken: IncompleteRead")


CASES = [
    Case("success", lambda: None, 200, b"", "ok"),
    Case("success of the scenario's choice", lambda: None, 404, b"", "ok"),
    Case("answer rejected", _rejected, 200, b"{}", "wrong_body"),
    Case("redirect rejected", _rejected, 302, b"", "wrong_body"),
    Case("answer rejected by raising", _raised_in_the_with_block, 200, b"{}", "wrong_body"),
    Case("answer rejected with an exception", _rejected_with_an_exception, 200, b"{}", "wrong_body"),
    Case("answer rejected that speaks of a timeout", _rejected, 200, POOL_MESSAGE, "wrong_body"),
    Case("not found", _http_error, 404, b"", "http_error"),
    Case("server error", _http_error, 500, b"Internal Server Error", "http_error"),
    Case("error rejected by the scenario", _rejected, 500, b"", "http_error"),
    Case("pool timeout let out", _http_error, 500, b"TimeoutError: " + POOL_MESSAGE, "pool_timeout"),
    Case("pool timeout let out and rejected", _rejected, 503, POOL_MESSAGE, "pool_timeout"),
    Case("client error that names the pool", _http_error, 404, POOL_MESSAGE, "http_error"),
    Case("timeout", lambda: TimeoutError(), 0, b"", "client_timeout"),
    Case("timeout of requests", _read_timeout, 0, b"", "client_timeout"),
    Case("timeout of gevent", _gevent_timeout, 0, b"", "client_timeout"),
    Case("timeout in words", lambda: OSError("The read operation timed out"), 0, b"", "client_timeout"),
    Case("timeout after the headers", lambda: TimeoutError("timed out"), 200, b"", "client_timeout"),
    Case("refused", lambda: ConnectionRefusedError(111, "Connection refused"), 0, b"", "connect_error"),
    Case("reset", lambda: ConnectionResetError(104, "Connection reset by peer"), 0, b"", "connect_error"),
    Case("answer cut short", _cut_short, 200, b'{"id"', "connect_error"),
]


def print_outcomes() -> None:
    """Called in the other process."""
    from harness.load.outcomes import outcome_of

    print(json.dumps({case.what: outcome_of(case.exception(), case.status, case.body) for case in CASES}))


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    command = [sys.executable, "-c", "from tests.test_outcomes import print_outcomes; print_outcomes()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_outcome(case: Case, outcomes: dict[str, str]) -> None:
    assert outcomes[case.what] == case.outcome
