"""The page on a pair: what must stand on it, and that it tells nothing that was not measured."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalog import pair_names
from harness.errors import UsageError
from harness.record import Cause, Expectation, Pair, Run
from harness.report.pairdocs import render_index, render_page, write_pages
from harness.verdict import judge
from tests import builders

FASTER = Expectation(that="ten times `as` many", metric="goodput_rps", variant="fixed", over="buggy", at_least=10)
SHOP = builders.pair(FASTER)
MEASURED = builders.run(
    SHOP,
    [
        replace(
            builders.result("buggy", goodput_rps=22.5, response_p99_s=1.5, failed_share=0.2),
            warnings={"response_p99_s": "at least: 3 had not ended"},
        ),
        builders.result("fixed", goodput_rps=250.0, response_p99_s=0.05, failed_share=0.0),
    ],
)


def page(run: Run = MEASURED, pair: Pair = SHOP) -> str:
    return render_page(pair, run, next((v for v in judge(run).pairs if v.pair == pair.name), None))


def rows(text: str) -> dict[str, list[str]]:
    """The cells of a page's table, by the label of their row."""
    found = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    return {cells[0]: cells[1:] for line in found if (cells := line.split(" | "))}


def test_a_page_has_the_lesson_the_diff_the_figures_the_verdict_and_the_claims() -> None:
    text = page()
    assert text.startswith("# A shop\n")
    for part in (
        "Does it leak?",
        "Close what you open.",
        "The line that climbs.",
        "[c1](../claims.md#c1)",
        "a review guide (S0)",
    ):
        assert part in text
    assert "-    session = SessionLocal()  # BUG\n+    session = SessionLocal()" in text
    assert "[buggy.py:7](../../target_apps/shop/buggy.py#L7)" in text
    assert MEASURED.id in text
    assert "goodput, correct answers (fixed over buggy) is 11.1×, wanted at least 10×" in text
    assert "ten times `as` many" in text
    assert "22 → 250 requests/s" in text


def test_figures_carry_their_units_and_what_limits_them() -> None:
    text = page().replace("\N{NO-BREAK SPACE}", " ")
    assert rows(text)["goodput, correct answers"] == ["22.5/s", "250/s"]
    assert rows(text)["99 % within (p99)"] == ["1.5 s (a)", "50 ms"]
    assert "- (a) at least: 3 had not ended" in text


def test_what_was_not_measured_is_not_told() -> None:
    labels = rows(page())
    assert "canary, 99 % within (p99)" not in labels
    assert "queries per request" not in labels


def test_a_variant_without_a_figure_has_none_in_the_table() -> None:
    results = [builders.result("buggy", goodput_rps=5.0), builders.result("fixed")]
    assert rows(page(builders.run(SHOP, results)))["goodput, correct answers"] == ["5/s", "—"]


@pytest.mark.parametrize("why", ["another pair", "invalid"])
def test_a_pair_that_was_not_measured_has_no_figures_and_no_verdict(why: str) -> None:
    if why == "another pair":
        run = builders.run(replace(SHOP, name="till"), [])
    else:
        run = builders.run(
            SHOP, [], [builders.trial(n, v, invalid=("disturbed",)) for n, v in enumerate(SHOP.variants)]
        )
    text = page(run)
    assert f"Run `{run.id}` has no valid trial of it." in text
    assert "Close what you open." in text
    assert not re.search(r"requests/s|✓|✗|\d/s", text)
    assert ("disturbed" in text) == (why == "invalid")


def test_a_half_measured_pair_says_which_half_is_missing() -> None:
    trials = [builders.trial(1, "buggy"), builders.trial(2, "fixed", invalid=("disturbed",))]
    text = page(builders.run(SHOP, [builders.result("buggy", goodput_rps=5.0)], trials))
    assert "Without a valid trial: fixed." in text
    assert "invalid: fixed, block 1: disturbed" in text


def test_the_index_groups_by_theme() -> None:
    till = replace(SHOP, name="till", title="A | till", theme="loop")
    text = render_index([SHOP, till], MEASURED, judge(MEASURED))
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["loop", "pool"]
    assert "| [till](till.md) | A \\| till | not measured in this run |" in text
    assert "| [shop](shop.md) | A shop | 22 → 250 requests/s" in text


def test_the_same_run_gives_the_same_pages_with_the_pictures_that_are_there(tmp_path: Path) -> None:
    sample = tmp_path / "reports" / "sample"
    (sample / "charts").mkdir(parents=True)
    (sample / "charts" / "shop-throughput.svg").write_text("<svg/>")
    (sample / "charts" / "shop_two-canary.svg").write_text("<svg/>")
    folder = tmp_path / "docs" / "pairs"
    texts = []
    for _ in range(2):
        written = write_pages(folder, MEASURED, judge(MEASURED), [replace(SHOP, name="till")], sample)
        texts.append({path.name: path.read_text() for path in written})
    assert texts[0] == texts[1]
    assert sorted(texts[0]) == ["README.md", "shop.md", "till.md"]
    shown = re.findall(r"!\[.*\]\((.+)\)", texts[0]["shop.md"])
    assert shown == ["../../reports/sample/charts/shop-throughput.svg"]
    assert (folder / shown[0]).resolve().is_file()
    assert "![" not in texts[0]["till.md"]


def test_every_pair_of_the_catalogue_has_its_page() -> None:
    root = Path(__file__).resolve().parent.parent
    pages = {path.stem for path in (root / "docs/pairs").glob("*.md")} - {"README"}
    assert pages == set(pair_names(root)), "renew them with: harness docs RUN"


def test_a_run_of_an_app_of_ones_own_is_refused(tmp_path: Path) -> None:
    own = replace(SHOP, expectations=(), variants={"app": replace(builders.variant("app", Cause.NONE), cause=None)})
    run = builders.run(own, [builders.result("app")])
    with pytest.raises(UsageError, match="measured no pair of the catalogue"):
        write_pages(tmp_path / "pages", run, judge(run))
    assert not (tmp_path / "pages").exists()
