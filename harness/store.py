"""The run folder: writes it while a run goes on, reads it back.

run.json            the Run (schema in docs/run.schema.json)
requests.parquet    one row per request: client's view, joined with the server's by the sequence header
samples.parquet     the target's state, sampled from inside at a steady interval
postgres.parquet    sessions as the server sees them
logs/               one file per trial

The views made of it (reports, charts/, hgrm/) are added by :mod:`harness.report`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from harness.errors import SetupError, UsageError
from harness.record import SCHEMA_VERSION, Run

REQUESTS = pa.schema(
    [
        ("trial", pa.int32()),
        ("phase", pa.dictionary(pa.int8(), pa.string())),  # sequential, warmup, window, drain: of the intended start
        ("kind", pa.dictionary(pa.int8(), pa.string())),  # load, canary
        ("seq", pa.int64()),
        ("name", pa.dictionary(pa.int32(), pa.string())),
        ("intended_s", pa.float64()),
        ("sent_s", pa.float64()),
        ("done_s", pa.float64()),  # null: unfinished or skipped
        ("status", pa.int16()),
        ("outcome", pa.dictionary(pa.int8(), pa.string())),
        ("bytes", pa.int64()),
        ("error", pa.dictionary(pa.int32(), pa.string())),
        # the server's view; null where the probe saw nothing
        ("route", pa.dictionary(pa.int32(), pa.string())),
        ("start_s", pa.float64()),  # the app was called
        ("first_byte_s", pa.float64()),
        ("last_byte_s", pa.float64()),
        ("end_s", pa.float64()),  # the app returned: background tasks and teardown included
        ("token_wait_s", pa.float64()),
        ("tokens", pa.int32()),  # hops to a worker thread
        ("checkout_wait_s", pa.float64()),
        ("checkouts", pa.int32()),
        ("sql_s", pa.float64()),
        ("queries", pa.int32()),
        ("connects", pa.int32()),
        ("pool_timeouts", pa.int32()),
        ("outlived", pa.int32()),
        # where the time up to the answer's last byte went; null where there was no answer
        ("answer_token_s", pa.float64()),
        ("answer_checkout_s", pa.float64()),
        ("answer_sql_s", pa.float64()),
        ("answer_upstream_s", pa.float64()),
        ("answer_loop_s", pa.float64()),  # ready to run, and not run, outside the four above
        ("answer_own_s", pa.float64()),  # executing, outside the four above
    ]
)
SAMPLES = pa.schema(
    [
        ("trial", pa.int32()),
        ("t_s", pa.float64()),
        ("loop_lag_s", pa.float64()),
        ("in_flight", pa.float64()),  # mean since the sample before
        ("tokens_in_use", pa.int32()),
        ("tokens_waiting", pa.int32()),
        ("connections_out", pa.int32()),
        ("checkout_waiting", pa.int32()),
        ("cpu_s", pa.float64()),  # of the target process, since its start
        ("rss_bytes", pa.int64()),
        ("process", pa.int16()),  # of those that serve the app, from 0
    ]
)
POSTGRES = pa.schema(
    [
        ("trial", pa.int32()),
        ("t_s", pa.float64()),
        ("sessions", pa.int32()),
        ("active", pa.int32()),
        ("idle_in_transaction", pa.int32()),
        ("lock_waits", pa.int32()),
    ]
)
TABLES = {"requests": REQUESTS, "samples": SAMPLES, "postgres": POSTGRES}

_RUN = TypeAdapter(Run)


@dataclass(frozen=True, kw_only=True)
class RunData:
    """The raw rows of a run, as Arrow tables with the schemas above."""

    requests: pa.Table
    samples: pa.Table
    postgres: pa.Table


class RunWriter:
    """Writes a run folder as the run goes on. Raises SetupError when the disk does not take it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with disk_errors(folder):
            (folder / "logs").mkdir(parents=True)
            self._writers = {
                name: pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
                for name, schema in TABLES.items()
            }

    def add(self, name: str, table: pa.Table) -> None:
        """Appends one trial's rows to the named table."""
        with disk_errors(self.folder):
            self._writers[name].write_table(table)

    def finish(self, run: Run) -> None:
        """Closes the tables and writes run.json, whole or not at all."""
        with disk_errors(self.folder):
            for writer in self._writers.values():
                writer.close()
            write_atomically(self.folder / "run.json", run_json(run, indent=1))

    def discard(self) -> None:
        """Removes the folder: nothing was measured."""
        for writer in self._writers.values():
            with suppress(OSError):  # the disk may be why nothing was measured
                writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_json(run: Run, *, indent: int | None) -> bytes:
    """The text of run.json; on one line without an indent."""
    return _RUN.dump_json(run, indent=indent)


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old one or the whole new one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def point_latest(folder: Path) -> None:
    """Makes ``latest`` beside the run folder point to it. Raises SetupError when something else has that name."""
    link = folder.parent / "latest"
    temporary = folder.parent / f".latest.{os.getpid()}"
    with disk_errors(folder.parent):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(folder.name, target_is_directory=True)
        try:
            temporary.replace(link)
        finally:
            temporary.unlink(missing_ok=True)


def load_run(folder: Path) -> Run:
    """The Run of a folder. Raises UsageError when it is missing, damaged or of a newer schema."""
    path = folder / "run.json"
    if not path.is_file():
        raise UsageError(_no_run(folder))
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        version = json.loads(raw).get("schema_version")
        if not isinstance(version, int):
            raise UsageError(f"{path} is damaged: its schema_version is {version!r}, not a number")
        if version > SCHEMA_VERSION:
            raise UsageError(
                f"{path} has schema version {version}; this harness reads up to {SCHEMA_VERSION}: update it"
            )
        return _RUN.validate_json(raw)
    except (ValueError, AttributeError, ValidationError) as error:
        where = ""
        if isinstance(error, ValidationError):
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) + ": " + error.errors()[0]["msg"]
        raise UsageError(f"{path} is damaged: {where or error}") from error


def _no_run(folder: Path) -> str:
    """Why a folder without run.json cannot be used."""
    if not folder.exists():
        return f"{folder} is not a run folder: it does not exist"
    if any((folder / f"{name}.parquet").is_file() for name in TABLES):
        return f"{folder} is half-written: its run is still going on, or was killed before it wrote run.json"
    return f"{folder} is not a run folder: it holds no run.json"


def load_data(folder: Path) -> RunData:
    """The raw rows of a run folder. Raises UsageError when a table is missing or damaged."""
    if not any((folder / f"{name}.parquet").exists() for name in TABLES):
        raise UsageError(
            f"{folder} keeps no raw rows, so its charts and report.html cannot be drawn again; "
            "--format md, junit, json and annotations need none"
        )
    tables = {}
    for name in TABLES:
        path = folder / f"{name}.parquet"
        try:
            tables[name] = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        if lacking := [c for c in TABLES[name].names if c not in tables[name].column_names]:
            raise UsageError(f"{path} cannot be read: it has no column {lacking[0]!r}")
        for field in TABLES[name]:
            if (found := tables[name].schema.field(field.name).type) != field.type:
                raise UsageError(f"{path} cannot be read: its column {field.name!r} holds {found}, not {field.type}")
    return RunData(**tables)


def run_json_schema() -> dict[str, Any]:
    """JSON Schema of run.json."""
    return _RUN.json_schema()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turns an OSError of writing below the folder into a SetupError."""
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"cannot write to {folder}: {error.strerror or error}; free some space or choose --out"
        ) from error
