"""Reads a small made-up catalogue; whatever is wrong in it ends in one sentence that names the file and the key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.catalog import load_pair, load_pairs, pair_names
from harness.errors import UsageError
from harness.formula import ceiling_rps
from harness.record import Cause, Expectation, Invariant, Workload

PAIR = """\
title = "A shop"
question = "Does it leak?"
theme = "pool"
lesson = '''
Close
  what you open.
'''
look_for = "The line that climbs."
sources = ["S0", "S3"]
claims = ["c7"]

[variants.fixed]
summary = "yields"

[variants.buggy]
summary = "returns"
cause = "connection_leaked"

[settings]
pool_size = 5
hold_s = 0.05

[workload]
model = "open"
users = 40
rate_rps = 80
arrivals = "even"
canary = "/health"

[ceiling]
buggy = "min(pool_size, 3) / hold_s"

[[expect]]
that = "the fix is worth it"
metric = "goodput_rps"
variant = "fixed"
over = "buggy"
at_least = 5

[[invariant]]
name = "every order is kept"
sql = "select count(*) from orders"
promised_by = "POST /orders"
"""
BUGGY = "def get_db():\n    return SessionLocal()  # BUG\n"
FIXED = "def get_db():\n    yield SessionLocal()\n"
TOML, SCENARIO = "target_apps/shop/pair.toml", "scenarios/shop.py"

Edit = Callable[[str, str], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A catalogue with one pair, named shop."""
    add_pair(tmp_path, "shop")
    return tmp_path


@pytest.fixture
def replace(root: Path) -> Edit:
    """Replaces a part of the pair.toml."""

    def edit(old: str, new: str) -> None:
        assert PAIR.count(old) == 1
        (root / TOML).write_text(PAIR.replace(old, new), encoding="utf-8")

    return edit


def add_pair(root: Path, name: str) -> None:
    folder = root / "target_apps" / name
    folder.mkdir(parents=True)
    (folder / "pair.toml").write_text(PAIR, encoding="utf-8")
    (folder / "buggy.py").write_text(BUGGY, encoding="utf-8")
    (folder / "fixed.py").write_text(FIXED, encoding="utf-8")
    (root / "scenarios").mkdir(exist_ok=True)
    (root / "scenarios" / f"{name}.py").write_text("", encoding="utf-8")


def refusal(root: Path, name: str = "shop") -> str:
    """The sentence with which the catalogue refuses the pair."""
    with pytest.raises(UsageError) as refused:
        load_pairs(root, [name])
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


def test_a_pair_is_read_whole(root: Path) -> None:
    pair = load_pair(root, "shop")

    assert (pair.name, pair.title, pair.theme, pair.scenario) == ("shop", "A shop", "pool", SCENARIO)
    assert pair.lesson == "Close what you open."
    assert (pair.sources, pair.claims, pair.upstream) == (("S0", "S3"), ("c7",), False)
    assert pair.settings == {"pool_size": 5.0, "hold_s": 0.05}
    assert pair.workload == Workload(model="open", users=40, rate_rps=80, arrivals="even", canary="/health")
    assert pair.expectations == (
        Expectation(that="the fix is worth it", metric="goodput_rps", variant="fixed", over="buggy", at_least=5),
        Expectation(that="fixed keeps what it promises", metric="promises_lost", variant="fixed", at_most=0),
    )
    assert pair.invariants == (
        Invariant(name="every order is kept", sql="select count(*) from orders", promised_by=("POST /orders",)),
    )
    assert (pair.workers, pair.blocks, pair.window_factor, pair.shows_alone) == (1, None, 1.0, None)
    assert ceiling_rps(pair.ceilings["buggy"], pair.settings) == pytest.approx(60.0)


def test_what_a_pair_needs_beyond_the_usual_is_read(root: Path, replace: Edit) -> None:
    replace("[settings]", "[variants.other]\nsummary = 'x'\n\n[settings]")
    (root / "target_apps/shop/other.py").write_text(FIXED, encoding="utf-8")
    text = (root / TOML).read_text(encoding="utf-8")
    keys = 'workers = 4\nblocks = 6\nwindow_factor = 2\nshows_alone = "the first answer is wrong"\n'
    text = keys + text.replace("summary = 'x'", "summary = 'x'\nworker = 'shop.jobs:run'")
    text = text.replace('promised_by = "POST /orders"', 'zero = true\nvariants = ["buggy"]')
    text = text.replace("at_least = 5", "equivalent_within = 0.15")
    (root / TOML).write_text(text, encoding="utf-8")
    pair = load_pair(root, "shop")
    assert (pair.workers, pair.blocks, pair.window_factor) == (4, 6, 2.0)
    assert pair.shows_alone == "the first answer is wrong"
    assert (pair.variants["other"].worker, pair.variants["fixed"].worker) == ("shop.jobs:run", None)
    assert (pair.invariants[0].zero, pair.invariants[0].variants) == (True, ("buggy",))
    (expected,) = pair.expectations  # nothing is promised by fixed
    assert (expected.equivalent_within, expected.at_least) == (0.15, None)


