"""A tiny SIP phone over UDP for `doctor --call` and smoke tests: one outgoing call, G.711 µ-law, RFC 4733 keys.

It does what a probe needs and no more: INVITE with digest sign-in when asked, ACK, BYE, answers to the far end's
OPTIONS and BYE, RTP at 20 ms. It is of another make than the telephony engine, so that the engine is not its own
witness.
"""

import asyncio
import contextlib
import hashlib
import re
import secrets
import struct
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

FRAME = 160
SILENCE = b"\xff" * FRAME
EVENTS = "0123456789*#ABCD"
T1 = 0.5

Samples = npt.NDArray[np.int16]


class ProbeError(Exception):
    """The call cannot be made; the text says why."""


def ulaw_decode(data: bytes) -> Samples:
    """G.711 µ-law to 16-bit samples."""
    value = ~np.frombuffer(data, np.uint8)
    magnitude = (((value.astype(np.int32) & 0x0F) << 3) + 0x84) << ((value.astype(np.int32) & 0x70) >> 4)
    return np.where(value & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def ulaw_encode(samples: Samples) -> bytes:
    """16-bit samples to G.711 µ-law."""
    wide = samples.astype(np.int32)
    magnitude = np.minimum(np.abs(wide), 32635) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(np.where(wide < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


@dataclass(slots=True)
class Message:
    """A SIP message, taken apart just enough."""

    first: str
    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = head.split("\r\n")
        pairs = [line.partition(":") for line in lines[1:]]
        return cls(lines[0], [(name.strip().lower(), value.strip()) for name, _, value in pairs], body)

    @property
    def status(self) -> int:
        """The code of a response; 0 for a request."""
        return int(self.first.split(" ")[1]) if self.first.startswith("SIP/2.0 ") else 0

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str:
        found = self.all(name)
        return found[0] if found else ""


@dataclass
class ProbePhone:
    """One phone, one call at a time.

    >>> async with ProbePhone("127.0.0.1", 5060, user="8001", password="...") as phone:
    ...     await phone.call("100")
    ...     await phone.press("1")
    """

    host: str
    port: int
    user: str = "probe"
    password: str = ""
    local: str = "127.0.0.1"
    received: bytearray = field(default_factory=bytearray)
    final_status: int = 0

    _sip: asyncio.DatagramTransport | None = None
    _rtp: asyncio.DatagramTransport | None = None
    _inbox: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    _sender: "asyncio.Task[None] | None" = None
    _reader: "asyncio.Task[None] | None" = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _media: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> "ProbePhone":
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: Receiver(self._on_sip), (self.local, 0))
        self._rtp, _ = await loop.create_datagram_endpoint(lambda: Receiver(self._on_rtp), (self.local, 0))
        self._call_id = secrets.token_hex(12)
        self._tag = secrets.token_hex(6)
        self._sequence = 0
        self._to = self._remote_to = ""
        self._target = ""
        self._routes: list[str] = []
        self._up = False
        self._far_rtp: tuple[str, int] | None = None
        self._event_payload = 101
        self._speech = bytearray()
        self._keys: list[str] = []
        self._last_at = 0.0
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        for task in (self._sender, self._reader):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        for transport in (self._sip, self._rtp):
            if transport is not None:
                transport.close()
        await asyncio.sleep(0)

    # ------------------------------------------------------------------ the call

    @property
    def address(self) -> tuple[str, int]:
        assert self._sip is not None
        host, port = self._sip.get_extra_info("sockname")[:2]
        return host, port

    @property
    def up(self) -> bool:
        return self._up and not self._ended.is_set()

    async def call(self, number: str, *, ring_seconds: float = 30.0, uri: str = "") -> None:
        """Call a number and return when it answers. Raises `ProbeError` with the SIP code when it does not.

        With `uri` that is what the request asks for, and the number stands in ``To`` alone.
        """
        assert self._rtp is not None
        self._uri = uri or f"sip:{number}@{self.host}:{self.port}"
        self._to = f"<sip:{number}@{self.host}:{self.port}>"
        rtp_port = self._rtp.get_extra_info("sockname")[1]
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {self.local}\r\ns=-\r\nc=IN IP4 {self.local}\r\nt=0 0\r\n"
            f"m=audio {rtp_port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
        )
        answer = await self._invite(body, "", ring_seconds)
        if answer.status in (401, 407) and self.password:
            answer = await self._invite(body, self._credentials(answer), ring_seconds)
        self.final_status = answer.status
        if answer.status != 200:
            raise ProbeError(f"the call to {number} was refused: {answer.first[8:]}")
        self._up = True
        self._read_media(answer.body)
        self._sender = asyncio.create_task(self._send_rtp())
        self._reader = asyncio.create_task(self._serve())

    async def _invite(self, body: str, authorization: str, ring_seconds: float) -> Message:
        self._sequence += 1
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        extra = [authorization] if authorization else []
        request = self._request("INVITE", self._uri, branch, self._sequence, extra, body)
        end = time.monotonic() + ring_seconds
        wait, provisional = T1, False
        self._send(request)
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise ProbeError(f"no answer from {self.host}:{self.port} within {ring_seconds:g} s")
            try:
                message = await asyncio.wait_for(self._inbox.get(), min(wait, left))
            except TimeoutError:
                if not provisional:
                    self._send(request)
                    wait = min(wait * 2, 4.0)
                continue
            if not message.status or not message.get("cseq").startswith(f"{self._sequence} INVITE"):
                self._meet(message)
                continue
            if message.status < 200:
                provisional, wait = True, 4.0
                continue
            self._remote_to = message.get("to")
            if message.status == 200:
                contact = re.search(r"<([^>]+)>", message.get("contact"))
                self._target = contact.group(1) if contact else self._uri
                self._routes = list(reversed(message.all("record-route")))
                self._send(self._request("ACK", self._target, None, self._sequence))
            else:
                self._send(self._request("ACK", self._uri, branch, self._sequence))
                self._remote_to = "" if message.status in (401, 407) else self._remote_to
            return message

    async def hang_up(self) -> None:
        """End the call; no harm when it has ended."""
        if not self.up:
            return
        self._sequence += 1
        request = self._request("BYE", self._target, None, self._sequence)
        self._ended.set()
        for _ in range(4):
            self._send(request)
            await asyncio.sleep(0.05)
            if self.final_status == -1:
                break

    async def wait_ended(self, timeout: float) -> bool:
        """Wait for the far end to hang up."""
        try:
            await asyncio.wait_for(self._ended.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def press(self, digits: str, *, gap: float = 0.15) -> None:
        """Press keys, as RFC 4733 events of 100 ms."""
        for digit in digits:
            self._keys.append(digit)
            await asyncio.sleep(0.16 + gap)

    def speak(self, samples: Samples) -> None:
        """Send 8 kHz audio, from now on."""
        self._speech += ulaw_encode(samples)

    # ------------------------------------------------------------------ what was heard

    @property
    def heard(self) -> Samples:
        """All audio received, 8 kHz."""
        return ulaw_decode(bytes(self.received))

    def loud_seconds(self) -> float:
        """Seconds of audio that is no silence."""
        samples = self.heard.astype(np.float64)
        frames = len(samples) // FRAME
        if not frames:
            return 0.0
        level = np.sqrt(np.mean(np.square(samples[: frames * FRAME].reshape(frames, FRAME)), axis=1))
        return float(np.count_nonzero(level > 100) * FRAME / 8000)

    async def hears_sound(self, seconds: float, timeout: float) -> bool:
        """Wait until that much more sound than now has arrived."""
        goal = self.loud_seconds() + seconds
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.up:
            if self.loud_seconds() >= goal:
                return True
            await asyncio.sleep(0.05)
        return self.loud_seconds() >= goal

    async def hears_quiet(self, seconds: float, timeout: float) -> bool:
        """Wait until nothing but silence has come for that long."""
        end = time.monotonic() + timeout
        last, since = self.loud_seconds(), time.monotonic()
        while time.monotonic() < end and self.up:
            await asyncio.sleep(0.05)
            now = self.loud_seconds()
            if now > last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= seconds:
                return True
        return False

    def save(self, path: Path) -> None:
        """Write what was heard as WAV."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(self.heard.tobytes())

    # ------------------------------------------------------------------ SIP

    def _request(
        self, method: str, uri: str, branch: str | None, number: int, extra: list[str] | None = None, body: str = ""
    ) -> str:
        host, port = self.address
        to = self._remote_to or self._to
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch={branch or 'z9hG4bK' + secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@{host}>;tag={self._tag}",
            f"To: {to}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{self.user}@{host}:{port}>",
            "User-Agent: Callweave probe",
            *[f"Route: {route}" for route in self._routes if method in ("ACK", "BYE")],
            *(extra or []),
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def _credentials(self, challenge: Message) -> str:
        """The digest answer (RFC 8760 names; MD5 and SHA-256, with and without qop)."""
        name = "www-authenticate" if challenge.status == 401 else "proxy-authenticate"
        text = challenge.get(name)
        asked = {key.lower(): value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', text)}
        algorithm = asked.get("algorithm", "MD5")
        kind = "sha256" if algorithm.upper().startswith("SHA-256") else "md5"

        def digest(value: str) -> str:
            return hashlib.new(kind, value.encode(), usedforsecurity=False).hexdigest()

        secret = digest(f"{self.user}:{asked.get('realm', '')}:{self.password}")
        target = digest(f"INVITE:{self._uri}")
        nonce = asked.get("nonce", "")
        fields = f'username="{self.user}", realm="{asked.get("realm", "")}", nonce="{nonce}", uri="{self._uri}"'
        if "auth" in asked.get("qop", ""):
            own = secrets.token_hex(8)
            response = digest(f"{secret}:{nonce}:00000001:{own}:auth:{target}")
            fields += f', qop=auth, nc=00000001, cnonce="{own}"'
        else:
            response = digest(f"{secret}:{nonce}:{target}")
        if "opaque" in asked:
            fields += f', opaque="{asked["opaque"]}"'
        header = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        return f'{header}: Digest {fields}, response="{response}", algorithm={algorithm}'

    def _send(self, text: str) -> None:
        assert self._sip is not None
        self._sip.sendto(text.encode(), (self.host, self.port))

    def _on_sip(self, data: bytes, _: tuple[str, int]) -> None:
        if data.strip():
            self._inbox.put_nowait(Message.parse(data))

    async def _serve(self) -> None:
        while True:
            self._meet(await self._inbox.get())

    def _meet(self, message: Message) -> None:
        """Anything but the answer to our INVITE: requests of the far end, and late answers."""
        if message.status:
            cseq = message.get("cseq")
            if message.status == 200 and cseq.endswith("INVITE") and self._target:
                self._send(self._request("ACK", self._target, None, int(cseq.split(" ")[0])))
            if message.status >= 200 and cseq.endswith("BYE"):
                self.final_status = -1
            return
        method = message.first.split(" ")[0]
        if method == "ACK":
            return
        if method == "BYE":
            self._ended.set()
        code = "200 OK" if method in ("BYE", "OPTIONS", "INFO", "UPDATE", "NOTIFY") else "488 Not Acceptable Here"
        kept = ("via", "from", "to", "call-id", "cseq")
        lines = [f"SIP/2.0 {code}", *[f"{name}: {value}" for name, value in message.headers if name in kept]]
        self._send("\r\n".join([*lines, "Content-Length: 0"]) + "\r\n\r\n")

    # ------------------------------------------------------------------ RTP

    def _read_media(self, body: str) -> None:
        address = re.search(r"^c=IN IP4 (\S+)", body, re.M)
        port = re.search(r"^m=audio (\d+)", body, re.M)
        if port is None:
            raise ProbeError("the answer has no audio")
        event = re.search(r"^a=rtpmap:(\d+) telephone-event", body, re.M | re.I)
        self._event_payload = int(event.group(1)) if event else 101
        self._far_rtp = (address.group(1) if address else self.host, int(port.group(1)))

    def _on_rtp(self, data: bytes, _: tuple[str, int]) -> None:
        if len(data) < 12 or data[1] & 0x7F != 0:
            return
        start = 12 + 4 * (data[0] & 0x0F)
        now = time.monotonic()
        if self._last_at and now - self._last_at > 0.06:
            # The far end sends nothing while it is silent; keep the time line.
            self.received += SILENCE * int((now - self._last_at) / 0.02 - 1)
        self._last_at = now
        self.received += data[start:]
        self._media.set()

    async def _send_rtp(self) -> None:
        assert self._rtp is not None
        source = secrets.randbits(32)
        sequence, stamp = secrets.randbits(15), secrets.randbits(31)
        begin, sent = time.monotonic(), 0

        def packet(payload: int, marker: bool, when: int, data: bytes) -> bytes:
            head = struct.pack("!BBHII", 0x80, payload | (0x80 if marker else 0), sequence & 0xFFFF, when, source)
            return head + data

        async def tick() -> None:
            nonlocal sent, sequence
            sent += 1
            sequence += 1
            await asyncio.sleep(max(0.0, begin + sent * 0.02 - time.monotonic()))

        while self._far_rtp is not None:
            if self._keys and self._keys[0] in EVENTS:
                event, when = EVENTS.index(self._keys[0]), stamp & 0xFFFFFFFF
                for number in range(1, 9):
                    final = 0x80 if number > 5 else 0
                    length = min(number, 5) * FRAME
                    data = struct.pack("!BBH", event, final | 10, length)
                    self._rtp.sendto(packet(self._event_payload, number == 1, when, data), self._far_rtp)
                    stamp += FRAME
                    await tick()
                self._keys.pop(0)
                continue
            chunk = bytes(self._speech[:FRAME])
            del self._speech[:FRAME]
            self._rtp.sendto(packet(0, False, stamp & 0xFFFFFFFF, chunk.ljust(FRAME, b"\xff")), self._far_rtp)
            stamp += FRAME
            await tick()


class Receiver(asyncio.DatagramProtocol):
    """Hands each datagram on."""

    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take(data, addr)
