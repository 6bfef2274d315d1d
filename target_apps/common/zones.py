"""Delivery zones, which the shop gets from its carrier as an SQLite file. `python -m target_apps.common.zones` makes the file anew."""

import sqlite3
from pathlib import Path

from pydantic import BaseModel

PATH = Path(__file__).with_name("zones.sqlite")
URI = f"{PATH.as_uri()}?mode=ro"
POSTCODES = range(1000, 1400)


class Zone(BaseModel):
    postcode: str
    zone: int
    days: int


def main() -> None:
    PATH.unlink(missing_ok=True)
    with sqlite3.connect(PATH) as connection:
        connection.execute("CREATE TABLE zones (postcode TEXT PRIMARY KEY, zone INTEGER, days INTEGER) WITHOUT ROWID")
        rows = [(str(code), code % 5 + 1, code % 3 + 1) for code in POSTCODES]
        connection.executemany("INSERT INTO zones VALUES (?, ?, ?)", rows)
    connection.close()


if __name__ == "__main__":
    main()