def test_a_sweep_is_read_in_ascending_order(root: Path, replace: Edit) -> None:
    assert load_pair(root, "shop").sweep == ()
    replace("[settings]", "[sweep]\nusers = [8, 1, 2, 8]\n\n[settings]")
    assert load_pair(root, "shop").sweep == (1, 2, 8)


@pytest.mark.parametrize("users", ["[]", "[0]", "[1.5]", "[10001]", "7"])
def test_a_sweep_of_no_users_is_refused(root: Path, replace: Edit, users: str) -> None:
    replace("[settings]", f"[sweep]\nusers = {users}\n\n[settings]")
    assert refusal(root).startswith(f"{TOML}: sweep.users")


def test_variants_come_in_the_order_of_the_story_with_their_mark(root: Path) -> None:
    buggy, fixed = load_pair(root, "shop").variants.values()

    assert (buggy.name, buggy.cause, buggy.bug_line) == ("buggy", Cause.CONNECTION_LEAKED, 2)
    assert (buggy.source, buggy.file) == (BUGGY, "target_apps/shop/buggy.py")
    assert (fixed.name, fixed.cause, fixed.bug_line) == ("fixed", Cause.NONE, None)


def test_pairs_come_as_asked_or_sorted(root: Path) -> None:
    add_pair(root, "bakery")
    (root / "target_apps" / "common").mkdir()

    assert pair_names(root) == ["bakery", "shop"]
    assert [p.name for p in load_pairs(root)] == ["bakery", "shop"]
    assert [p.name for p in load_pairs(root, ["shop", "bakery", "shop"])] == ["shop", "bakery"]


def test_the_projects_own_catalogue_can_be_read() -> None:
    root = Path(__file__).parent.parent
    assert [p.name for p in load_pairs(root)] == pair_names(root) != []


def test_an_unknown_pair_is_refused_with_the_nearest_name(root: Path) -> None:
    sentence = refusal(root, "shpo")
    assert sentence.startswith("no pair is called 'shpo'; did you mean 'shop'?")
    assert "`harness list`" in sentence
    assert "did you mean" not in refusal(root, "zzzz")


def test_no_catalogue_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no catalogue here .*checkout of the project.*`harness run`"):
        load_pairs(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "key", "why"),
    [
        ('title = "A shop"', "", "title", "Field required"),
        ('title = "A shop"', 'title = ""', "title", "at least 1 character"),
        ('title = "A shop"', 'titel = "A shop"\ntitle = "A shop"', "titel", "Extra inputs are not permitted"),
        ('theme = "pool"', 'theme = "swimming"', "theme", "'transactions'"),
        ('"S3"', '"S9"', "sources.1", "pattern"),
        ('"c7"', '"7"', "claims.0", "pattern"),
        ('summary = "yields"', "", "variants.fixed.summary", "Field required"),
        ('"connection_leaked"', '"leaky"', "variants.buggy.cause", "'connection_leaked'"),
        ("pool_size = 5", 'pool_size = "five"', "settings.pool_size", "valid number"),
        ("pool_size = 5", "pool_size = nan", "settings.pool_size", "finite number"),
        ('model = "open"', 'model = "ajar"', "workload.model", "'closed' or 'open'"),
        ("users = 40", "users = 0", "workload.users", "greater than or equal to 1"),
        ("rate_rps = 80", "", "workload", "an open workload needs rate_rps"),
        ("rate_rps = 80", "rate_rps = 0", "workload.rate_rps", "greater than 0"),
        ("rate_rps = 80", "rate_rps = inf", "workload.rate_rps", "finite number"),
        ('canary = "/health"', 'canary = "health"', "workload.canary", "pattern"),
        ('metric = "goodput_rps"', 'metric = "godput_rps"', "expect.0", "'godput_rps'; did you mean 'goodput_rps'?"),
        ('metric = "goodput_rps"', 'metric = "zzzz"', "expect.0", "unknown metric 'zzzz'"),
        ("at_least = 5", "", "expect.0", "give at_least, at_most or both"),
        ("at_least = 5", "at_leats = 5\nat_least = 5", "expect.0.at_leats", "Extra inputs"),
        ('variant = "fixed"', 'variant = "mended"', "expect.0.variant", "no variant 'mended'"),
        ('over = "buggy"', 'over = "broken"', "expect.0.over", "no variant 'broken'"),
        ('[ceiling]\nbuggy = "min(pool_size, 3) / hold_s"', '[ceiling]\nold = "1"', "ceiling.old", "no variant 'old'"),
        ('promised_by = "POST /orders"', "", "invariant.0", "give promised_by"),
        (
            'promised_by = "POST /orders"',
            'promised_by = "POST /orders"\nzero = true',
            "invariant.0",
            "give promised_by",
        ),
        (
            'promised_by = "POST /orders"',
            'zero = true\nvariants = ["best"]',
            "invariant.0.variants",
            "no variant 'best'",
        ),
        ("at_least = 5", "at_least = 5\nequivalent_within = 0.1", "expect.0", "or else equivalent_within"),
        ('over = "buggy"\nat_least = 5', "equivalent_within = 0.1", "expect.0", "equivalent_within needs over"),
        (
            "[variants.fixed]",
            "[variants.mended]\nsummary = 'another'\n\n[variants.fixed]",
            "variants.mended",
            "target_apps/shop/mended.py does not exist",
        ),
    ],
)
def test_a_wrong_key_is_named_with_its_file(
    root: Path, replace: Edit, old: str, new: str, key: str, why: str
) -> None:  # fmt: skip
    replace(old, new)
    sentence = refusal(root)
    assert sentence.startswith(f"{TOML}: {key}: ")
    assert why in sentence


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("1 / pol_size", "'pol_size' is not defined"),
        ("__import__('os').system('true')", "cannot be evaluated"),
        ("__import__('os')", "'__import__' not defined"),
        ("().__class__", "cannot be evaluated"),
        ("open('/etc/passwd')", "'open' not defined"),
        ("1 / 0", "division by zero"),
        ("9 ** 9 ** 9", "cannot be evaluated"),
        ("1e200 * 1e200", "gives inf, which is not a rate"),
        ("pool_size - 6", "gives -1.0, which is not a rate"),
        ("pool_size - 5", "gives 0.0, which is not a rate"),
        ("1 +", "cannot be evaluated"),
        ("", "cannot be evaluated"),
        ("'a'", "cannot be evaluated"),
    ],
)
def test_a_ceiling_is_arithmetic_that_gives_a_rate(root: Path, replace: Edit, formula: str, why: str) -> None:
    replace('"min(pool_size, 3) / hold_s"', f'"{formula}"')
    sentence = refusal(root)
    assert sentence.startswith(f"{TOML}: ceiling.buggy: ")
    assert why in sentence


