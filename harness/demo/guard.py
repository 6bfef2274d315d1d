"""The door of the page: it runs code that it is sent, so it lets in nobody but the browser that was given the address.

Three locks, each enough against one kind of visitor: the Host must be this machine's own loopback (a name that was made to point here
is refused), the Origin must be the page's own (another site open in the same browser is refused), and the token of the address must
have been shown (another program, or user, of the machine is refused).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS = [
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
NOT_OPEN = "This page opens only with the address that `harness demo` printed; it ends in ?token=…"


class Guard:
    """ASGI: passes on what comes from the page itself, over HTTP and websockets alike, and refuses the rest with 403."""

    def __init__(self, app: App, *, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._cookie = f"harness_demo_{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(scope, receive, send, refusal)
        elif scope["type"] == "http" and _token_of(scope) is not None:
            await self._let_in(scope, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> str | None:
        """Why a request is refused; None when it is not."""
        headers = _headers(scope)
        if headers.get("host", [""]) not in [[host] for host in self._hosts]:
            return "This page answers only to 127.0.0.1 and localhost."
        origins = headers.get("origin", [])
        # A browser's websocket always says where it comes from.
        if any(origin not in self._origins for origin in origins) or (scope["type"] == "websocket" and not origins):
            return "This page takes orders only from itself."
        shown = _token_of(scope) or self._cookie_of(headers.get("cookie", []))
        if shown is None or not secrets.compare_digest(shown.encode(), self._token.encode()):
            return NOT_OPEN
        return None

    def _cookie_of(self, headers: list[str]) -> str | None:
        try:
            found = SimpleCookie("; ".join(headers)).get(self._cookie)
        except CookieError:
            return None
        return found.value if found is not None else None

    async def _let_in(self, scope: Scope, send: Send) -> None:
        """Keeps the token in a cookie, and takes it out of the address: it would be read off a projector."""
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        location = "/" + quote(scope["path"].lstrip("/"))  # never "//host"
        headers = [(b"location", location.encode()), (b"set-cookie", cookie.encode()), *_HEADERS]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
        await send(message)

    return sending


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _token_of(scope: Scope) -> str | None:
    tokens = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
    return tokens[0] if tokens else None
