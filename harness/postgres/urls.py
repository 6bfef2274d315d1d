"""Connection URLs: what the user gave, another database on the same server, and a name for it that tells no secret."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from harness.errors import UsageError

CHOICES = '--postgres takes "embedded", "docker" or a postgresql:// URL'
UNREADABLE = (
    "--postgres: the URL cannot be read; write postgresql://user:password@host:port/database, "
    "with the special characters of user and password percent-encoded"
)


def parse_admin_url(choice: str) -> str:
    """The plain postgresql:// URL in a value of --postgres; its database is "postgres" where the user named none.

    Raises UsageError for another scheme and for a URL that libpq cannot read.
    """
    scheme, separator, _ = choice.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise UsageError(f"{CHOICES}, not {_show(choice, scheme if separator else None)}")
    try:
        # A bare "#", "/" or "@" in the password would put a part of it where host, port or database belong.
        whole = re.fullmatch("[^#]*", choice) and re.fullmatch("/?[^/@]*", urlsplit(choice).path)
        url = with_database(choice, database_of(choice) or "postgres")
        ports = str(conninfo_to_dict(url).get("port", "5432")).split(",")
    except (ValueError, psycopg.ProgrammingError):
        raise UsageError(UNREADABLE) from None  # the cause quotes the URL
    if not whole or not all(port.isdecimal() for port in ports):
        raise UsageError(UNREADABLE)
    return url


def with_database(url: str, database: str) -> str:
    """The plain postgresql:// URL of another database on the same server, with the same user and options."""
    parts = urlsplit(url)
    # libpq lets a dbname among the options win over the path: it would lead every trial into the user's own database.
    options = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "dbname"]
    query = "?" + urlencode(options, quote_via=quote) if options else ""
    return f"postgresql://{parts.netloc}/{quote(database, safe='')}{query}"


def database_of(url: str) -> str:
    """The database that a URL names in its path; empty when it names none."""
    return unquote(urlsplit(url).path.removeprefix("/"))


def describe(url: str) -> str:
    """Where the server of a URL listens, without user and password: "host:port" or the folder of its socket."""
    options = conninfo_to_dict(url)
    host = str(options.get("host") or options.get("hostaddr") or "the default host")
    return host if host.startswith("/") else f"{host}:{options.get('port') or 5432}"


def _show(choice: str, scheme: str | None) -> str:
    """The user's value where it cannot hold a password, else no more of it than its scheme."""
    if scheme is not None and re.fullmatch(r"[\w.+-]+", scheme):
        return f"a {scheme}:// URL"
    return repr(choice) if re.fullmatch(r"[\w.-]*", choice) else "that"
