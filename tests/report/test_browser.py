"""The page in a real browser: headless Chromium, driven through chromedriver."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.judgement import RunVerdict
from harness.record import Run
from harness.report import write_report
from harness.report.charts import Chart
from harness.report.html import render_html
from harness.store import RunData
from tests.report.sample_run import stretched

webdriver = pytest.importorskip("selenium.webdriver", reason="the browser tests need selenium")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="the browser tests need chromium and chromedriver on the PATH"
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def report(sample: tuple[Run, RunVerdict, RunData], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("run"), *sample)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, report: Path) -> Callable[[int, str], Any]:
    def opened(width: int, scheme: str) -> Any:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.get(report.as_uri())
        # sections far away are not laid out; the tests want all of them
        browser.execute_script("document.querySelectorAll('.pair').forEach(s => s.style.contentVisibility = 'visible')")
        return browser

    return opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_page_fits_and_is_silent(opened: Callable[[int, str], Any], width: int, scheme: str) -> None:
    page = opened(width, scheme)
    wide = page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true);"
                               "return document.documentElement.scrollWidth")  # fmt: skip
    assert wide <= width
    assert page.get_log("browser") == []


def test_nothing_is_loaded_but_the_page(opened: Callable[[int, str], Any]) -> None:
    page = opened(1280, "light")
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_every_chart_is_drawn(opened: Callable[[int, str], Any], charts: dict[str, tuple[Chart, ...]]) -> None:
    page = opened(1280, "light")
    sizes = page.execute_script(
        "return [...document.querySelectorAll('svg.chart:not(.swatch)')].map(s =>"
        " { const b = s.getBoundingClientRect(); return [b.width, b.height]; })"
    )
    assert len(sizes) == sum(len(c.panels) for drawn in charts.values() for c in drawn)
    assert all(width > 250 and height > 60 for width, height in sizes)


@pytest.mark.parametrize(("width", "smallest"), [(390, 9.5), (1280, 9.5)])
def test_chart_text_is_large_enough(opened: Callable[[int, str], Any], width: int, smallest: float) -> None:
    page = opened(width, "light")
    scales = page.execute_script(
        "return [...document.querySelectorAll('svg.chart:not(.swatch)')].map(s => s.getScreenCTM().a * 11)"
    )
    assert min(scales) >= smallest


def test_text_in_charts_stays_inside(opened: Callable[[int, str], Any]) -> None:
    page = opened(1280, "light")
    outside = page.execute_script(
        "return [...document.querySelectorAll('svg.chart text')].filter(t => {"
        " const a = t.getBoundingClientRect(), b = t.closest('svg').getBoundingClientRect();"
        " return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;"
        "}).map(t => t.textContent)"
    )
    assert outside == []


def test_words_in_charts_do_not_lie_over_each_other(opened: Callable[[int, str], Any]) -> None:
    page = opened(390, "light")
    clashes = page.execute_script(
        "return [...document.querySelectorAll('svg.chart')].flatMap(s => {"
        " const t = [...s.querySelectorAll('text')].map(e => [e.textContent, e.getBoundingClientRect()]);"
        " return t.flatMap(([a, p], i) => t.slice(i + 1).filter(([b, q]) => p.left < q.right - 1 && q.left < p.right - 1"
        " && p.top < q.bottom - 4 && q.top < p.bottom - 4).map(([b]) => a + ' / ' + b)); })"
    )
    assert clashes == []


def test_colours_follow_the_scheme(opened: Callable[[int, str], Any]) -> None:
    paper, bars = {}, {}
    for scheme in ("light", "dark"):
        page = opened(1280, scheme)
        paper[scheme] = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        bars[scheme] = page.execute_script("return getComputedStyle(document.querySelector('.chart .f-fixed')).fill")
    assert paper["light"] != paper["dark"]
    assert bars["light"] != bars["dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(opened: Callable[[int, str], Any], scheme: str) -> None:
    page = opened(1280, scheme)
    assert page.execute_script(_LOW_CONTRAST) == []


def test_the_keyboard_reaches_links_details_and_scrolling_boxes(opened: Callable[[int, str], Any]) -> None:
    page = opened(390, "light")
    unreachable = page.execute_script(
        "return [...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1"
        " && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0).length"
    )
    assert unreachable == 0
    assert page.execute_script("return [...document.querySelectorAll('a, summary')].every(e => e.tabIndex >= 0)")


def test_tab_alone_reaches_every_link_and_box(opened: Callable[[int, str], Any]) -> None:
    page = opened(390, "light")
    wanted = page.execute_script(
        "return [...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')].filter(e =>"
        " e.checkVisibility({contentVisibilityAuto: false})).length"
    )
    body = page.find_element("tag name", "body")
    reached: set[str] = set()
    for _ in range(wanted + 5):
        body.send_keys("\ue004")  # the key Tab
        element = page.switch_to.active_element
        reached.add(element.id)
        body = element
    assert len(reached) >= wanted


def test_headings_step_down_one_level_at_a_time(opened: Callable[[int, str], Any]) -> None:
    page = opened(1280, "light")
    levels = page.execute_script("return [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_an_accessibility_checker_finds_nothing(opened: Callable[[int, str], Any], width: int, scheme: str) -> None:
    checker = pytest.importorskip("axe_core_python", reason="the accessibility check needs axe-core-python")
    page = opened(width, scheme)
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.execute_script((resources.files(checker) / "axe.min.js").read_text(encoding="utf-8"))
    page.set_script_timeout(60)
    found = page.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then("
        "r => done({rules: r.passes.length, bad: r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html])}))"
    )
    assert found["bad"] == []
    assert found["rules"] > 15  # it looked


def test_the_first_screen_of_many_pairs_fits_a_phone(
    browser: Any, opened: Callable[[int, str], Any], tmp_path: Path
) -> None:
    opened(390, "light")
    run, verdict, _ = stretched(16)
    page = tmp_path / "many.html"
    page.write_text(render_html(run, verdict, {}), encoding="utf-8")
    browser.get(page.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.execute_script("return document.querySelectorAll('.line').length") == 48
    assert browser.execute_script("return document.querySelectorAll('.line-theme').length") == 48


def test_a_line_of_the_first_screen_leads_to_its_pair(opened: Callable[[int, str], Any]) -> None:
    page = opened(1280, "light")
    page.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    page.execute_script("document.querySelector('.line a[href=\"#blocking_http\"]').click()")
    top = page.execute_script("return document.getElementById('blocking_http').getBoundingClientRect().top")
    assert abs(top) < 60


# WCAG 2.1 contrast of every element that holds text itself, against the nearest opaque background.
_LOW_CONTRAST = """
const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const parse = (s) => (s.match(/[\\d.]+/g) || []).map(Number);
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  }
  return [255, 255, 255];
};
const bad = new Set();
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('.away, .skip, script, style, defs')) continue;
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const style = getComputedStyle(e);
  const text = light(parse(e.closest('svg') ? style.fill : style.color)), paper = light(behind(e));
  const ratio = (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05);
  if (ratio < 4.5) bad.add(e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + ratio.toFixed(2));
}
return [...bad];
"""
