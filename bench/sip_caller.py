"""A light SIP caller: one UDP socket, any number of calls, G.711 A-law, keys by RFC 4733.

Benchmarks and journeys with many calls use it: it costs little and knows when each packet came. It is a caller for
checks, not a soft phone: no TCP, no SRTP, no registration, no sound card.

Sources: RFC 3261 (SIP), RFC 3264 (offer and answer), RFC 3550 (RTP), RFC 4733 (telephone events).
"""

import asyncio
import re
import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

PCMA = 8
EVENTS = 101
FRAME_SECONDS = 0.02
FRAME_SAMPLES = 160
SILENCE = b"\xd5" * FRAME_SAMPLES
"""One frame of A-law silence."""

Address = tuple[str, int]


class CallRefusedError(Exception):
    """The far end refused the call with a final SIP code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class Message:
    """A parsed SIP message. Header names are lower case; a repeated header keeps every value in order."""

    start: str
    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        """Raises ValueError for what is no SIP message."""
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        if "SIP/2.0" not in start:
            raise ValueError("not a SIP message")
        pairs = (line.partition(":") for line in lines)
        return cls(start, [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon], body)

    def get(self, name: str) -> str:
        """The first value of a header, empty when it is missing."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def code(self) -> int:
        """Status code of a response, 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Method of a request, or the one that a response answers."""
        return self.get("cseq").split()[-1] if self.code else self.start.split()[0]


@dataclass(frozen=True, slots=True)
class Packet:
    """One received RTP packet of audio; `at` is `time.perf_counter` seconds, `payload` A-law."""

    at: float
    sequence: int
    timestamp: int
    payload: bytes


class _Rtp(asyncio.DatagramProtocol):
    def __init__(self, call: "SipCall") -> None:
        self.call = call

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if len(data) < 12 or data[0] >> 6 != 2 or data[1] & 127 != PCMA:
            return
        sequence, timestamp = struct.unpack("!HI", data[2:8])
        self.call.hear(Packet(time.perf_counter(), sequence, timestamp, data[12 + 4 * (data[0] & 15) :]))


