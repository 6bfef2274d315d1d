"""The claims ledger: rules over facts, what is said when facts are missing, and what a check leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import load_pairs
from harness.claims.checks import refresh
from harness.claims.document import render_document
from harness.claims.evidence import CheckEvidence, Evidence, RunEvidence, load_evidence, of_run
from harness.claims.ledger import RULES, Ledger, Standing, load_ledger
from harness.claims.outcome import rule
from harness.claims.ruling import Ruling, rule_on, rule_on_all
from harness.errors import UsageError
from harness.record import InvariantResult, Scalability, VariantResult, Workload
from harness.verdict import judge
from tests import builders
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
HANGS = "import time\ntime.sleep(600)\n"


def ledger(**claim: Any) -> Ledger:
    """A ledger of one claim, c1, and one check, ``weighing``."""
    plain: dict[str, Any] = {
        "source": ["S0"],
        "says": "It is heavy.",
        "facts": {"kilos": "weighing.kilos"},
        "rule": {"holds": "kilos >= 10"},
        "sentence": {"holds": "It weighs {kilos:count} kg.", "false": "It weighs only {kilos:count} kg."},
    }
    return Ledger.model_validate({"check": {"weighing": {"what": "weighs it"}}, "claim": {"c1": plain | claim}})


def weighed(**facts: Any) -> Evidence:
    found = CheckEvidence(facts=facts, measured="2026-11-21", python="3.11", packages={"scales": "1.0"})
    return Evidence(checks={"weighing": found})


def ran(facts: dict[str, Any], warnings: dict[str, str] | None = None) -> Evidence:
    return Evidence(
        run=RunEvidence(
            id="r1", measured="2026-11-21", profile="quick", cores=2, python="3.11", postgres="18", packages={},
            facts=facts, summary={"pairs": 1, "pairs_alike": 1, "pairs_alone": 0, "answers": 4}, warnings=warnings or {},
        )
    )  # fmt: skip


def ruled(of: Ledger, evidence: Evidence) -> Ruling:
    return rule_on("c1", of, evidence)


@pytest.mark.parametrize(
    ("kilos", "standing", "sentence"),
    [(12, Standing.HOLDS, "It weighs 12 kg."), (3, Standing.FALSE, "It weighs only 3 kg.")],
)
def test_a_rule_decides_and_its_sentence_carries_the_figure(kilos: int, standing: Standing, sentence: str) -> None:
    ruling = ruled(ledger(), weighed(kilos=kilos))
    assert (ruling.standing, ruling.sentence, ruling.figures) == (standing, sentence, {"weighing.kilos": kilos})


@given(met=st.dictionaries(st.sampled_from(sorted(RULES)), st.booleans()))
def test_the_first_rule_that_is_met_decides(met: dict[str, bool]) -> None:
    of = ledger(rule={kind: str(value) for kind, value in met.items()}, sentence={k: k for k in [*met, "false"]})
    first = next((kind for kind in RULES if met.get(kind)), "false")
    ruling = ruled(of, weighed(kilos=1))
    assert (ruling.standing, ruling.sentence) == (RULES.get(first, Standing.FALSE), first)


PAIR_FACTS = {"facts": {"kilos": "shop.buggy.goodput_rps / shop.fixed.goodput_rps"}}


@pytest.mark.parametrize(
    ("of", "evidence", "missing"),
    [
        (ledger(), Evidence(), "the check `weighing` has given no facts yet"),
        (ledger(), weighed(grams=5), "the check `weighing` gave no fact `weighing.kilos`"),
        (ledger(), weighed(kilos=None), "the check `weighing` gave no fact `weighing.kilos`"),
        (ledger(**PAIR_FACTS), Evidence(), "there is no run that measured `shop`"),
        (ledger(**PAIR_FACTS), ran({}), "the run has no pair `shop`"),
        (ledger(**PAIR_FACTS), ran({"shop": {"fixed": {}}}), "the run has no variant `buggy` of `shop`"),
        (ledger(**PAIR_FACTS), ran({"shop": {"buggy": {}}}), "the run did not measure `shop.buggy.goodput_rps`"),
        (
            ledger(**PAIR_FACTS),
            ran({"shop": {"buggy": {"goodput_rps": 1.0}, "fixed": {"goodput_rps": 0.0}}}),
            "divides by a figure that is zero",
        ),
    ],
)
def test_a_claim_without_its_evidence_is_not_ruled_on(of: Ledger, evidence: Evidence, missing: str) -> None:
    ruling = ruled(of, evidence)
    assert (ruling.standing, ruling.figures) == (Standing.OPEN, {})
    assert ruling.sentence.startswith("Not ruled on: ")
    assert missing in ruling.sentence


def test_a_lower_bound_says_so() -> None:
    path = "shop.buggy.canary_p99_s"
    of = ledger(facts={"kilos": path}, sentence={"holds": "{kilos:seconds}", "false": "only {kilos:seconds}"})
    ruling = ruled(of, ran({"shop": {"buggy": {"canary_p99_s": 2.0}}}, {path: "at least: 3 of 9 had not ended"}))
    assert ruling.sentence == "only ≥ 2\N{NO-BREAK SPACE}s"
    assert ruling.warnings == {path: "at least: 3 of 9 had not ended"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"facts": {"kilos": "shop.buggy.godput_rps"}}, ["c1", "'shop.buggy.godput_rps'", "harness.measured.Figures"]),
        ({"facts": {"kilos": "shop.buggy.at_0.goodput_rps"}}, ["c1", "'shop.buggy.at_0.goodput_rps'", "at_<users>"]),
        ({"facts": {"kilos": "run.weather"}}, ["c1", "'run.weather'", "run.pairs_alike"]),
        ({"facts": {"kilos": "weighing.kilos +"}}, ["is not an expression"]),
        ({"rule": {"holds": "pounds > 1"}}, ["'pounds'", "no fact"]),
        ({"sentence": {"holds": "{pounds}", "false": ""}}, ["sentence"]),
        ({"sentence": {"false": "no"}}, ["sentence", "holds"]),
        ({"rule": {"hold": "kilos > 1"}}, ["rule.hold", "in_part"]),
    ],
)
def test_a_ledger_that_names_what_there_is_not_is_refused(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    plain = ledger().claim["c1"].model_dump(exclude={"expected"})
    write_ledger(tmp_path, {"claim": {"c1": plain | change}, "check": {"weighing": {"what": "weighs it"}}}, weighing="")
    with pytest.raises(UsageError) as caught:
        load_ledger(tmp_path)
    assert all(word in str(caught.value) for word in ["claims/claims.toml", *words]), str(caught.value)


def test_a_rule_that_does_not_fit_its_facts_names_the_claim() -> None:
    with pytest.raises(UsageError, match=r"claim\.c1"):
        ruled(ledger(), weighed(kilos="many"))


def test_every_claim_of_the_catalogue_is_there_once() -> None:
    known = load_ledger(ROOT)
    assert sorted(known.claim, key=lambda c: int(c[1:])) == [f"c{n}" for n in range(1, 30)]
    assert {claim for pair in load_pairs(ROOT) for claim in pair.claims} <= set(known.claim)


def test_every_check_is_needed_and_every_program_is_a_check() -> None:
    known = load_ledger(ROOT)
    named = {path.split(".")[0] for claim in known.claim.values() for path in claim.paths}
    assert set(known.check) <= named
    assert {p.stem for p in (ROOT / "claims/checks").glob("*.py")} == set(known.check)


def test_the_document_is_what_the_stored_evidence_gives() -> None:
    known, evidence = load_ledger(ROOT), load_evidence(ROOT)
    made = render_document(known, evidence, rule_on_all(known, evidence))
    assert (ROOT / "docs/claims.md").read_text() == made, "renew it with: harness claims --write docs/claims.md"


def test_every_claim_that_pairs_measure_can_be_ruled_on() -> None:
    """Also those whose pairs are still to come: each figure is made up here, and once one and once a million."""
    known = load_ledger(ROOT)
    for figure in (1.0, 1e6):
        facts: dict[str, Any] = {}
        for path in (p for c in known.claim.values() for p in c.paths):
            branch = facts
            for key in path.split(".")[:-1]:
                branch = branch.setdefault(key, {})
            branch[path.split(".")[-1]] = figure
        evidence = replace(ran(facts), checks=load_evidence(ROOT).checks)
        assert [r.id for r in rule_on_all(known, evidence) if r.standing is Standing.OPEN] == []


def test_the_evidence_of_a_run_is_what_claims_name_of_it() -> None:
    facts = {"rps": "shop.buggy.goodput_rps", "p99": "shop.buggy.canary_p99_s", "lost": "shop.buggy.lost_rows"}
    of = ledger(facts=facts | {"kilos": "shop.fixed.wrong_body"})
    lost = InvariantResult(name="orders", promised=9, kept=7)
    buggy = builders.result("buggy", goodput_rps=4.0, throughput_rps=5.0)
    buggy = VariantResult(**{**vars(buggy), "invariants": (lost,)})
    broken = VariantResult(**{**vars(builders.result("fixed", goodput_rps=4.0)), "trials": ()})  # no valid window
    run = builders.run(builders.pair(), [buggy, broken])
    evidence = of_run(run, judge(run), of)
    assert evidence.facts == {"shop": {"buggy": {"goodput_rps": 4.0, "lost_rows": 2}, "fixed": {}}}
    assert evidence.summary == {"pairs": 1, "pairs_alike": 1, "pairs_alone": 0, "answers": 4}


def test_the_evidence_of_a_sweep_is_kept_by_the_number_of_users() -> None:
    of = ledger(facts={"kilos": "shop.fixed.at_500.goodput_rps", "other": "shop.fixed.at_50.goodput_rps"})
    points = [builders.trial(n, "fixed", goodput_rps=9.0 * n) for n in (1, 2, 3)]
    points[0] = replace(points[0], workload=Workload(users=500), warnings={"goodput_rps": "only 9 requests"})
    points[1] = replace(points[1], workload=Workload(users=50), invalid=("it broke",))
    run = replace(
        builders.run(builders.pair()), sweeps=(Scalability(pair="shop", variant="fixed", trials=tuple(points)),)
    )
    evidence = of_run(run, judge(run), of)
    assert evidence.facts == {"shop": {"fixed": {"at_500": {"goodput_rps": 9.0}}}}
    assert evidence.warnings == {"shop.fixed.at_500.goodput_rps": "only 9 requests"}
    ruling = ruled(of, Evidence(run=evidence))
    assert (ruling.standing, ruling.sentence) == (
        Standing.OPEN, "Not ruled on: the run did not measure `shop.fixed.at_50.goodput_rps`.",
    )  # fmt: skip


def write_ledger(root: Path, content: dict[str, Any], **programs: str) -> None:
    """A catalogue's ledger and its programs; JSON values are TOML's too, as long as they are no mappings."""
    lines = []
    for kind, entries in content.items():
        for name, entry in entries.items():
            lines.append(f"[{kind}.{name}]")
            for key, value in entry.items():
                inner = value.items() if isinstance(value, dict) else [(None, value)]
                lines += [f"{key}{f'.{k}' if k else ''} = {json.dumps(v)}" for k, v in inner]
    (root / "claims/checks").mkdir(parents=True)
    (root / "target_apps").mkdir()
    (root / "claims/claims.toml").write_text("\n".join(lines))
    for name, text in programs.items():
        (root / f"claims/checks/{name}.py").write_text(text)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue whose one check weighs 12 kg."""
    plain = ledger().claim["c1"].model_dump(exclude={"expected"})
    check = {"what": "weighs it", "time_limit_s": 20.0}
    write_ledger(tmp_path, {"claim": {"c1": plain}, "check": {"weighing": check}}, weighing="print('{\"kilos\": 12}')")
    return tmp_path


