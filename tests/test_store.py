"""The run folder: what is written comes back, and what cannot be read or written ends in one sentence."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import SetupError, UsageError
from harness.record import Expectation
from harness.store import (
    POSTGRES,
    REQUESTS,
    SAMPLES,
    TABLES,
    RunWriter,
    load_data,
    load_run,
    point_latest,
    run_json_schema,
    write_atomically,
)
from tests.builders import pair, request, result, run, table, trial, unfinished

RUN = run(
    pair(Expectation(that="it is worth it", metric="goodput_rps", variant="fixed", over="buggy", at_least=5.0)),
    [result(goodput_rps=22.5, requests=225), result("fixed", goodput_rps=223.0)],
    [trial(1, invalid=("short of CPU",)), trial(2, "fixed")],
)


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond the limit: the kernel refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def written(folder: Path) -> Path:
    writer = RunWriter(folder)
    writer.add("requests", table(REQUESTS, [request(12.0, seq=1), unfinished(13.0, seq=2)]))
    writer.finish(RUN)
    return folder


def incompressible(rows: int = 50_000) -> Any:
    times = np.random.default_rng(1).random(rows)
    return table(REQUESTS, [request(float(t), seq=n) for n, t in enumerate(times)])


def refused(read: Callable[[Path], object], folder: Path, error: type[Exception] = UsageError) -> str:
    with pytest.raises(error) as found:
        read(folder)
    sentence = str(found.value)
    assert "\n" not in sentence
    return sentence


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    assert load_run(written(tmp_path / "run")) == RUN


def test_rows_come_back_as_they_were_trial_after_trial(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    trials = [
        table(REQUESTS, [request(12.0, name="GET /a"), unfinished(13.0)], 1),
        table(REQUESTS, [request(11.0, 0.2, "pool_timeout", name="GET /b", status=500)], 2),
        table(REQUESTS, [], 3),
    ]
    for rows in trials:
        writer.add("requests", rows)
    writer.add("samples", table(SAMPLES, [{"t_s": 1.0, "loop_lag_s": None, "cpu_s": 0.5}]))
    writer.finish(RUN)
    data = load_data(tmp_path / "run")

    assert data.requests.to_pylist() == [row for rows in trials for row in rows.to_pylist()]
    assert data.samples.to_pylist() == table(SAMPLES, [{"t_s": 1.0, "cpu_s": 0.5}]).to_pylist()
    assert data.postgres.to_pylist() == []
    assert (data.requests.schema, data.samples.schema, data.postgres.schema) == (REQUESTS, SAMPLES, POSTGRES)


def test_a_finished_folder_holds_what_is_promised_and_nothing_half_written(tmp_path: Path) -> None:
    folder = written(tmp_path / "reports" / "run")
    assert sorted(p.name for p in folder.iterdir()) == [
        "logs", "postgres.parquet", "requests.parquet", "run.json", "samples.parquet",
    ]  # fmt: skip


def test_run_json_follows_its_schema_in_its_names(tmp_path: Path) -> None:
    stored = json.loads((written(tmp_path / "run") / "run.json").read_text(encoding="utf-8"))
    assert set(stored) == set(run_json_schema()["properties"])
    assert stored["trials"][0]["figures"]["response_p50_s"] is None, "what was not measured is null"


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    assert refused(load_run, folder) == f"{folder} is not a run folder: it does not exist"
    assert refused(load_data, folder).startswith(
        f"{folder} keeps no raw rows, so its charts and report.html cannot be drawn"
    )


def test_a_half_written_folder_is_told_from_one_that_is_none(tmp_path: Path) -> None:
    assert refused(load_run, tmp_path) == f"{tmp_path} is not a run folder: it holds no run.json"
    folder = written(tmp_path / "run")
    (folder / "run.json").unlink()
    assert refused(load_run, folder).startswith(f"{folder} is half-written: ")


def test_a_column_of_another_type_is_a_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path / "run")
    path = folder / "samples.parquet"
    pq.write_table(SAMPLES.empty_table().set_column(1, "t_s", pa.array([], pa.string())), path)
    assert refused(load_data, folder) == f"{path} cannot be read: its column 't_s' holds string, not double"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is damaged"),
        (b'{"schema_version": 1, "id"', "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[]", "is damaged"),
        (b"null", "is damaged"),
        (b"{}", "is damaged: its schema_version is None, not a number"),
        (b'{"schema_version": "1"}', "is damaged: its schema_version is '1', not a number"),
        (b'{"schema_version": 1}', "is damaged: id: Field required"),
        (b'{"schema_version": 99}', "has schema version 99; this harness reads up to 1: update it"),
    ],
)
def test_a_damaged_or_newer_run_is_a_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    sentence = refused(load_run, tmp_path)
    assert sentence.startswith(f"{tmp_path / 'run.json'} ")
    assert why in sentence


def test_a_wrong_value_is_named_by_its_key(tmp_path: Path) -> None:
    folder = written(tmp_path / "run")
    stored = json.loads((folder / "run.json").read_bytes())
    stored["trials"][1]["figures"]["goodput_rps"] = "fast"
    (folder / "run.json").write_text(json.dumps(stored), encoding="utf-8")
    assert "is damaged: trials.1.figures.goodput_rps: Input should be a valid number" in refused(load_run, folder)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage", "folder", "other columns"])
def test_damaged_rows_are_a_sentence(tmp_path: Path, name: str, damage: str) -> None:
    folder = written(tmp_path / "run")
    path = folder / f"{name}.parquet"
    whole = path.read_bytes()
    path.unlink()
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(whole[: len(whole) // 2])
        case "garbage":
            path.write_bytes(b"PAR1" + b"\x00" * 100 + b"PAR1")
        case "folder":
            path.mkdir()
        case "other columns":
            other = next(schema for known, schema in TABLES.items() if known != name)
            pq.write_table(other.empty_table(), path)
    assert refused(load_data, folder).startswith(f"{path} cannot be read: ")


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    (tmp_path / "run" / "logs" / "seed.log").write_text("…", encoding="utf-8")
    writer.add("requests", table(REQUESTS, [request(12.0)]))
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    folder = tmp_path / "reports" / "run"
    sentence = refused(RunWriter, folder, SetupError)
    assert sentence == f"cannot write to {folder}: Not a directory; free some space or choose --out"


def test_a_full_disk_is_a_sentence_from_the_first_byte(tmp_path: Path) -> None:
    with full_disk(0):
        sentence = refused(RunWriter, tmp_path / "run", SetupError)
    assert sentence.startswith(f"cannot write to {tmp_path / 'run'}: ")


def test_a_disk_that_fills_up_while_rows_are_added_is_a_sentence(tmp_path: Path) -> None:
    writer, rows = RunWriter(tmp_path / "run"), incompressible()
    with full_disk(10_000):
        sentence = refused(lambda _: writer.add("requests", rows), tmp_path, SetupError)
    assert sentence.startswith(f"cannot write to {tmp_path / 'run'}: ")


def test_a_disk_that_is_full_at_the_end_leaves_no_half_run(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    with full_disk(100):
        refused(lambda _: writer.finish(RUN), tmp_path, SetupError)
    assert not (tmp_path / "run" / "run.json").exists()


def test_discard_works_on_a_full_disk(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    with full_disk(0):
        writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_rewrite_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, b"old")
    with full_disk(1), pytest.raises(OSError, match="File too large"):
        write_atomically(path, b"the new one")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"the new one")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"the new one"]


def test_latest_points_to_the_newest_again_and_again(tmp_path: Path) -> None:
    for name in ("one", "two", "two", "three"):
        (tmp_path / name).mkdir(exist_ok=True)
        point_latest(tmp_path / name)
        assert (tmp_path / "latest").resolve() == tmp_path / name
    assert (tmp_path / "latest").readlink() == Path("three"), "it survives moving the reports elsewhere"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "one", "three", "two"]


def test_latest_outlives_the_run_it_pointed_to(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    point_latest(tmp_path / "one")
    (tmp_path / "one").rmdir()
    (tmp_path / "two").mkdir()
    point_latest(tmp_path / "two")
    assert (tmp_path / "latest").resolve() == tmp_path / "two"


def test_a_folder_of_that_name_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    """As a copy of the reports has it that followed the link."""
    for name in ("latest", "one"):
        (tmp_path / name).mkdir()
    refused(point_latest, tmp_path / "one", SetupError)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest", "one"]
