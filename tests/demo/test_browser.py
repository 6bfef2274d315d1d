"""The page in a real browser, on a real server: choose a pair, move a knob, run, watch, stop, edit, run again, export."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import wait_until

pytest.importorskip("nicegui", reason="the teaching page needs nicegui: make demo installs it")
webdriver = pytest.importorskip("selenium.webdriver", reason="the browser tests need selenium")
Keys = webdriver.Keys

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="the browser tests need chromium and chromedriver on the PATH"
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--hide-scrollbars",
)  # fmt: skip
ROOT = Path(__file__).parents[2]


@dataclass
class Demo:
    """A demo that serves."""

    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def page(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}?token={self.token}"


def start() -> Demo:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "demo", "--no-open", "--port", "18765"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return Demo(process, process.stdout.readline().strip())


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    demo = start()
    family = psutil.Process(demo.process.pid)
    yield demo
    below = family.children(recursive=True)
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(20) == 0
    wait_until(lambda: not any(p.is_running() for p in below), "all that it started has ended")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    downloads = str(tmp_path_factory.mktemp("downloads"))
    options.add_experimental_option("prefs", {"download.default_directory": downloads})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.downloads = Path(downloads)
    yield driver
    driver.quit()


def find(browser: Any, css: str) -> Any:
    wait_until(lambda: bool(browser.find_elements("css selector", css)), f"{css} is on the page")
    return browser.find_element("css selector", css)


def click(browser: Any, css: str) -> None:
    browser.execute_script("arguments[0].click()", find(browser, css))


def press(browser: Any, keys: str) -> None:
    browser.switch_to.active_element.send_keys(keys)


def text(browser: Any, css: str) -> str:
    return str(browser.execute_script("return document.querySelector(arguments[0])?.textContent ?? ''", css))


def wait_for_text(browser: Any, css: str, pattern: str, deadline_s: float = 20.0) -> None:
    wait_until(lambda: bool(re.search(pattern, text(browser, css))), f"{css} shows {pattern}", deadline_s)


def test_nobody_gets_in_without_the_address(demo: Demo) -> None:
    own = f"http://127.0.0.1:{demo.port}"
    cookie = f"harness_demo_{demo.port}={demo.token}"
    socket_path = "/_nicegui_ws/socket.io/?EIO=4&transport="
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip

    def status(path: str, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=5)
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status

    assert status("/", Cookie=cookie) == 200
    assert status("/") == 403
    assert status("/", Cookie=cookie, Host="evil.example") == 403
    assert status(socket_path + "polling", Cookie=cookie, Origin="http://evil.example") == 403
    assert status(socket_path + "websocket", Cookie=cookie, Origin="http://evil.example", **upgrade) == 403
    assert status(socket_path + "websocket", Origin=own, **upgrade) == 403
    assert status(socket_path + "websocket", Cookie=cookie, Origin=own, **upgrade) == 101


@needs_browser
def test_a_lesson_from_the_question_to_the_report(demo: Demo, browser: Any) -> None:
    browser.get(demo.address)
    assert "token" not in browser.current_url
    assert len(browser.find_elements("css selector", ".path .entry")) == 8
    click(browser, "a[href='/pair/blocking_sleep']")
    wait_for_text(browser, "h1", "what is it busy with")
    assert "asyncio.sleep` puts" not in text(browser, "body")

    assert "10/s" in text(browser, ".ceilings")
    find(browser, "[data-knob=label_s]")
    browser.execute_script(
        "const s = document.querySelector('[data-knob=label_s]'); (s.querySelector('[tabindex]') ?? s).focus()"
    )
    press(browser, Keys.ARROW_RIGHT)  # one step: 110 ms
    wait_for_text(browser, ".ceilings", r"9\.09/s")
    press(browser, Keys.ARROW_LEFT)
    wait_for_text(browser, ".ceilings", r"10/s")

    click(browser, "[data-run-button]")
    wait_for_text(browser, ".v-buggy .loop", r"held for .*blocking_sleep/buggy\.py:\d+ in book_parcel")
    wait_for_text(browser, ".v-fixed .loop", "free")
    wait_for_text(browser, ".v-buggy .pulse", "a light request waits")
    click(browser, "[data-run-button]")
    wait_for_text(browser, ".results", "measured")
    assert "stopped by hand" in text(browser, ".part-result")

    click(browser, ".part-code .q-btn")  # break it, mend it
    find(browser, ".cm-content").click()
    press(browser, Keys.CONTROL + Keys.HOME)
    press(browser, "import no_such_module\n")
    for box in ("buggy", "fixed"):
        click(browser, f"[data-run={box}]")
    wait_until(
        lambda: browser.execute_script("return document.querySelector('[data-run=edited]') !== null"), "it can be run"
    )
    click(browser, "[data-run-button]")
    wait_for_text(browser, ".code-error", "No module named 'no_such_module'")

    click(browser, "[data-export]")
    wait_until(lambda: (browser.downloads / "blocking_sleep.html").is_file(), "the report is there")
    report = (browser.downloads / "blocking_sleep.html").read_text(encoding="utf-8")
    assert "Run 1" in report and "Run 2" in report and "no_such_module" in report

    click(browser, "[data-lesson]")
    wait_for_text(browser, ".lesson", "puts only the one request to sleep")


@needs_browser
def test_a_second_page_waits_and_is_told_and_a_closed_one_ends_its_run(demo: Demo, browser: Any) -> None:
    first = browser.current_window_handle
    browser.get(demo.page("pair/blocking_sleep"))
    click(browser, "[data-run-button]")
    wait_for_text(browser, ".v-buggy .loop", "held for")
    browser.switch_to.new_window("tab")
    second = browser.current_window_handle
    browser.get(demo.page("pair/return_session"))
    click(browser, "[data-run-button]")
    wait_for_text(browser, ".status", "another page is running|Another page is running")
    browser.switch_to.window(first)
    browser.get("about:blank")  # the first page is closed under its run
    browser.switch_to.window(second)
    wait_for_text(browser, ".v-buggy .pool", "after their request’s end")
    click(browser, "[data-run-button]")
    wait_for_text(browser, ".results", "measured")
    browser.close()
    browser.switch_to.window(first)


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_pages_fit(demo: Demo, browser: Any, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    for path in ("", "pair/blocking_db"):
        browser.get(demo.page(path))
        find(browser, "h1")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_nothing_is_left_of_a_demo_that_was_killed(tmp_path: Path) -> None:
    demo = start()
    root = psutil.Process(demo.process.pid)
    wait_until(lambda: len(root.children()) >= 4, "its helpers run")
    below = root.children(recursive=True)
    folders = {Path(arg) for p in below for arg in p.cmdline() if "harness-demo-" in arg}
    assert folders
    demo.process.kill()
    demo.process.wait()
    wait_until(lambda: not any(_runs(p) for p in below), "all that it started has ended", 20)
    wait_until(lambda: not any(folder.exists() for folder in folders), "its folder is gone")


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
