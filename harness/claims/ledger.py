"""Reads ``claims/claims.toml``: what is claimed, where its evidence is, and by which rule it is judged."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.claims.facts import names_in, paths_in
from harness.errors import UsageError
from harness.measured import FIGURE_NAMES
from harness.record import Outcome

FOLDER = "claims"


class Standing(StrEnum):
    """What is said of a claim, in the words that readers see."""

    HOLDS = "holds"
    DEPENDS = "depends on version"
    IN_PART = "holds in part"
    FALSE = "false"
    OPEN = "not ruled on"


RUN = "run"  # paths over the run as a whole begin so
RUN_FACTS = ("pairs", "pairs_alike", "pairs_alone", "answers")  # of the sequential check
LOST = "lost_rows"  # rows that right answers promised and the database does not hold
MEASURED = {
    *FIGURE_NAMES,
    *Outcome,
    LOST,
}  # what a path <pair>.<variant>.… can end in; outcomes are counts in the windows

# In this order the rules are tried; a claim that meets none of them is false.
RULES = {"holds": Standing.HOLDS, "depends": Standing.DEPENDS, "in_part": Standing.IN_PART}

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Table):
    """One sentence that can be true or false."""

    source: Annotated[list[Annotated[str, Field(pattern=r"^S[0-4]$")]], Field(min_length=1)]
    says: Text  # in our own words
    expected: Standing | None = None  # what was expected before anything was measured
    facts: Annotated[dict[Name, Text], Field(min_length=1)]  # name -> arithmetic over paths of evidence
    rule: dict[Name, Text] = {}  # "holds", "depends", "in_part" -> condition over the facts
    sentence: dict[Name, Text]  # the same and "false" -> what a reader can quote, a template over the facts

    @model_validator(mode="after")
    def _each_rule_has_its_sentence(self) -> Claim:
        if unknown := set(self.rule) - set(RULES):
            raise ValueError(f"rule.{min(unknown)} is none of {', '.join(RULES)}")
        wanted = {*self.rule, "false"}
        if set(self.sentence) != wanted:
            raise ValueError(f"wants a sentence for each of {', '.join(sorted(wanted))}, and for nothing else")
        return self

    @model_validator(mode="after")
    def _rules_and_sentences_know_their_facts(self) -> Claim:
        named = {path.split(".")[0] for rule in self.rule.values() for path in paths_in(rule)}
        named |= {name for sentence in self.sentence.values() for name in names_in(sentence)}
        if unknown := named - set(self.facts):
            raise ValueError(f"a rule or sentence names {min(unknown)!r}, which is no fact of this claim")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of evidence that the facts name: ``pair.variant.figure`` or ``check.key…``."""
        return tuple(dict.fromkeys(path for formula in self.facts.values() for path in paths_in(formula)))


class Check(_Table):
    """A small program, ``claims/checks/<name>.py``, that prints one JSON object of facts."""

    what: Text  # for readers
    packages: list[Text] = []  # whose versions the facts depend on
    postgres: bool = False  # is given DATABASE_URL, an empty database of its own
    environments: dict[Name, list[Text]] = {}  # name -> what pip installs; the program runs in each, facts go by name
    time_limit_s: Annotated[float, Field(gt=0, le=600)] = 60.0


class Ledger(_Table):
    """All claims and the checks that they lean on, by id and name."""

    check: dict[Name, Check] = {}
    claim: dict[Annotated[str, Field(pattern=r"^c[1-9][0-9]*$")], Claim]

    @model_validator(mode="after")
    def _paths_can_be_measured(self) -> Ledger:
        for number, claim in self.claim.items():
            for path in claim.paths:
                first, *rest = path.split(".")
                if first in self.check or (first == RUN and rest in [[name] for name in RUN_FACTS]):
                    continue
                if first == RUN or not _is_measured(rest):
                    raise ValueError(
                        f"{number}: {path!r} is neither <pair>.<variant>.<figure of harness.measured.Figures>,"
                        f" nor <pair>.<variant>.at_<users>.<figure> of a sweep,"
                        f" nor a fact of a check, nor one of {', '.join(f'{RUN}.{name}' for name in RUN_FACTS)}"
                    )
        return self


def point(users: int) -> str:
    """How a path names the point of a sweep at so many users."""
    return f"at_{users}"


def _is_measured(rest: list[str]) -> bool:
    """Whether a run can measure what is behind a pair's name: of a variant, or of a variant at one point of its sweep."""
    if len(rest) == 3:
        return re.fullmatch(r"at_[1-9]\d*", rest[1]) is not None and rest[2] in FIGURE_NAMES
    return len(rest) == 2 and rest[1] in MEASURED


def load_ledger(root: Path) -> Ledger:
    """The ledger of a catalogue. Raises UsageError that names the file and the key that is wrong."""
    path = root / FOLDER / "claims.toml"
    shown = path.relative_to(root)
    try:
        ledger = Ledger.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror}; run this in the project's folder") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown}: not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{shown}: {key}: {first['msg'].removeprefix('Value error, ')}") from error
    for name in ledger.check:
        if not program(root, name).is_file():
            raise UsageError(f"{shown}: check.{name}: {program(root, name).relative_to(root)} does not exist")
    return ledger


def program(root: Path, check: str) -> Path:
    """Where a check's program is."""
    return root / FOLDER / "checks" / f"{check}.py"
