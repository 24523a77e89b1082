"""SMS through a real HTTP server in this process."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from telephony.messaging.http_sms import HttpSmsSender
from telephony.messaging.ports import MessagingError, Sms, SmsSender


class Gateway:
    """An SMS gateway of a few lines that drops requests whose key it has seen."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.sent: dict[str, str] = {}
        self.status = "200 OK"
        self.body: str | None = None
        self.delay = 0.0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            content = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.requests.append((head[0].split(" ")[1], headers, content))
            await asyncio.sleep(self.delay)
            if self.status == "drop":
                return
            if self.status.startswith("2"):
                self.sent.setdefault(headers["idempotency-key"], content["text"])
            body = self.body if self.body is not None else json.dumps({"id": f"m{len(self.sent)}"})
            reply = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}"
            writer.write(reply.encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def sender(url: str, **options: Any) -> AsyncIterator[SmsSender]:
    made = HttpSmsSender(url, **options)
    try:
        yield made
    finally:
        await made.close()


SMS = Sms(to="+8613800138000", text="您的验证码是 1234", key="run-1:step-2", sender="10690001")


async def test_a_text_is_posted(gateway: Gateway) -> None:
    async with sender(f"http://u:secret@127.0.0.1:{gateway.port}/v1/{{to}}/sms") as sms:
        assert await sms.send(SMS) == "m1"
    [(path, headers, body)] = gateway.requests
    assert path == "/v1/%2B8613800138000/sms"
    assert body == {"to": SMS.to, "text": SMS.text, "key": SMS.key, "from": "10690001"}
    assert headers["idempotency-key"] == SMS.key
    assert headers["content-type"] == "application/json"
    assert base64.b64decode(headers["authorization"].split()[1]) == b"u:secret"


async def test_a_repeated_send_carries_the_same_key(gateway: Gateway) -> None:
    async with sender(f"http://127.0.0.1:{gateway.port}/") as sms:
        assert await sms.send(SMS) == await sms.send(SMS)
    assert len(gateway.requests) == 2
    assert len(gateway.sent) == 1


@pytest.mark.parametrize("key", ["a\r\nX: y", "通话 1", "x" * 300])
async def test_any_key_fits_into_the_header(gateway: Gateway, key: str) -> None:
    async with sender(f"http://127.0.0.1:{gateway.port}/") as sms:
        await sms.send(Sms("10086", "x", key))
        await sms.send(Sms("10086", "x", key))
        await sms.send(Sms("10086", "x", key + "!"))
    assert len(gateway.sent) == 2
    assert all("x" not in headers for _, headers, _ in gateway.requests)


@pytest.mark.parametrize(
    ("body", "identity"),
    [('{"message_id": 17}', "17"), ("OK", SMS.key), ("[]", SMS.key), ('{"id": null}', SMS.key), ("", SMS.key)],
)
async def test_ids_in_replies(gateway: Gateway, body: str, identity: str) -> None:
    gateway.body = body
    async with sender(f"http://127.0.0.1:{gateway.port}/") as sms:
        assert await sms.send(SMS) == identity


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        ("400 Bad Request", "rejected", "not_sent"),
        ("302 Found", "rejected", "not_sent"),
        ("401 Unauthorized", "sign_in_failed", "not_sent"),
        ("429 Too Many", "unavailable", "not_sent"),
        ("503 Busy", "unavailable", "not_sent"),
        ("500 Oops", "unavailable", "unknown"),
        ("drop", "unavailable", "unknown"),
    ],
)
async def test_refusals(gateway: Gateway, status: str, reason: str, outcome: str) -> None:
    gateway.status = status
    async with sender(f"http://u:secret@127.0.0.1:{gateway.port}/?token=hidden") as sms:
        with pytest.raises(MessagingError, match=r"127\.0\.0\.1") as caught:
            await sms.send(SMS)
    assert (caught.value.reason, caught.value.outcome) == (reason, outcome)
    assert "secret" not in str(caught.value) and "hidden" not in str(caught.value)


async def test_a_silent_gateway_leaves_it_unknown(gateway: Gateway) -> None:
    gateway.delay = 1.0
    async with sender(f"http://127.0.0.1:{gateway.port}/", timeout=0.2) as sms:
        with pytest.raises(MessagingError) as caught:
            await sms.send(SMS)
    assert (caught.value.reason, caught.value.outcome) == ("timeout", "unknown")


async def test_no_gateway() -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with sender(f"http://127.0.0.1:{port}/") as sms:
        with pytest.raises(MessagingError) as caught:
            await sms.send(SMS)
    assert (caught.value.reason, caught.value.outcome) == ("unavailable", "not_sent")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (Sms("abc", "x", "k"), "to"),
        (Sms("", "x", "k"), "to"),
        (Sms("10086", " ", "k"), "text"),
        (Sms("10086", "x", ""), "key"),
    ],
)
async def test_bad_texts_name_the_field(changed: Sms, field: str) -> None:
    async with sender("http://127.0.0.1:1/") as sms:
        with pytest.raises(MessagingError, match=f"^{field}") as caught:
            await sms.send(changed)
    assert caught.value.reason == "bad_message"


@pytest.mark.parametrize("url", ["", "ftp://x", "sms.example.com", "http://", "https://x/{text}"])
def test_bad_addresses(url: str) -> None:
    with pytest.raises(MessagingError) as caught:
        HttpSmsSender(url)
    assert caught.value.reason == "bad_url"