@dataclass(slots=True)
class SipCall:
    """One call. Times are `time.perf_counter` seconds; audio is A-law at 8 kHz."""

    caller: "SipCaller"
    target: str
    remote: Address
    call_id: str
    from_header: str
    on_packet: Callable[[Packet], None] | None = None
    packets: list[Packet] = field(default_factory=list)
    invited_at: float = 0.0
    answered_at: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    ended_by_far_end: bool = False
    _responses: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    _to_header: str = ""
    _remote_target: str = ""
    _rtp: asyncio.DatagramTransport | None = None
    _rtp_to: Address | None = None
    _cseq: int = 1
    _sequence: int = field(default_factory=lambda: secrets.randbelow(30000))
    _timestamp: int = field(default_factory=lambda: secrets.randbelow(1 << 30))
    _source: int = field(default_factory=lambda: secrets.randbits(32))
    _pump: asyncio.Task[None] | None = None
    _outgoing: bytearray = field(default_factory=bytearray)
    _keying: bool = False

    def hear(self, packet: Packet) -> None:
        """Take one received packet."""
        if self.on_packet is not None:
            self.on_packet(packet)
        else:
            self.packets.append(packet)

    def audio(self) -> bytes:
        """What was heard as continuous A-law from the answer on; silence fills what the far end did not send."""
        heard = bytearray()
        for packet in self.packets:
            due = int((packet.at - self.answered_at) * 8000)
            # Network jitter is below two frames; a larger gap is a pause in which nothing was sent.
            if due - len(heard) > 2 * FRAME_SAMPLES:
                heard += b"\xd5" * (due - len(heard))
            heard += packet.payload
        return bytes(heard)

    def speak(self, alaw: bytes) -> None:
        """Queue audio to send, and send a continuous stream from now on as real phones do."""
        self._outgoing += alaw
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._send_frames())

    async def _send_frames(self) -> None:
        due = time.perf_counter()
        while not self.ended.is_set():
            if not self._keying:
                frame = bytes(self._outgoing[:FRAME_SAMPLES]).ljust(FRAME_SAMPLES, b"\xd5")
                del self._outgoing[:FRAME_SAMPLES]
                self._send_rtp(PCMA, frame)
            self._timestamp += FRAME_SAMPLES
            due += FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def _send_rtp(self, kind: int, payload: bytes, *, marker: bool = False, timestamp: int | None = None) -> None:
        if self._rtp is None or self._rtp_to is None or self._rtp.is_closing():
            return
        stamp = (self._timestamp if timestamp is None else timestamp) & 0xFFFFFFFF
        header = struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), self._sequence, stamp, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._rtp.sendto(header + payload, self._rtp_to)

    async def press(self, digits: str, *, seconds: float = 0.1, gap: float = 0.08) -> float:
        """Press keys one after the other; returns when the first END packet of the last key was sent."""
        first_end = 0.0
        frames = max(2, round(seconds / FRAME_SECONDS))
        for index, digit in enumerate(digits):
            if index:
                await asyncio.sleep(gap)
            event = "0123456789*#ABCD".index(digit)
            stamp = self._timestamp
            self._keying = True
            try:
                for frame in range(frames):
                    duration = (frame + 1) * FRAME_SAMPLES
                    self._send_rtp(EVENTS, struct.pack("!BBH", event, 10, duration), marker=frame == 0, timestamp=stamp)
                    await asyncio.sleep(FRAME_SECONDS)
                first_end = time.perf_counter()
                for _ in range(3):
                    self._send_rtp(EVENTS, struct.pack("!BBH", event, 0x8A, frames * FRAME_SAMPLES), timestamp=stamp)
            finally:
                self._keying = False
            if self._pump is None:
                self._timestamp += (frames + 1) * FRAME_SAMPLES
        return first_end

    async def hang_up(self) -> None:
        """End the call; no harm when it has ended."""
        if not self.ended.is_set():
            self._cseq += 1
            self.caller.send(self._request("BYE", self._cseq), self.remote)
            self._close()

    def _close(self) -> None:
        self.ended.set()
        self._close_media()

    async def _open_media(self) -> None:
        loop = asyncio.get_running_loop()
        self._rtp, _ = await loop.create_datagram_endpoint(lambda: _Rtp(self), local_addr=(self.caller.host, 0))

    def _media_port(self) -> int:
        assert self._rtp is not None
        return int(self._rtp.get_extra_info("sockname")[1])

    def _close_media(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
        if self._rtp is not None:
            self._rtp.close()

    def _request(self, method: str, cseq: int, *, body: str = "", branch: str = "") -> str:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {self._remote_target or self.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.caller.host}:{self.caller.port};branch={branch or _branch()};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {self.from_header}\r\nTo: {self._to_header or f'<{self.target}>'}\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:bench@{self.caller.host}:{self.caller.port}>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _offer(self) -> str:
        port = self._media_port()
        return (
            f"v=0\r\no=- {self._source} 1 IN IP4 {self.caller.host}\r\ns=-\r\nc=IN IP4 {self.caller.host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {PCMA} {EVENTS}\r\na=rtpmap:{PCMA} PCMA/8000\r\n"
            f"a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    def _take_answer(self, body: str) -> None:
        if there := media_address(body):
            self._rtp_to = there

    async def dial(self, timeout: float) -> None:
        """Send the INVITE; returns when answered. Raises CallRefusedError, or TimeoutError after a CANCEL."""
        await self._open_media()
        branch = _branch()
        invite = self._request("INVITE", self._cseq, body=self._offer(), branch=branch)
        self.invited_at = time.perf_counter()
        try:
            final = await asyncio.wait_for(self._final_response(invite), timeout)
        except TimeoutError:
            self.caller.send(self._request("CANCEL", self._cseq, branch=branch), self.remote)
            self._close()
            raise
        self._to_header = final.get("to")
        if final.code >= 300:
            self.caller.send(self._request("ACK", self._cseq, branch=branch), self.remote)
            self._close()
            raise CallRefusedError(final.code, final.start.split(maxsplit=2)[-1])
        self.answered_at = time.perf_counter()
        contact = re.search(r"<([^>]+)>", final.get("contact"))
        self._remote_target = contact[1] if contact else self.target
        self._take_answer(final.body)
        self.caller.send(self._request("ACK", self._cseq), self.remote)

    async def _final_response(self, invite: str) -> Message:
        """Send an INVITE, again and again until it is heard (RFC 3261 timer A), and wait for its final response."""
        wait: float | None = 0.5
        self.caller.send(invite, self.remote)
        while True:
            try:
                message = await asyncio.wait_for(self._responses.get(), wait)
            except TimeoutError:
                wait = (wait or 0.5) * 2
                self.caller.send(invite, self.remote)
                continue
            if message.method == "INVITE" and message.code >= 200:
                return message
            wait = None

    def take(self, message: Message, sender: Address) -> None:
        """Take a SIP message of this call."""
        if message.code:
            if message.method == "INVITE" and message.code == 200 and self.answered_at:
                # Our ACK was lost: the far end says 200 again.
                self.caller.send(self._request("ACK", self._cseq), self.remote)
            else:
                self._responses.put_nowait(message)
        elif message.method != "ACK":
            offered = message.method == "INVITE" and not self.ended.is_set()
            if offered:
                self._take_answer(message.body)
            self.caller.reply(message, sender, 200, "OK", self._offer() if offered else "")
            if message.method == "BYE":
                self.ended_by_far_end = True
                self._close()


def address_of(target: str) -> Address:
    """Host and port of a SIP URI; raises ValueError."""
    where = re.fullmatch(r"sip:(?:[^@]+@)?([^:;]+)(?::(\d+))?", target)
    if where is None:
        raise ValueError(f"not a SIP URI: {target}")
    return where[1], int(where[2] or 5060)


def media_address(body: str) -> Address | None:
    """Where an SDP (RFC 8866) wants its audio; None when it names no place."""
    address = re.search(r"^c=IN IP4 (\S+)", body, re.M)
    port = re.search(r"^m=audio (\d+)", body, re.M)
    return (address[1], int(port[1])) if address and port else None


class SipCaller(asyncio.DatagramProtocol):
    """Places calls: ``async with SipCaller() as caller: call = await caller.call("sip:100@127.0.0.1:5060")``."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0
        self.calls: dict[str, SipCall] = {}
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in list(self.calls.values()):
            await call.hang_up()
        if self._transport is not None:
            self._transport.close()

    async def call(
        self,
        target: str,
        *,
        caller: str = "5550001",
        timeout: float = 10.0,
        on_packet: Callable[[Packet], None] | None = None,
    ) -> SipCall:
        """Call a SIP URI such as ``sip:100@127.0.0.1:5060`` and return when it is answered.

        With `on_packet` the audio goes there and is not kept. Raises `CallRefusedError`, or TimeoutError when nobody
        answers within `timeout` seconds.
        """
        call = SipCall(
            caller=self,
            target=target,
            remote=address_of(target),
            call_id=secrets.token_hex(10),
            from_header=f"<sip:{caller}@{self.host}:{self.port}>;tag={secrets.token_hex(5)}",
            on_packet=on_packet,
        )
        self.calls[call.call_id] = call
        await call.dial(timeout)
        return call

    def send(self, text: str, to: Address) -> None:
        """Send one SIP message."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(text.encode(), to)

    def reply(self, request: Message, to: Address, code: int, reason: str, body: str = "") -> None:
        """Answer a request in its own dialog."""
        lines = [f"SIP/2.0 {code} {reason}", *(f"Via: {value}" for name, value in request.headers if name == "via")]
        lines += [f"{name}: {request.get(name.lower())}" for name in ("From", "To", "Call-ID", "CSeq")]
        lines.append(f"Contact: <sip:bench@{self.host}:{self.port}>")
        if body:
            lines.append("Content-Type: application/sdp")
        self.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]), to)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        try:
            message = Message.parse(data)
        except ValueError:
            return
        call = self.calls.get(message.get("call-id"))
        if call is not None:
            call.take(message, addr)
        else:
            self.strange(message, addr)

    def strange(self, message: Message, sender: Address) -> None:
        """Take a message that belongs to no call."""
        if not message.code and message.method != "ACK":
            code, reason = (200, "OK") if message.method == "OPTIONS" else (481, "Call Does Not Exist")
            self.reply(message, sender, code, reason)


def _branch() -> str:
    return f"z9hG4bK{secrets.token_hex(8)}"