def test_broken_toml_is_named_with_its_line(root: Path, replace: Edit) -> None:
    replace('title = "A shop"', "title = A shop")
    assert refusal(root).startswith(f"{TOML}: not valid TOML: Invalid value (at line 1")


def test_toml_that_is_not_text_is_a_sentence(root: Path) -> None:
    (root / TOML).write_bytes(b'title = "\xff"')
    assert refusal(root).startswith(f"{TOML}: not valid TOML: ")


def test_a_pair_file_that_cannot_be_read_is_a_sentence(root: Path) -> None:
    (root / TOML).unlink()
    (root / TOML).mkdir()
    assert refusal(root) == f"{TOML}: cannot be read: Is a directory"


def test_a_missing_variant_file_is_named(root: Path) -> None:
    (root / "target_apps/shop/fixed.py").unlink()
    assert refusal(root) == f"{TOML}: variants.fixed: target_apps/shop/fixed.py does not exist"


def test_a_variant_that_is_not_text_is_a_sentence(root: Path) -> None:
    (root / "target_apps/shop/fixed.py").write_bytes(b"name = '\xff'")
    assert refusal(root).startswith("target_apps/shop/fixed.py: ")


def test_a_missing_scenario_says_what_to_write(root: Path) -> None:
    (root / SCENARIO).unlink()
    assert refusal(root) == f"{TOML}: the pair has no scenario; write {SCENARIO}"


def test_an_upstream_needs_its_delay(root: Path, replace: Edit) -> None:
    replace('theme = "pool"', 'theme = "pool"\nupstream = true')
    assert "upstream_delay_s" in refusal(root)


@pytest.mark.parametrize(
    ("name", "source", "found"), [("buggy", FIXED, 0), ("buggy", BUGGY * 2, 2), ("fixed", BUGGY * 2, 2)]
)
def test_the_bug_is_marked_once(root: Path, name: str, source: str, found: int) -> None:
    (root / f"target_apps/shop/{name}.py").write_text(source, encoding="utf-8")
    assert refusal(root) == f"target_apps/shop/{name}.py: mark the bug's line with '# BUG', once (found {found})"


def test_a_control_has_no_bug_to_mark(root: Path, replace: Edit) -> None:
    replace('cause = "connection_leaked"\n', "")
    (root / "target_apps/shop/buggy.py").write_text(FIXED, encoding="utf-8")
    assert load_pair(root, "shop").variants["buggy"].bug_line is None