@pytest.mark.parametrize(
    ("program", "limit_s", "words"),
    [
        (HANGS, 0.3, "had not ended after 0.3 s"),
        ("raise RuntimeError('no scales')", 20.0, "RuntimeError: no scales"),
        ("print('heavy')", 20.0, "printed no facts but 'heavy"),
        ("print('[1]')", 20.0, "no JSON object"),
    ],
)
def test_a_check_that_fails_or_hangs_is_told_of_in_a_sentence(
    catalogue: Path, program: str, limit_s: float, words: str
) -> None:
    (catalogue / "claims/checks/weighing.py").write_text(program)
    known = load_ledger(catalogue)
    hurried = known.check["weighing"].model_copy(update={"time_limit_s": limit_s})
    refreshed = refresh(catalogue, known.model_copy(update={"check": {"weighing": hurried}}), ["weighing"], print)
    assert refreshed.evidence == {}
    assert refreshed.failed["weighing"].startswith("the check weighing failed: ")
    assert words in refreshed.failed["weighing"]


def test_a_check_that_fails_keeps_what_it_gave_before(catalogue: Path) -> None:
    document = catalogue / "claims.md"

    def again() -> tuple[int, Standing, int]:
        outcome = rule(catalogue, run=None, checks=["weighing"], document=document, tell=lambda name: None)
        return outcome.exit_code, outcome.rulings[0].standing, len(outcome.failed)

    assert again() == (0, Standing.HOLDS, 0)
    page = document.read_text()
    assert "It weighs 12 kg." in page
    (catalogue / "claims/checks/weighing.py").write_text("raise SystemExit('no scales')")
    assert again() == (3, Standing.HOLDS, 1)
    assert document.read_text() == page


