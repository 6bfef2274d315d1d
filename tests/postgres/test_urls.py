"""URLs of databases, in the forms that users have."""

from __future__ import annotations

import pytest

from harness.postgres.urls import describe, parse_admin_url, with_database


@pytest.mark.parametrize(
    ("choice", "url", "server"),
    [
        ("postgresql://u:p%40@h:5433/db", "postgresql://u:p%40@h:5433/db", "h:5433"),
        ("postgresql+psycopg://u@h/db?sslmode=require", "postgresql://u@h/db?sslmode=require", "h:5432"),
        ("postgres://[::1]:5433", "postgresql://[::1]:5433/postgres", "::1:5433"),
        ("postgresql://postgres:@/db?host=/sock/dir", "postgresql://postgres:@/db?host=%2Fsock%2Fdir", "/sock/dir"),
        ("postgresql:///db?host=/sock", "postgresql:///db?host=%2Fsock", "/sock"),
    ],
)
def test_what_the_user_gave(choice: str, url: str, server: str) -> None:
    assert parse_admin_url(choice) == url
    assert describe(url) == server


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("postgresql://u:p@h:1/db", "postgresql://u:p@h:1/new"),
        ("postgresql://u@/db?host=%2Fs&port=2", "postgresql://u@/new?host=%2Fs&port=2"),
        ("postgresql://u@h/db?dbname=own&sslmode=disable", "postgresql://u@h/new?sslmode=disable"),
    ],
)
def test_another_database_of_the_same_server(url: str, other: str) -> None:
    assert with_database(url, "new") == other
