"""The fixture as a test of one's own uses it: an app that is sound, and three that are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pytest_plugin import Concurrency, Seen
from tests.builders import trial

APPS = Path(__file__).parent / "apps"


def drive(concurrency: Concurrency, **env: str) -> Seen:
    return concurrency.drive("counted:app", paths=["/read"], users=4, seconds=0.4, warmup=0.1, app_dir=APPS, env=env)


def test_a_sound_app_holds(concurrency: Concurrency) -> None:
    seen = drive(concurrency)
    seen.pool_is_given_back()
    seen.queries_per_request(at_most=1)
    seen.p95_is_below(5)
    seen.nothing_failed()
    with pytest.raises(AssertionError, match=r"95 % of \d+ requests took up to .* ms, 0.001 ms are allowed"):
        seen.p95_is_below(1e-6)
    with pytest.raises(AssertionError, match="a request makes 1 queries on average, 0 are allowed"):
        seen.queries_per_request(at_most=0)


def test_the_line_that_blocks_is_named(concurrency: Concurrency) -> None:
    line = next(n for n, text in enumerate((APPS / "counted.py").read_text().splitlines(), 1) if "time.sleep" in text)
    with pytest.raises(AssertionError, match=rf"the event loop was held for \d+% .*counted.py:{line} in blocks"):
        drive(concurrency, FAULT="blocks").loop_is_free()


def test_the_place_that_keeps_connections_is_named(concurrency: Concurrency) -> None:
    with pytest.raises(
        AssertionError, match=r"outlived their request: session made at counted.py:\d+ in .*route GET /read"
    ):
        drive(concurrency, FAULT="leaks").pool_is_given_back()


def test_what_was_not_measured_does_not_hold() -> None:
    with pytest.raises(pytest.fail.Exception, match="queries_per_request was not measured"):
        Seen(trial()).queries_per_request(at_most=1)


def test_a_drive_needs_a_scenario(concurrency: Concurrency) -> None:
    with pytest.raises(UsageError, match=re.escape("either a locustfile or paths")):
        concurrency.drive("counted:app", app_dir=APPS)
