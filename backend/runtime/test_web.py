"""The guard on outgoing HTTP: what is refused, what is pinned, what never follows a redirect."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Sequence

import pytest

from backend.datasources.service import HostCredential
from backend.runtime.web import Guard, GuardedWeb, is_public
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Credential, HttpReply

REFUSED = [
    "127.0.0.1",
    "10.0.0.8",
    "192.168.1.1",
    "172.16.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "ff02::1",
]


@pytest.mark.parametrize("text", REFUSED)
def test_inward_addresses_are_no_public_ones(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    assert not Guard().allows("name.example", ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_open_addresses_pass(text: str) -> None:
    assert Guard().allows("name.example", ipaddress.ip_address(text))


def test_the_setting_allows_names_and_networks() -> None:
    guard = Guard("crm.local, 10.1.0.0/16")
    assert guard.allows("CRM.local.", ipaddress.ip_address("192.168.0.9"))
    assert guard.allows("other", ipaddress.ip_address("10.1.2.3"))
    assert not guard.allows("other", ipaddress.ip_address("10.2.2.3"))


class Site:
    """A tiny web server that says who asked."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.replies: dict[str, bytes] = {}
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        path = head.split(" ")[1].split("?")[0]
        if path == "/slow":
            await reader.read()  # until the client gives up
        writer.write(self.replies.get(path, b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello"))
        with contextlib.suppress(OSError):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()
    await server.wait_closed()


async def credentials(name: str) -> HostCredential | None:
    hush = Credential({"x-key": "hush"}, {"token": "hush"})
    return HostCredential(hush, frozenset({"crm.example"})) if name == "crm" else None


async def ask(
    web: GuardedWeb, url: str, *, credential: str | None = None, timeout: float = 2, most: int = 999
) -> HttpReply:
    return await web.request(
        "GET", url, headers={}, query={}, body=None, timeout=timeout, credential=credential, max_bytes=most
    )


async def test_a_private_server_is_refused_and_allowed_by_name(site: Site) -> None:
    async def local(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    closed = GuardedWeb("", credentials, local)
    with pytest.raises(NodeError) as problem:
        await ask(closed, f"http://crm.example:{site.port}/")
    assert problem.value.failure.reason == "blocked_address"
    assert site.requests == []
    opened = GuardedWeb("crm.example", credentials, local)
    reply = await ask(opened, f"http://crm.example:{site.port}/", credential="crm")
    assert (reply.status, reply.body) == (200, "hello")
    assert f"crm.example:{site.port}" in site.requests[0] and "x-key: hush" in site.requests[0]
    await closed.aclose()
    await opened.aclose()


async def test_the_checked_address_is_the_one_that_is_called(site: Site) -> None:
    """A name that answers with a public address first and a private one later never reaches the private one."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def fickle(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    web = GuardedWeb("127.0.0.0/8", credentials, fickle)
    assert (await ask(web, f"http://fickle.example:{site.port}/")).body == "hello"
    assert len(answers) == 1, "the name is resolved once per request"
    with pytest.raises(NodeError) as problem:
        await ask(web, f"http://fickle.example:{site.port}/")
    assert problem.value.failure.reason == "blocked_address"
    await web.aclose()


async def test_a_redirect_inward_is_refused(site: Site) -> None:
    site.replies["/go"] = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\nconnection: close\r\n\r\n"
    web = GuardedWeb("127.0.0.1", credentials)
    with pytest.raises(NodeError) as problem:
        await ask(web, f"http://127.0.0.1:{site.port}/go")
    assert problem.value.failure.reason == "blocked_address"
    await web.aclose()


async def test_a_credential_stays_with_its_origin(site: Site) -> None:
    async def local(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    where = f"http://other.example:{site.port}/there?token=hush"
    site.replies["/go"] = f"HTTP/1.1 302 Found\r\nlocation: {where}\r\nconnection: close\r\n\r\n".encode()
    web = GuardedWeb("127.0.0.0/8", credentials, local)
    await ask(web, f"http://crm.example:{site.port}/go", credential="crm")
    assert "hush" in site.requests[0]
    assert "hush" not in site.requests[1]
    await web.aclose()


async def test_a_credential_goes_to_its_hosts_only(site: Site) -> None:
    web = GuardedWeb("127.0.0.0/8", credentials)
    with pytest.raises(NodeError) as problem:
        await ask(web, f"http://127.0.0.1:{site.port}/", credential="crm")
    assert problem.value.failure.reason == "blocked_address"
    assert site.requests == []
    await web.aclose()


async def test_bounds_of_time_and_size(site: Site) -> None:
    web = GuardedWeb("127.0.0.1", credentials)
    with pytest.raises(NodeError) as slow:
        await ask(web, f"http://127.0.0.1:{site.port}/slow", timeout=0.1)
    assert slow.value.failure.reason == "timeout"
    with pytest.raises(NodeError) as large:
        await ask(web, f"http://127.0.0.1:{site.port}/", most=3)
    assert large.value.failure.reason == "too_large"
    await web.aclose()


async def test_other_schemes_and_unknown_credentials() -> None:
    web = GuardedWeb("", credentials)
    with pytest.raises(NodeError) as scheme:
        await ask(web, "file:///etc/passwd")
    assert scheme.value.failure.reason == "bad_url"
    with pytest.raises(NodeError) as unknown:
        await ask(web, "http://example.com", credential="nope")
    assert unknown.value.failure.reason == "unknown_credential"
    await web.aclose()
