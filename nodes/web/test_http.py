import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nodes.sdk.services import Credential
from nodes.sdk.testing import Example, MemoryServices, TestWeb, context, run_node
from nodes.web.http import Http, pick

ANSWER = {"data": {"accounts": [{"balance": 12.5}, {"balance": 7}], "name": "王芳"}, "ok": True}


def handler(request: httpx.Request) -> httpx.Response:
    match request.url.path:
        case "/slow":
            raise httpx.ReadTimeout("slow", request=request)
        case "/text":
            return httpx.Response(200, text="plain")
        case "/missing":
            return httpx.Response(404, json={"error": "no such"})
        case _:
            return httpx.Response(200, json=ANSWER)


def services() -> MemoryServices:
    crm = Credential({"Authorization": "Bearer s3cret"}, {"tenant": "a"})
    return MemoryServices(web=TestWeb(handler, credentials={"crm": crm}, blocked=["169.254.169.254"]))


URL = "http://crm.test/customers"
EXAMPLES = [
    Example("next", {"url": URL}, services=services),
    Example("http_error", {"url": "http://crm.test/missing"}, services=services),
    Example("error", {"url": "http://crm.test/slow"}, services=services),
]


async def test_values_are_taken_from_the_answer() -> None:
    results = [
        {"name": "first", "path": "data.accounts[0].balance"},
        {"name": "last", "path": "data.accounts[-1].balance"},
        {"name": "name", "path": "data.name"},
        {"name": "nothing", "path": "data.accounts[9].balance"},
    ]
    outcome = await run_node(Http(), {"url": URL, "results": results}, services=services())
    assert outcome.outputs == {"status": 200, "first": 12.5, "last": 7, "name": "王芳", "nothing": None}


async def test_the_whole_answer_on_request() -> None:
    for path, body in (("/customers", ANSWER), ("/text", "plain")):
        config = {"url": f"http://crm.test{path}", "keep_body": True}
        assert (await run_node(Http(), config, services=services())).outputs["body"] == body


async def test_what_is_sent() -> None:
    kit = services()
    config = {
        "method": "POST",
        "url": f" {URL} ",
        "query": {"page": 2, "all": True, "none": None},
        "headers": {"X-Trace": "abc"},
        "body": {"card": "6222"},
        "credential": "crm",
    }
    await run_node(Http(), config, services=kit)
    [request] = kit.web.requests
    assert request.method == "POST" and dict(request.url.params) == {"page": "2", "all": "true", "tenant": "a"}
    assert request.headers["x-trace"] == "abc" and request.headers["authorization"] == "Bearer s3cret"
    assert json.loads(request.content) == {"card": "6222"}


@pytest.mark.parametrize(
    ("expected", "port"),
    [(["2xx"], "http_error"), (["404"], "next"), (["200", "4xx"], "next"), (["5xx"], "http_error")],
)
async def test_expected_statuses(expected: list[str], port: str) -> None:
    config = {"url": "http://crm.test/missing", "expected": expected}
    outcome = await run_node(Http(), config, services=services())
    assert outcome.port == port and outcome.outputs["status"] == 404


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"url": "ftp://crm.test/"}, "bad_url"),
        ({"url": "http://169.254.169.254/latest"}, "blocked_address"),
        ({"url": URL, "credential": "none"}, "unknown_credential"),
        ({"url": "http://crm.test/slow"}, "timeout"),
    ],
)
async def test_no_answer_is_an_error_with_a_reason(config: dict[str, Any], reason: str) -> None:
    outcome = await run_node(Http(), config, services=services())
    assert outcome.port == "error" and outcome.outputs == {"error": reason}


async def test_only_get_is_repeated_after_a_crash() -> None:
    node = Http()
    for method, repeated in (("GET", True), ("POST", False), ("DELETE", False)):
        kit = services()
        config = node.Config.model_validate({"url": URL, "method": method})
        outcome = await node.reconcile(context(node, services=kit), config)
        assert (outcome is not None) == repeated == bool(kit.web.requests)


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    """A real HTTP server that answers with what it was asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode().strip()
        while (await reader.readline()).strip():
            pass
        body = json.dumps({"line": line}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def test_over_a_real_socket() -> None:
    async with server() as port:
        config = {
            "url": f"http://127.0.0.1:{port}/a",
            "query": {"b": "c d"},
            "results": [{"name": "line", "path": "line"}],
        }
        outcome = await run_node(Http(), config)
    assert outcome.outputs == {"status": 200, "line": "GET /a?b=c+d HTTP/1.1"}
    outcome = await run_node(Http(), config)
    assert outcome.outputs == {"error": "connect_failed"} and outcome.failure is not None and outcome.failure.retryable


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), inner),
    max_leaves=10,
)


@given(json_values, st.from_regex(r"[a-c](\.[a-c]|\[-?[0-3]\]){0,4}", fullmatch=True))
def test_a_path_never_fails(data: Any, path: str) -> None:
    pick(data, path)


@pytest.mark.parametrize(
    "config",
    [
        {"results": [{"name": "status", "path": "a"}]},
        {"results": [{"name": "a", "path": "a"}, {"name": "a", "path": "b"}]},
        {"results": [{"name": "a", "path": "a["}]},
        {"expected": ["ok"]},
        {"timeout": 0},
    ],
)
def test_config_is_checked(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Http.Config.model_validate({"url": URL, **config})
