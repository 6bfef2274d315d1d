"""Guess, theory and measurement beside each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.catalog import catalogue_root, load_pair
from harness.demo.knobs import turned
from harness.demo.live import Lane, Order
from harness.demo.picture import Watched
from harness.demo.results import table
from harness.staging import Subject
from tests.builders import trial

ROOT = catalogue_root()
NOT_SAID = "no simple arithmetic"


def theory(name: str, variant: str, **knobs: float) -> list[str]:
    """What theory says of right answers, and of requests that fail, in a run of 8 s."""
    pair = turned(load_pair(ROOT, name), knobs)
    subject = Subject(target="", app_dir=Path(), locustfile=Path())
    order = Order(pair=pair, subjects={variant: subject}, seconds=8.0, together=False)
    lane = Lane(variant=variant, heard=Watched(), trial=trial(1, variant))
    rows = re.findall(r"<tr.*?</tr>", table(order, [lane], {}))[1:3]
    return [re.sub("<[^>]+>", "", re.findall(r"<td>(.*?)</td>", row)[2]) for row in rows]


@pytest.mark.parametrize(
    ("name", "variant", "knobs", "said"),
    [
        ("pool_undersized", "buggy", {}, ["37.5/s", "at least 402"]),  # (95/1 s - 37.5/s) * 7 s
        ("pool_undersized", "buggy", {"default_pool_size": 45, "default_max_overflow": 43}, ["220/s", "none, if all wait their turn"]),
        ("connection_held_across_call", "buggy", {}, ["30/s", "at least 105"]),
        ("connection_held_across_call", "buggy", {"pool_timeout_s": 2}, ["30/s", "none, if all wait their turn"]),
        ("pool_undersized", "partial", {}, [NOT_SAID, NOT_SAID]),
        ("no_finally", "buggy", {"failing_share": 0.5}, [NOT_SAID, NOT_SAID]),
    ],
)  # fmt: skip
def test_theory_moves_with_the_knobs_and_is_silent_where_it_knows_nothing(
    name: str, variant: str, knobs: dict[str, float], said: list[str]
) -> None:
    assert theory(name, variant, **knobs) == said
