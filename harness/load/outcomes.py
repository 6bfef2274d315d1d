"""What became of one request, from what the client saw."""

from __future__ import annotations

import http.client
from typing import Any

import requests
from geventhttpclient.response import HTTPParseError
from locust.exception import CatchResponseError, ResponseError

from harness.record import Outcome

POOL_TIMEOUT_WORDS = b"QueuePool limit"  # how SQLAlchemy's message begins, where an app lets it out

TRANSPORT_ERRORS = (OSError, requests.RequestException, http.client.HTTPException, HTTPParseError)


def outcome_of(exception: Any, status: int, body: bytes) -> Outcome:
    """The outcome of a finished request.

    exception: what Locust's request event carried, None for a success; status: 0 when there was no answer.
    """
    if exception is None:
        return Outcome.OK
    if status >= 500 and POOL_TIMEOUT_WORDS in body:
        return Outcome.POOL_TIMEOUT
    if status >= 400:
        return Outcome.HTTP_ERROR
    if _is_timeout(exception):
        return Outcome.CLIENT_TIMEOUT
    if status > 0 and not isinstance(exception, TRANSPORT_ERRORS):
        return Outcome.WRONG_BODY
    return Outcome.CONNECT_ERROR


def _is_timeout(exception: Any) -> bool:
    exception = getattr(exception, "original", None) or exception  # what geventhttpclient gave up for
    if isinstance(exception, CatchResponseError | ResponseError):
        return False
    if isinstance(exception, TimeoutError) or "timeout" in type(exception).__name__.lower():
        return True
    return "timed out" in str(exception).lower()
