"""Outgoing HTTP of flows, behind a guard against requests that turn inward (SSRF).

Rules:
- a host name is resolved once, every address is checked, and the connection goes to the checked address: a name
  that answers differently the second time (DNS rebinding) gains nothing
- loopback, private, link-local (cloud metadata), multicast and reserved addresses are refused, also inside
  IPv4-mapped, 6to4, Teredo and NAT64 addresses, unless the setting CALLWEAVE_HTTP_ALLOW names them
- each redirect passes the same check; a credential never follows one to another origin
- size and time are bounded
"""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx

from backend.datasources.service import HostCredential
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import Credential, HttpReply

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
CredentialFor = Callable[[str], Awaitable[HostCredential | None]]

NAT64 = ipaddress.ip_network("64:ff9b::/96")
REDIRECTS = 5
SCHEMES = ("http", "https")


def embedded(address: Address) -> list[Address]:
    """The address itself and every IPv4 address that travels inside it."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            found.append(address.ipv4_mapped)
        if address.sixtofour is not None:
            found.append(address.sixtofour)
        if address.teredo is not None:
            found.extend(address.teredo)
        if address in NAT64:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, with all that it carries inside."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    return all(
        each.is_global and not each.is_multicast and not each.is_reserved and not each.is_unspecified
        for each in embedded(address)
    )


class Guard:
    """Decides which addresses flows may reach.

    ``allowed`` holds host names and networks, as the setting writes them: ``crm.local, 10.1.0.0/16``.
    """

    def __init__(self, allowed: str = "") -> None:
        self.names: set[str] = set()
        self.networks: list[Network] = []
        for entry in (part.strip().lower() for part in allowed.split(",")):
            if not entry:
                continue
            try:
                self.networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self.names.add(entry.rstrip("."))

    def allows(self, host: str, address: Address) -> bool:
        if host.lower().rstrip(".") in self.names:
            return True
        inside = embedded(address)
        if any(each in network for network in self.networks for each in inside if each.version == network.version):
            return True
        return is_public(address)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Addresses of a host, in the system's order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedTransport(httpx.AsyncBaseTransport):
    """Connects to the address that was checked, while TLS and the Host header keep the name."""

    def __init__(self, guard: Guard, resolver: Resolver = resolve) -> None:
        self._guard = guard
        self._resolver = resolver
        self._inner = httpx.AsyncHTTPTransport(retries=0, trust_env=False)

    async def checked_address(self, host: str, port: int) -> str:
        """The address to connect to. One refused address refuses the name: a mix is an attack."""
        try:
            found: Sequence[str] = [str(ipaddress.ip_address(host.strip("[]").split("%")[0]))]
        except ValueError:
            try:
                found = await self._resolver(host, port)
            except OSError as problem:
                raise NodeError("connect_failed", f"{host} has no address", retryable=True) from problem
        for text in found:
            if not self._guard.allows(host, ipaddress.ip_address(text.split("%")[0])):
                raise NodeError(
                    "blocked_address",
                    f"{host} leads to {text}, which is not on the open internet; an administrator can allow it "
                    "with CALLWEAVE_HTTP_ALLOW",
                )
        if not found:
            raise NodeError("connect_failed", f"{host} has no address", retryable=True)
        return found[0]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in SCHEMES:
            raise NodeError("blocked_address", f"only http and https are allowed, not {url.scheme!r}")
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await self.checked_address(url.host, port)
        pinned = httpx.Request(
            method=request.method,
            url=url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()


def checked_url(url: str) -> httpx.URL:
    """A URL of the web. Raises NodeError ``bad_url``."""
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as problem:
        raise NodeError("bad_url", "the address is no valid URL") from problem
    if target.scheme not in SCHEMES or not target.host:
        raise NodeError("bad_url", "the address must begin with http:// or https:// and name a host")
    return target


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)


class GuardedWeb:
    """`nodes.sdk.services.Web` over httpx. One client serves all flows of a business."""

    def __init__(self, allowed: str, credentials: CredentialFor, resolver: Resolver = resolve) -> None:
        self._credentials = credentials
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(Guard(allowed), resolver),
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "Callweave"},
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        body: Any,
        timeout: float,
        credential: str | None,
        max_bytes: int,
    ) -> HttpReply:
        known: Credential | None = None
        if credential:
            found = await self._credentials(credential)
            if found is None:
                raise NodeError("unknown_credential", f"there is no credential named {credential!r}")
            host = checked_url(url).host.lower()
            if host not in found.hosts:
                raise NodeError("blocked_address", f"the credential {credential!r} may not be sent to {host}")
            known = found.credential
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(self._build(method, url, headers, query, body, known), known, max_bytes)
        except TimeoutError as problem:
            raise NodeError("timeout", f"{method} took longer than {timeout:g} s", retryable=True) from problem
        except httpx.TimeoutException as problem:
            raise NodeError("timeout", f"{method} timed out", retryable=True) from problem
        except httpx.HTTPError as problem:
            # The text of the exception may hold the URL with its query, so only its kind is told.
            raise NodeError("connect_failed", type(problem).__name__, retryable=True) from problem

    def _build(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        body: Any,
        known: Credential | None,
    ) -> httpx.Request:
        target = checked_url(url)
        merged = {**headers, **(known.headers if known else {})}
        parameters = {**query, **(known.query if known else {})}
        if parameters:
            target = target.copy_merge_params(dict(parameters))
        if body is None:
            return self._client.build_request(method, target, headers=merged, timeout=None)
        if isinstance(body, str | bytes):
            return self._client.build_request(method, target, headers=merged, content=body, timeout=None)
        return self._client.build_request(method, target, headers=merged, json=body, timeout=None)

    async def _exchange(self, request: httpx.Request, known: Credential | None, max_bytes: int) -> HttpReply:
        first = origin(request.url)
        for _ in range(REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            try:
                following = response.next_request
                if following is None:
                    return HttpReply(response.status_code, dict(response.headers), await read(response, max_bytes))
            finally:
                await response.aclose()
            if origin(following.url) != first and known is not None:
                for name in known.headers:
                    following.headers.pop(name, None)
                for name in known.query:
                    following.url = following.url.copy_remove_param(name)
            request = following
        raise NodeError("too_many_redirects", f"more than {REDIRECTS} redirects")


async def read(response: httpx.Response, max_bytes: int) -> Any:
    """The body within bounds: decoded JSON when it is JSON, else text."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > max_bytes:
            raise NodeError("too_large", f"the answer is larger than {max_bytes} bytes")
        pieces.append(piece)
    raw = b"".join(pieces)
    text = raw.decode(response.charset_encoding or "utf-8", "replace")
    if "json" in response.headers.get("content-type", "") or text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
