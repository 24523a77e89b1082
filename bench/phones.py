"""Light telephones by the hundred: callers and registered extensions on one socket, each saying a tone of its own.

All sound is sent by one task, and a phone listens only while somebody wants to know what it hears: a call with sound
both ways costs this process a fifth of a percent of a core. A tone fits a whole number of times into a packet of
20 ms, so that a spectrum of one packet tells who speaks.

Sources: RFC 3261 (SIP), RFC 7616 and RFC 2617 (digest), RFC 3550 (RTP).
"""

import asyncio
import contextlib
import hashlib
import re
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from bench.sip_caller import (
    FRAME_SAMPLES,
    FRAME_SECONDS,
    PCMA,
    SILENCE,
    Address,
    Message,
    SipCall,
    SipCaller,
    address_of,
    media_address,
)
from telephony.speech.audio import alaw_decode, alaw_encode

CALLER_TONES = tuple(range(600, 2200, 200))
AGENT_TONES = tuple(range(700, 2300, 200))
"""Hertz. Who is connected with a wrong one hears a wrong tone, seven times of eight."""
_BIN = 50
_SURE = 3
"""So many packets in a row make a voice: music is now and then a tone for a moment."""
_LOOKED_OVER = 0.25
"""Seconds after which a listener who has lost the voice says so."""


@cache
def frame_of(hertz: int) -> bytes:
    """20 ms of a tone in A-law."""
    at = np.arange(FRAME_SAMPLES) / 8000
    return alaw_encode((0.3 * 32767 * np.sin(2 * np.pi * hertz * at)).astype(np.int16))


def tone_in(payload: bytes) -> int:
    """The tone that a packet consists of, 0 for anything else."""
    if len(payload) != FRAME_SAMPLES:
        return 0
    power = np.abs(np.fft.rfft(alaw_decode(payload).astype(np.float64))) ** 2
    power[0] = 0.0
    best = int(np.argmax(power))
    whole = float(power.sum())
    if whole < 1e9 or power[best] < 0.8 * whole:
        return 0
    return best * _BIN


