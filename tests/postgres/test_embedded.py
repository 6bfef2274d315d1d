"""Where the embedded server keeps its files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from harness.postgres import embedded
from harness.postgres.embedded import embedded_server


def data_folder() -> Path:
    """Where a new server has its data, which is looked for once more when it has ended."""
    with embedded_server() as provided, psycopg.connect(provided.url) as connection:
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        assert row is not None
        data = Path(row[0])
        assert data.is_dir()
    assert not data.parent.exists(), "nothing is left"
    return data


def plenty(patch: pytest.MonkeyPatch, memory: Path) -> None:
    patch.setattr(embedded, "ROOM_BYTES", 0)


def scarce(patch: pytest.MonkeyPatch, memory: Path) -> None:
    patch.setattr(embedded, "ROOM_BYTES", 1 << 60)


def elsewhere(patch: pytest.MonkeyPatch, memory: Path) -> None:
    patch.setenv("TMPDIR", tempfile.gettempdir())


def nowhere(patch: pytest.MonkeyPatch, memory: Path) -> None:
    patch.setattr(embedded, "MEMORY", memory / "not there")


@pytest.mark.parametrize(
    ("given", "in_memory"), [(plenty, True), (scarce, False), (elsewhere, False), (nowhere, False)]
)
def test_files_are_in_memory_where_there_is_plenty_and_nobody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: Callable[[pytest.MonkeyPatch, Path], None], in_memory: bool
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    with tempfile.TemporaryDirectory() as name:
        memory = Path(name)
        memory.chmod(0o755)
        monkeypatch.setattr(embedded, "MEMORY", memory)
        given(monkeypatch, memory)
        assert (memory in data_folder().parents) == in_memory
        assert list(memory.iterdir()) == []