class Command:
    """``harness claims`` in a catalogue, with a temporary folder of its own."""

    def __init__(self, catalogue: Path, temporary: Path) -> None:
        self.temporary = temporary
        self.catalogue = catalogue

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        env = {**os.environ, "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        return subprocess.Popen(
            [sys.executable, "-m", "harness", "claims", *arguments], cwd=self.catalogue, env=env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip


@pytest.fixture
def command(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(catalogue, tmp_path_factory.mktemp("tmp"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 3, "not ruled on"),
        (["--check", "weighing"], 0, "It weighs 12 kg."),
        (["--check", "wheighing"], 2, "--check 'wheighing' does not exist; choose among weighing"),
        (["nowhere"], 2, "nowhere is not a run folder"),
    ],
)
def test_what_the_command_says_and_its_exit_code(command: Command, arguments: list[str], code: int, words: str) -> None:
    with command.start(*arguments) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert words in output + errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_check_ends_with_its_command_and_leaves_nothing(command: Command, end: signal.Signals, code: int) -> None:
    begun = command.temporary / "begun"
    (command.catalogue / "claims/checks/weighing.py").write_text(f"open({str(begun)!r}, 'w')\n{HANGS}")
    process = command.start("--check", "weighing")
    wait_until(begun.exists, "the check has begun", 30)
    descendants = psutil.Process(process.pid).children(recursive=True)
    assert len(descendants) == 2
    process.send_signal(end)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (code, False)
    begun.unlink()

    def gone() -> bool:
        return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in descendants)

    wait_until(gone, "every process of the command has ended", 20)
    wait_until(lambda: not list(command.temporary.iterdir()), "the temporary folder is empty again", 20)