class Air:
    """Sends the sound of every voice that is on: each 20 ms one packet, in four groups 5 ms apart."""

    def __init__(self) -> None:
        self._groups: tuple[set[Voice], ...] = (set(), set(), set(), set())
        self._next = 0
        self._task: asyncio.Task[None] | None = None
        self.latest = 0.0
        """The longest that sending was behind its time: this process then measured itself."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._send())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def add(self, voice: "Voice") -> None:
        self._groups[self._next].add(voice)
        self._next = (self._next + 1) % 4

    def remove(self, voice: "Voice") -> None:
        for group in self._groups:
            group.discard(voice)

    async def _send(self) -> None:
        due, turn = time.perf_counter(), 0
        while True:
            for voice in self._groups[turn % 4]:
                voice.send()
            turn += 1
            due += FRAME_SECONDS / 4
            behind = time.perf_counter() - due
            self.latest = max(self.latest, behind)
            if behind > 0.2:
                due = time.perf_counter()
            await asyncio.sleep(max(0.0, -behind))


class Voice:
    """The sound of one phone: says a tone, and hears on demand."""

    def __init__(self, air: Air, host: str, hertz: int) -> None:
        self.air = air
        self.payload = frame_of(hertz) if hertz else SILENCE
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        # Nobody reads most of the time: only the newest packets are to be kept.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind((host, 0))
        self.port = int(self.socket.getsockname()[1])
        self._to: Address | None = None
        self._sequence = secrets.randbelow(30000)
        self._stamp = secrets.randbelow(1 << 30)
        self._source = secrets.randbits(32)
        self._open = True
        self._reading = False

    def speak_to(self, to: Address) -> None:
        """Send there from now on."""
        if self._to is None and self._open:
            self.air.add(self)
        self._to = to

    def send(self) -> None:
        """One packet."""
        assert self._to is not None
        header = struct.pack("!BBHII", 0x80, PCMA, self._sequence, self._stamp, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._stamp = (self._stamp + FRAME_SAMPLES) & 0xFFFFFFFF
        with contextlib.suppress(OSError):
            self.socket.sendto(header + self.payload, self._to)

    @contextlib.asynccontextmanager
    async def _listening(self, take: Callable[[bytes, float], None]) -> AsyncIterator[None]:
        """Every packet from now on goes to `take` with its time."""
        if self._reading or not self._open:
            raise RuntimeError("somebody listens already, or the call is over")

        def readable() -> None:
            for _ in range(20):
                try:
                    data = self.socket.recv(2048)
                except OSError:
                    return
                if len(data) > 12 and data[0] >> 6 == 2 and data[1] & 127 == PCMA:
                    take(data[12 + 4 * (data[0] & 15) :], time.time())

        # What came while nobody listened is old.
        with contextlib.suppress(OSError):
            while self.socket.recv(2048):
                pass
        loop = asyncio.get_running_loop()
        loop.add_reader(self.socket.fileno(), readable)
        self._reading = True
        try:
            yield
        finally:
            self._reading = False
            if self._open:
                loop.remove_reader(self.socket.fileno())

    async def hears(self, hertz: int, timeout: float) -> float | None:
        """When this tone was first heard, None when it was not within `timeout` seconds."""
        row: list[float] = []
        heard = asyncio.Event()

        def take(payload: bytes, at: float) -> None:
            if tone_in(payload) != hertz:
                row.clear()
                return
            row.append(at)
            if len(row) >= _SURE:
                heard.set()

        if not self._open or self._reading:
            return None
        async with self._listening(take):
            try:
                await asyncio.wait_for(heard.wait(), timeout)
            except TimeoutError:
                return None
        return row[0]

    async def longest_gap(self, hertz: int, until: asyncio.Event) -> float:
        """The longest time without this tone, until `until` is set or the call is over. Seconds."""
        last, longest = time.time(), 0.0

        def take(payload: bytes, at: float) -> None:
            nonlocal last, longest
            if tone_in(payload) == hertz:
                longest = max(longest, at - last)
                last = at

        async with self._listening(take):
            while not until.is_set() and self._open:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(until.wait(), 0.2)
        return max(longest, time.time() - last if time.time() - last > _LOOKED_OVER else 0.0)

    def close(self) -> None:
        """The call is over."""
        if not self._open:
            return
        self._open = False
        self.air.remove(self)
        if self._reading:
            asyncio.get_running_loop().remove_reader(self.socket.fileno())
        self.socket.close()


@dataclass(slots=True)
class LightCall(SipCall):
    """A call of a light phone, placed or received. Times of `at` are `time.time` seconds."""

    hertz: int = 0
    number: str = ""
    """Who calls, of a received call."""
    extension: str = ""
    """Whom it rings at, of a received call."""
    rang_at: float = 0.0
    taken_at: float = 0.0
    invite: Message | None = None
    voice: Voice | None = None
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False
    _tag: str = ""
    _last: str = ""

    async def _open_media(self) -> None:
        assert isinstance(self.caller, Exchange)
        self.voice = Voice(self.caller.air, self.caller.host, self.hertz)

    def _media_port(self) -> int:
        assert self.voice is not None
        return self.voice.port

    def _close_media(self) -> None:
        if self.voice is not None:
            self.voice.close()

    def _take_answer(self, body: str) -> None:
        if (there := media_address(body)) and self.voice is not None:
            self.voice.speak_to(there)

    # ----------------------------------------------------------------- received calls

    def ring(self) -> None:
        """Say that it rings."""
        self._respond(180, "Ringing")

    async def accept(self, hertz: int) -> None:
        """Answer and speak."""
        assert self.invite is not None
        self.hertz = hertz
        await self._open_media()
        self._take_answer(self.invite.body)
        self.taken_at = time.time()
        self._respond(200, "OK", self._offer())
        # Said again until the far end has heard it (RFC 3261, 13.3.1.4).
        for wait in (0.5, 1.0, 2.0, 4.0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.confirmed.wait(), wait)
            if self.confirmed.is_set() or self.ended.is_set():
                return
            self.caller.send(self._last, self.remote)

    def busy(self) -> None:
        """Refuse."""
        self._respond(486, "Busy Here")
        self._close()

    def _respond(self, code: int, reason: str, body: str = "") -> None:
        assert self.invite is not None
        assert isinstance(self.caller, Exchange)
        self._last = self.caller.response(self.invite, code, reason, body, self._tag)
        self.caller.send(self._last, self.remote)

    def take(self, message: Message, sender: Address) -> None:
        if self.invite is None or message.code:
            # Not `super()`: the class that slots made is another one.
            SipCall.take(self, message, sender)
        elif message.method == "ACK":
            self.confirmed.set()
        elif message.method == "INVITE" and message.get("cseq") == self.invite.get("cseq"):
            if self._last:
                self.caller.send(self._last, sender)
        elif message.method == "CANCEL":
            self.caller.reply(message, sender, 200, "OK")
            if not self.taken_at:
                self.cancelled = True
                self._respond(487, "Request Terminated")
                self._close()
        else:
            SipCall.take(self, message, sender)


OnCall = Callable[[LightCall], None]


class Exchange(SipCaller):
    """Light phones on one socket: places calls like `SipCaller`, registers extensions and receives their calls."""

    def __init__(self, on_call: OnCall, host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self.air = Air()
        self._on_call = on_call
        self._registering: dict[str, asyncio.Queue[Message]] = {}

    async def __aenter__(self) -> "Exchange":
        await super().__aenter__()
        assert self._transport is not None
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.air.start()
        return self

    async def __aexit__(self, *about: object) -> None:
        await super().__aexit__(None, None, None)
        await self.air.stop()

    # ----------------------------------------------------------------- registration

    async def register(self, extension: str, password: str, registrar: Address, expires: int = 3600) -> None:
        """Be an extension's phone. Raises PermissionError when it is refused, TimeoutError without an answer."""
        call_id, tag = secrets.token_hex(10), secrets.token_hex(5)
        answers = self._registering[call_id] = asyncio.Queue()
        uri, credentials = f"sip:{registrar[0]}:{registrar[1]}", ""
        for number in (1, 2):
            self.send(
                f"REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK"
                f"{secrets.token_hex(8)};rport\r\nMax-Forwards: 70\r\n"
                f"From: <sip:{extension}@{registrar[0]}>;tag={tag}\r\nTo: <sip:{extension}@{registrar[0]}>\r\n"
                f"Call-ID: {call_id}\r\nCSeq: {number} REGISTER\r\n"
                f"Contact: <sip:{extension}@{self.host}:{self.port}>\r\nExpires: {expires}\r\n{credentials}"
                "Content-Length: 0\r\n\r\n",
                registrar,
            )
            answer = await asyncio.wait_for(answers.get(), 5)
            if answer.code == 200:
                del self._registering[call_id]
                return
            challenge = answer.get("www-authenticate")
            if answer.code != 401 or not challenge:
                break
            credentials = _digest(challenge, extension, password, "REGISTER", uri)
        raise PermissionError(f"{extension} may not register: {answer.start}")

    # ----------------------------------------------------------------- calls

    async def place(self, target: str, *, caller: str, hertz: int, timeout: float = 30.0) -> LightCall:
        """Call a SIP URI and say a tone; as `SipCaller.call`."""
        call = LightCall(
            caller=self,
            target=target,
            remote=address_of(target),
            call_id=secrets.token_hex(10),
            from_header=f"<sip:{caller}@{self.host}:{self.port}>;tag={secrets.token_hex(5)}",
            hertz=hertz,
        )
        self.calls[call.call_id] = call
        await call.dial(timeout)
        return call

    def response(self, request: Message, code: int, reason: str, body: str, tag: str) -> str:
        """A response that begins a dialog of ours."""
        lines = [f"SIP/2.0 {code} {reason}", *(f"Via: {value}" for name, value in request.headers if name == "via")]
        lines += [f"Record-Route: {value}" for name, value in request.headers if name == "record-route"]
        lines += [f"{name}: {request.get(name.lower())}" for name in ("From", "Call-ID", "CSeq")]
        lines.append(f"To: {request.get('to')};tag={tag}")
        lines.append(f"Contact: <sip:bench@{self.host}:{self.port}>")
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])

    def strange(self, message: Message, sender: Address) -> None:
        if message.code:
            if (answers := self._registering.get(message.get("call-id"))) is not None:
                answers.put_nowait(message)
        elif message.method == "INVITE":
            self._ringing(message, sender)
        else:
            super().strange(message, sender)

    def _ringing(self, message: Message, sender: Address) -> None:
        tag = secrets.token_hex(5)
        called = re.search(r"sip:([^@]+)@", message.start)
        number = re.search(r"sip:([^@]+)@", message.get("from"))
        contact = re.search(r"<([^>]+)>", message.get("contact"))
        call = LightCall(
            caller=self,
            target="",
            remote=sender,
            call_id=message.get("call-id"),
            from_header=f"{message.get('to')};tag={tag}",
            number=number[1] if number else "",
            extension=called[1] if called else "",
            rang_at=time.time(),
            invite=message,
        )
        call._tag = tag
        call._to_header = message.get("from")
        call._remote_target = contact[1] if contact else ""
        self.calls[call.call_id] = call
        self._on_call(call)


def _digest(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """The Authorization header for a challenge."""
    asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.partition(" ")[2]))

    def md5(words: str) -> str:
        return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()

    own, what = md5(f"{user}:{asked['realm']}:{password}"), md5(f"{method}:{uri}")
    head = f'Authorization: Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}"'
    opaque = f', opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    if "qop" not in asked:
        plain = md5(f"{own}:{asked['nonce']}:{what}")
        return f'{head}, response="{plain}"{opaque}, algorithm=MD5\r\n'
    nonce = secrets.token_hex(8)
    answer = md5(f"{own}:{asked['nonce']}:00000001:{nonce}:auth:{what}")
    return f'{head}, response="{answer}", qop=auth, nc=00000001, cnonce="{nonce}"{opaque}, algorithm=MD5\r\n'
