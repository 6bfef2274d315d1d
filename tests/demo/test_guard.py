"""Who is let in, and who is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.demo.guard import Guard, Message, Receive, Scope, Send

TOKEN = "right-token"
PORT = 8765
HERE = ("host", f"127.0.0.1:{PORT}")
COOKIE = ("cookie", f"harness_demo_{PORT}={TOKEN}")
OWN = ("origin", f"http://127.0.0.1:{PORT}")
ELSEWHERE = ("origin", "http://127.0.0.1:9999")


def ask(
    kind: str, headers: list[tuple[str, str]], query: str = "", path: str = "/pair/x"
) -> tuple[bool, list[Message]]:
    """Whether the app behind the guard was reached, and what was sent."""
    reached = False
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal reached
        reached = True
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})

    async def receive() -> Message:
        return {"type": f"{kind}.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": kind, "path": path, "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    asyncio.run(Guard(app, token=TOKEN, port=PORT)(scope, receive, send))
    return reached, sent


def test_the_page_itself_is_let_in() -> None:
    assert ask("http", [HERE, COOKIE])[0]
    assert ask("http", [HERE, COOKIE, OWN])[0]
    assert ask("http", [("host", f"localhost:{PORT}"), COOKIE])[0]
    assert ask("websocket", [HERE, COOKIE, OWN])[0]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([HERE], id="no token"),
        pytest.param([HERE, ("cookie", f"harness_demo_{PORT}=wrong")], id="wrong token"),
        pytest.param([HERE, ("cookie", "harness_demo_1=right-token")], id="another page's cookie"),
        pytest.param([("host", f"evil.example:{PORT}"), COOKIE], id="a name that points here"),
        pytest.param([("host", "127.0.0.1"), COOKIE], id="another port"),
        pytest.param([HERE, ("host", "evil.example"), COOKIE], id="two hosts"),
        pytest.param([COOKIE], id="no host"),
        pytest.param([HERE, COOKIE, ELSEWHERE], id="another site, with the cookie"),
        pytest.param([HERE, COOKIE, ("origin", "null")], id="a sandboxed frame"),
        pytest.param([HERE, COOKIE, OWN, ELSEWHERE], id="two origins"),
    ],
)
def test_nobody_else_is(headers: list[tuple[str, str]]) -> None:
    reached, sent = ask("http", headers)
    assert (reached, sent[0]["status"]) == (False, 403)
    reached, sent = ask("websocket", headers)
    assert (reached, sent[0]["type"]) == (False, "websocket.close")


def test_a_websocket_that_does_not_say_where_it_comes_from_is_refused() -> None:
    assert not ask("websocket", [HERE, COOKIE])[0]


def test_the_address_gives_a_cookie_that_other_sites_do_not_send_and_leaves_the_bar() -> None:
    reached, sent = ask("http", [HERE], query=f"token={TOKEN}", path="//evil.example/")
    headers = dict(sent[0]["headers"])
    assert (reached, sent[0]["status"], headers[b"location"]) == (False, 303, b"/evil.example/")
    assert b"HttpOnly; SameSite=Strict" in headers[b"set-cookie"]
    assert ask("http", [HERE], query="token=wrong")[1][0]["status"] == 403


def test_no_other_site_may_show_the_page_in_a_frame() -> None:
    headers = dict(ask("http", [HERE, COOKIE])[1][0]["headers"])
    assert (headers[b"x-frame-options"], headers[b"content-security-policy"]) == (b"DENY", b"frame-ancestors 'none'")
