"""A telephone provider at the far end of a trunk: registrations and calls are let in by digest only.

    async with Provider("741", "secret") as provider:
        await provider.registered()
        call = await provider.incoming()
        heard = call.heard

It is written by hand, so that the digests of the telephony engine are checked by another make.
"""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from backend.runtime.probe_phone import Message, Receiver, Samples, ulaw_decode

REALM = "provider.example"


@dataclass
class ProviderCall:
    """A call that came through the trunk and was answered."""

    number: str
    invite: Message
    tag: str
    received: bytearray = field(default_factory=bytearray)
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def heard(self) -> Samples:
        """All that was received, 8 kHz."""
        return ulaw_decode(bytes(self.received))


class Provider:
    """A registrar and gateway on UDP for one account. Answers every call whose digest is right."""

    def __init__(self, user: str, password: str, *, host: str = "127.0.0.2") -> None:
        self.user, self.password, self.host = user, password, host
        self.port = 0
        self.contact = ""
        """Where the account says it is reached, once it has proved itself."""
        self.challenged: list[str] = []
        """Methods of requests that came without credentials, or with wrong ones."""
        self.calls: list[ProviderCall] = []
        self._nonces: set[str] = set()
        self._changed = asyncio.Event()
        self._media: list[asyncio.DatagramTransport] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: Receiver(self._take), (self.host, 0))
        self.port = int(self._sip.get_extra_info("sockname")[1])
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for transport in (self._sip, *self._media):
            transport.close()
        await asyncio.sleep(0)

    async def registered(self, timeout: float = 30.0) -> str:
        """Wait until the account has signed in; its contact."""
        await self._until(lambda: bool(self.contact), timeout)
        return self.contact

    async def incoming(self, timeout: float = 20.0) -> ProviderCall:
        """The first call, answered and acknowledged."""
        await self._until(lambda: any(call.acknowledged.is_set() for call in self.calls), timeout)
        return next(call for call in self.calls if call.acknowledged.is_set())

    def hang_up(self, call: ProviderCall) -> None:
        """Say goodbye from this end."""
        contact = re.search(r"<([^>]+)>", call.invite.get("contact"))
        assert contact is not None
        lines = [
            f"BYE {contact.group(1)} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: {call.invite.get('to')};tag={call.tag}",
            f"To: {call.invite.get('from')}",
            f"Call-ID: {call.invite.get('call-id')}",
            "CSeq: 1 BYE",
            "Content-Length: 0",
        ]
        address = re.search(r"@([\d.]+):(\d+)", contact.group(1))
        assert address is not None
        self._sip.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), (address.group(1), int(address.group(2))))
        call.ended.set()

    # ------------------------------------------------------------------ SIP

    async def _until(self, what: Callable[[], bool], timeout: float) -> None:
        async with asyncio.timeout(timeout):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    def _take(self, data: bytes, sender: tuple[str, int]) -> None:
        if not data.strip():
            return
        message = Message.parse(data)
        if not message.status:
            self._meet(message, sender)
            self._changed.set()

    def _meet(self, message: Message, sender: tuple[str, int]) -> None:
        method = message.first.split(" ")[0]
        known = next((one for one in self.calls if one.invite.get("call-id") == message.get("call-id")), None)
        match method:
            case "ACK":
                if known is not None:
                    known.acknowledged.set()
            case "REGISTER" | "INVITE" if not self._proved(message, method):
                self.challenged.append(method)
                nonce = secrets.token_hex(12)
                self._nonces.add(nonce)
                asks = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'
                self._answer(message, sender, "401 Unauthorized", [asks], tag=secrets.token_hex(6))
            case "REGISTER":
                contact = re.search(r"<([^>]+)>", message.get("contact"))
                self.contact = contact.group(1) if contact else ""
                told = [f"Contact: <{self.contact}>;expires=600"] if self.contact else []
                self._answer(message, sender, "200 OK", told, tag=secrets.token_hex(6))
            case "INVITE":
                if known is None:
                    task = asyncio.get_running_loop().create_task(self._accept(message, sender))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            case _:
                if method in ("BYE", "CANCEL") and known is not None:
                    known.ended.set()
                self._answer(message, sender, "200 OK")

    async def _accept(self, message: Message, sender: tuple[str, int]) -> None:
        number = re.match(r"INVITE sip:([^@;]+)@", message.first)
        assert number is not None
        call = ProviderCall(number.group(1), message, secrets.token_hex(6))
        self.calls.append(call)

        def sound(data: bytes, _: tuple[str, int]) -> None:
            if len(data) > 12 and data[1] & 0x7F == 0:
                call.received += data[12:]

        media, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Receiver(sound), (self.host, 0))
        self._media.append(media)
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {media.get_extra_info('sockname')[1]} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
        )
        self._answer(message, sender, "180 Ringing", tag=call.tag)
        told = [f"Contact: <sip:{call.number}@{self.host}:{self.port}>", "Content-Type: application/sdp"]
        self._answer(message, sender, "200 OK", told, tag=call.tag, body=body)

    def _proved(self, message: Message, method: str) -> bool:
        """Whether the request carries the digest of our account, over a challenge that we made."""
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', message.get("authorization").removeprefix("Digest ")))
        if asked.get("username") != self.user or asked.get("nonce") not in self._nonces:
            return False

        def digest(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        account = digest(self.user, REALM, self.password)
        wanted = digest(
            account,
            asked["nonce"],
            asked.get("nc", ""),
            asked.get("cnonce", ""),
            "auth",
            digest(method, asked.get("uri", "")),
        )
        return asked.get("response") == wanted

    def _answer(
        self,
        message: Message,
        sender: tuple[str, int],
        status: str,
        more: list[str] | None = None,
        *,
        tag: str = "",
        body: str = "",
    ) -> None:
        kept = ("via", "from", "to", "call-id", "cseq")
        lines = [f"SIP/2.0 {status}"]
        for name, value in message.headers:
            if name in kept:
                lines.append(
                    f"{name}: {value}" + (f";tag={tag}" if name == "to" and tag and "tag=" not in value else "")
                )
        lines += [*(more or []), f"Content-Length: {len(body.encode())}"]
        self._sip.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), sender)
