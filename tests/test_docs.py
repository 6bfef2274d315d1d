"""What the documents say is what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer.main

from harness.cli import app
from harness.pair_toml import PairToml
from harness.record import PROFILES
from harness.store import run_json_schema
from tests.versions import OLDEST_FASTAPI, OLDEST_SQLALCHEMY

ROOT = Path(__file__).resolve().parent.parent


def test_the_schema_of_a_run_is_the_documented_one() -> None:
    documented = json.loads((ROOT / "docs/run.schema.json").read_text())
    assert documented == run_json_schema(), "renew it with: make schema"


def test_every_key_of_a_pair_is_explained() -> None:
    text = (ROOT / "docs/pairs.md").read_text()
    keys = {
        key
        if key
        not in {"variants", "settings", "workload", "ceiling", "failures", "expect", "invariant", "sweep", "fault"}
        else f"[{key}"
        for key in PairToml.model_fields
    }
    assert [key for key in keys if not re.search(rf"`\[?{re.escape(key)}", text)] == []


def test_the_readme_starts_with_the_two_commands() -> None:
    commands = re.findall(r"^    (make \w+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert commands[:2] == ["make bench", "make test"]
    assert {command.split()[1] for command in commands} <= set(targets)
    assert f"--profile {'|'.join(PROFILES)}" in (ROOT / "README.md").read_text()


def test_the_supported_versions_are_those_that_are_tried() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    fastapi = OLDEST_FASTAPI.removesuffix(".0")
    assert f"FastAPI from {fastapi} on, SQLAlchemy from {OLDEST_SQLALCHEMY} on" in text


def test_every_verb_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert [verb for verb in verbs if f"    harness {verb}" not in text] == []


def test_the_documented_variables_are_those_of_the_compose_file() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    taken = set(re.findall(r"\$\{(\w+):-", compose)) - {"HARNESS_POSTGRES_CLUSTER"}
    text = (ROOT / "docs/scaling.md").read_text()
    assert [name for name in sorted(taken) if name not in text] == []


def test_the_flags_in_the_compose_file_and_the_manifests_exist() -> None:
    verbs = typer.main.get_group(app).commands
    known = {flag for verb in ("run", "worker") for option in verbs[verb].params for flag in option.opts}
    for file in ("docker-compose.yml", "deploy/kubernetes.yaml"):
        given = re.findall(r"(?:^ +- |\[worker, )(--[a-z-]+)=", (ROOT / file).read_text(), re.MULTILINE)
        assert {"--master", "--load-master", "--locustfile"} <= set(given) <= known


def test_the_pairs_that_documents_speak_of_exist() -> None:
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = re.findall(r"[Tt]he pair `(\w+)`", file.read_text())
        assert [name for name in named if not (ROOT / "target_apps" / name / "pair.toml").is_file()] == [], file.name
