"""An app of the user's own: started under the probe, or seen from outside through its URL."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.record import Cause, Run
from harness.store import load_run
from harness.verdict import judge
from tests.test_lifecycle import ROOT, Command, descendants_of
from tests.waiting import wait_until

APPS = ROOT / "tests" / "apps"
LOAD = ["-f", str(APPS / "locust_shop.py"), "--users", "10", "--warmup", "0.3"]
SHOP = ["own_shop:app", "--app-dir", str(APPS), *LOAD]


def line_of(text: str) -> int:
    return next(n for n, line in enumerate((APPS / "own_shop.py").read_text().splitlines(), 1) if text in line)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A command in a folder that has no catalogue."""
    folder, temporary = tmp_path_factory.mktemp("elsewhere"), Path("/tmp") / f"h{os.getpid()}-own"
    temporary.mkdir(mode=0o755)
    yield Command(folder, temporary)
    shutil.rmtree(temporary, ignore_errors=True)


def undisturbed(command: Command, *arguments: str) -> tuple[int, str, str]:
    """What ``harness run`` says; asked again, twice at most, where others took the processors and the run is invalid for that."""
    for _ in range(3):
        code, output, errors = command.run("run", *arguments)
        if "other processes used" not in output:
            break
    return code, output, errors


@pytest.fixture(scope="module")
def shop(command: Command) -> tuple[Path, str]:
    """The run folder of an app under the probe, and what the command printed."""
    arguments = [
        "--seconds",
        "1",
        "--blocks",
        "2",
        "--canary",
        "/health",
        "--env",
        "GREETING=geheim",
        "--env",
        "DATABASE_URL=mine",
    ]
    code, output, errors = undisturbed(command, *SHOP, *arguments, "--out", "probed")
    assert (code, errors) == (0, "")
    return command.folder / "probed" / "latest", output


@pytest.mark.alone
def test_an_app_gets_the_run_of_a_pair_without_expectations(shop: tuple[Path, str]) -> None:
    run = load_run(shop[0])
    (pair,) = run.pairs
    assert (pair.title, pair.judged, run.machine.postgres, run.status) == ("own_shop:app", False, None, "complete")
    assert [(t.variant, t.block, t.invalid) for t in run.trials] == [("app", 1, ()), ("app", 2, ())]
    assert all(sum(t.outcomes.values()) == t.planned > 0 for t in run.trials)
    assert [len(t.sequential) for t in run.trials] == [2, *[0] * (len(run.trials) - 1)], "one user comes first, once"
    figures = run.results[0].figures
    assert None not in (figures.queries_per_request, figures.loop_held_share, figures.canary_p99_s)
    assert (figures.postgres_sessions_max, figures.ceiling_rps) == (None, None)
    assert {"requests.parquet", "samples.parquet", "report.html", "report.md", "junit.xml", "charts", "logs"} <= {
        p.name for p in shop[0].iterdir()
    }


@pytest.mark.alone
def test_the_line_that_blocks_and_the_dependency_that_leaks_are_named(shop: tuple[Path, str]) -> None:
    verdict = judge(load_run(shop[0]))
    found = verdict.pairs[0].diagnoses[0].found
    assert [(d.cause, d.frame.file, d.frame.line) for d in found if d.frame] == [
        (Cause.LOOP_BLOCKED, "own_shop.py", line_of("time.sleep")),
        (Cause.CONNECTION_LEAKED, "own_shop.py", line_of("kept.append(SessionLocal())")),
    ]
    assert (verdict.exit_code, verdict.pairs[0].diagnoses[0].cause_right) == (0, None)


@pytest.mark.alone
def test_the_report_speaks_of_what_was_measured_and_of_nothing_expected(shop: tuple[Path, str]) -> None:
    html, text = (shop[0] / "report.html").read_text(), (shop[0] / "report.md").read_text().replace("\\", "")
    line = f"own_shop.py:{line_of('time.sleep')} in blocks"
    for view in (html, text, shop[1]):
        assert line in view
        assert "get_db" in view
    absent = (
        "Predicted, and measured",
        "The lines that differ",
        "look for",
        "Verdict",
        "make bench",
        "the fix",
        "Postgres",
    )
    assert [words for words in absent if words in html.split("<footer>")[0].split("</style>")[1]] == []
    assert "<dt>ceiling" not in html
    assert "2\N{NO-BREAK SPACE}blocks of 1\N{NO-BREAK SPACE}s" in html


@pytest.mark.alone
def test_settings_reach_the_app_and_stay_out_of_the_run(shop: tuple[Path, str]) -> None:
    assert all(
        "greeting: geheim, database: mine" in log.read_text() for log in sorted((shop[0] / "logs").glob("0*.log"))
    )
    kept = [shop[0] / name for name in ("run.json", "report.html", "report.md", "junit.xml")]
    assert not any("geheim" in path.read_text() or "=mine" in path.read_text() for path in kept)
    assert "GREETING=…" in load_run(shop[0]).command


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.mark.alone
def test_a_url_is_measured_from_outside(command: Command) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://name:geheim@127.0.0.1:{server.server_port}/"
        short = ["--seconds", "0.5", "--blocks", "1", "--out", "outside"]
        code, output, errors = undisturbed(command, url, *LOAD, *short)
        server.shutdown()
    assert (code, errors) == (0, "")
    assert "seen from outside only" in output
    folder = command.folder / "outside" / "latest"
    run: Run = load_run(folder)
    figures = run.results[0].figures
    assert (figures.goodput_rps or 0) > 0
    assert (figures.loop_held_share, figures.queries_per_request, figures.cpu_share, figures.loop_lag_p99_s) == (
        None,
    ) * 4
    assert "fastapi" not in run.machine.packages, "the harness's own says nothing of the app's"
    assert not any("geheim" in (folder / name).read_text() for name in ("run.json", "report.html", "report.md"))
    html = (folder / "report.html").read_text()
    assert "started under the probe" in html
    assert "before the app got to it" not in html, "nobody saw when the app got to a request"


def test_arrivals_by_the_clock_at_what_a_factory_makes_until_an_interrupt(command: Command) -> None:
    app = ["own_shop:create_app", "--factory", "--app-dir", str(APPS), "-f", str(APPS / "locust_shop.py")]
    load = ["--rate", "40", "--arrivals", "even", "--seconds", "0.5", "--warmup", "0.2", "--blocks", "9"]
    process = command.start("run", *app, *load, "--out", "cut")
    wait_until(lambda: len(list(command.folder.glob("cut/2*/logs/0*.log"))) >= 3, "the first was kept", 60)
    descendants = descendants_of(process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (130, False)
    run = load_run(command.folder / "cut" / "latest")
    assert run.status == "partial"
    assert 1 <= len(run.trials) < 9
    assert (run.trials[0].workload.model, run.trials[0].figures.requests) == ("open", 20)
    command.assert_nothing_left(descendants)


def test_an_app_that_ends_in_the_window_makes_the_run_invalid(command: Command) -> None:
    text = "import os, threading\nfrom own_shop import app\nthreading.Timer(1.5, lambda: os._exit(3)).start()\n"
    (command.folder / "dies.py").write_text(text)
    arguments = ["dies:app", *LOAD, "--seconds", "60", "--blocks", "1", "--out", "dead"]
    (command.folder / "own_shop.py").write_text((APPS / "own_shop.py").read_text())
    code, output, _ = command.run("run", *arguments)
    assert code == 3
    assert "the app ended before the trial did" in output
