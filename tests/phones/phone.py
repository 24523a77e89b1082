"""A scriptable SIP phone: calls, answers, presses keys, plays, and keeps all it hears.

    async with Phone("alice", folder=tmp_path) as alice:
        call = await alice.call("sip:100@127.0.0.1:5060")
        await call.confirmed()
        await call.press("1#")
        await call.ended()
        heard = call.heard          # a WAV file

Each phone is a process of its own, see `tests.phones.endpoint`.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Auto = Literal["answer", "busy", "decline", "ring", "off"]
_AUTO_CODES: Mapping[Auto, int] = {"answer": 200, "busy": 486, "decline": 603, "ring": 180, "off": 0}
_ENDPOINT = Path(__file__).with_name("endpoint.py")


class PhoneError(Exception):
    """The phone could not do what it was told, or something never came."""


class PhoneCall:
    """One call of a phone. ``events`` are all it went through, with the wall clock's time ``t``."""

    def __init__(self, phone: "Phone", number: int, incoming: dict[str, Any] | None = None) -> None:
        self.phone = phone
        self.number = number
        self.events: list[dict[str, Any]] = []
        self.remote: str = (incoming or {}).get("remote", "")
        self.local: str = (incoming or {}).get("local", "")
        self.invite: str = (incoming or {}).get("headers", "")

    # ----------------------------------------------------------------- what happened

    @property
    def state(self) -> str:
        """``calling``, ``incoming``, ``early``, ``connecting``, ``confirmed`` or ``disconnected``."""
        states = self._all("state")
        return str(states[-1]["state"]) if states else ("incoming" if self.remote else "calling")

    @property
    def codes(self) -> list[int]:
        """SIP codes in order."""
        return [int(event["code"]) for event in self._all("state") if event["code"]]

    @property
    def final_code(self) -> int:
        """The SIP code of the end: 486 for busy, 200 after a normal one."""
        if self.state != "disconnected":
            raise PhoneError("the call has not ended")
        return self.codes[-1] if self.codes else 0

    @property
    def digits(self) -> str:
        """Keys that the far end pressed."""
        return "".join(event["digit"] for event in self._all("digit"))

    @property
    def heard(self) -> Path:
        """WAV of everything heard, complete once the call has ended."""
        recordings = self._all("recording")
        if not recordings:
            raise PhoneError("the call never had audio")
        return Path(recordings[0]["path"])

    def when(self, state: str) -> float:
        """Wall clock's time of a state."""
        for event in self._all("state"):
            if event["state"] == state:
                return float(event["t"])
        raise PhoneError(f"the call was never {state}")

    @property
    def listening_since(self) -> float:
        """Wall clock's time of the first sample in `heard`."""
        return float(self._all("recording")[0]["t"])

    def _all(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]

    # ----------------------------------------------------------------- waiting

    async def wait(self, what: Callable[["PhoneCall"], bool], timeout: float = 10.0, name: str = "") -> Self:
        """Wait for anything about this call."""
        await self.phone.wait(lambda: what(self), timeout, name or "something about the call")
        return self

    async def ringing(self, timeout: float = 10.0) -> Self:
        return await self.wait(lambda call: "early" in {e["state"] for e in call._all("state")}, timeout, "ringing")

    async def confirmed(self, timeout: float = 10.0) -> Self:
        """Wait until the call is answered and has audio."""

        def up(call: PhoneCall) -> bool:
            if call.state == "disconnected":
                raise PhoneError(f"the call was not answered: {call.codes}")
            return call.state == "confirmed" and bool(call._all("media"))

        return await self.wait(up, timeout, "answer and audio")

    async def ended(self, timeout: float = 30.0) -> Self:
        return await self.wait(lambda call: call.state == "disconnected", timeout, "the end of the call")

    # ----------------------------------------------------------------- doing

    async def ring(self) -> None:
        """180, and no more."""
        await self._do("answer", code=180)

    async def answer(self) -> None:
        await self._do("answer", code=200)

    async def reject(self, code: int = 486) -> None:
        """486 busy, 603 declined, 404, 480 ..."""
        await self._do("hang_up", code=code)

    async def hang_up(self) -> None:
        """End the call, no harm when it has ended."""
        if self.state != "disconnected":
            try:
                await self._do("hang_up")
            except PhoneError:
                if self.state != "disconnected":
                    raise
            await self.ended()

    async def press(self, digits: str, *, info: bool = False, milliseconds: int = 100, gap: float = 0.1) -> None:
        """Press keys one by one, as RFC 4733 events or SIP INFO."""
        for index, digit in enumerate(digits):
            if index:
                await asyncio.sleep(gap)
            await self._do("digits", digits=digit, info=info, milliseconds=milliseconds)
            await asyncio.sleep(milliseconds / 1000)

    async def play(self, path: Path, *, loop: bool = False) -> None:
        """Say what is in a WAV file; returns when it is over (at once with `loop`)."""
        before = len(self._all("played"))
        await self._do("play", path=str(path), loop=loop)
        if not loop:
            await self.wait(lambda call: len(call._all("played")) > before, 120.0, "the end of the file")
            await self._do("stop_playing")

    async def stop_playing(self) -> None:
        await self._do("stop_playing")

    async def hold(self, on: bool = True) -> None:
        before = len(self._all("media"))
        await self._do("hold", on=on)
        await self.wait(lambda call: len(call._all("media")) > before, 5.0, "the re-INVITE")

    async def transfer(self, target: "str | PhoneCall") -> int:
        """Blind transfer to a URI, or attended to another call of this phone; returns the final code."""

        def finals(call: "PhoneCall") -> int:
            return sum(bool(one["final"]) for one in call._all("transfer_status"))

        before = finals(self)
        if isinstance(target, PhoneCall):
            await self._do("transfer_to_call", other=target.number)
        else:
            await self._do("transfer", target=target)
        await self.wait(lambda call: finals(call) > before, 20.0, "the transfer")
        return int(self._all("transfer_status")[-1]["code"])

    async def statistics(self) -> dict[str, Any]:
        """RTP packets ``received``, ``sent``, ``lost`` and the ``codec``."""
        return await self._do("statistics")

    async def _do(self, command: str, **fields: Any) -> dict[str, Any]:
        return await self.phone.do(command, call=self.number, **fields)


class Phone:
    """A phone, used as an async context manager.

    With `registrar` (``host:port``) it registers there by `user` and `password`; with ``register=False`` the
    password only answers challenges. `auto` is what it does by itself with incoming calls, after `auto_after` s.
    """

    def __init__(
        self,
        user: str,
        *,
        folder: Path,
        password: str = "",
        registrar: str = "",
        register: bool = True,
        display: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        tcp: bool = False,
        codecs: str = "PCMU,PCMA",
        auto: Auto = "off",
        auto_after: float = 0.2,
        log: Path | None = None,
    ) -> None:
        self.user = user
        self.host = host
        self.port = port
        self.registers = bool(registrar) and register
        self.folder = folder
        self.calls: dict[int, PhoneCall] = {}
        self.events: list[dict[str, Any]] = []
        self._arguments = [
            # A password is drawn by chance, and may begin with a dash.
            *("--user", user, "--folder", str(folder), "--display", display, f"--password={password}"),
            *("--registrar", registrar, "--host", host, "--port", str(port), "--codecs", codecs),
            *("--auto", str(_AUTO_CODES[auto]), "--auto-after", str(auto_after)),
            *(["--register"] if self.registers else []),
            *(["--tcp"] if tcp else []),
            *(["--log", str(log)] if log else []),
        ]
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._ids = 0
        self._taken: set[int] = set()

    @property
    def uri(self) -> str:
        """Where the phone is reached directly."""
        return f"sip:{self.user}@{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.user}.err").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(_ENDPOINT),
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        self._reader = asyncio.create_task(self._read())
        try:
            ready = await self._event("ready", 15.0)
            self.port = int(ready["port"])
            if self.registers:
                await self.registered()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all calls and the process."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.returncode is None:
            assert process.stdin is not None
            try:
                process.stdin.write(b'{"do": "quit"}\n')
                process.stdin.close()
                await asyncio.wait_for(process.wait(), 5.0)
            except (TimeoutError, ConnectionError):
                process.kill()
                await process.wait()
        if self._reader is not None:
            await self._reader

    async def registered(self, timeout: float = 10.0) -> None:
        """Wait for the registrar's yes."""

        def done() -> bool:
            answers = [event for event in self.events if event["event"] == "registration"]
            if answers and answers[-1]["code"] in (401, 403, 404):
                raise PhoneError(f"registration refused: {answers[-1]['code']} {answers[-1]['reason']}")
            return bool(answers) and answers[-1]["code"] == 200 and answers[-1]["active"]

        await self.wait(done, timeout, "registration")

    async def call(self, uri: str, *, headers: Mapping[str, str] | None = None) -> PhoneCall:
        """Call somebody; returns while it rings."""
        reply = await self.do("call", uri=uri, headers=dict(headers or {}))
        call = self._call_of(int(reply["call"]))
        self._taken.add(call.number)
        return call

    async def incoming(self, timeout: float = 10.0) -> PhoneCall:
        """The next incoming call that was not taken yet."""

        def fresh() -> PhoneCall | None:
            return next((c for c in self.calls.values() if c.remote and c.number not in self._taken), None)

        await self.wait(lambda: fresh() is not None, timeout, "an incoming call")
        call = fresh()
        assert call is not None
        self._taken.add(call.number)
        return call

    async def behave(self, auto: Auto, after: float = 0.2) -> None:
        """Change what the phone does by itself with incoming calls."""
        await self.do("auto", code=_AUTO_CODES[auto], after=after)

    # ----------------------------------------------------------------- the wire to the process

    async def do(self, command: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its reply."""
        if self._process is None or self._process.stdin is None:
            raise PhoneError("the phone is switched off")
        self._ids += 1
        number = self._ids
        self._process.stdin.write(json.dumps({"do": command, "id": number, **fields}).encode() + b"\n")
        await self._process.stdin.drain()
        reply = await self._event("reply", 10.0, number)
        if "error" in reply:
            raise PhoneError(f"{command}: {reply['error']}")
        return reply

    async def wait(self, what: Callable[[], bool], timeout: float, name: str) -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(timeout):
                while not what():
                    self._changed.clear()
                    if self._reader is None or self._reader.done():
                        said = (self.folder / f"{self.user}.err").read_text(errors="replace")[-500:]
                        raise PhoneError(f"the phone's process has ended while waiting for {name}: {said}")
                    await self._changed.wait()
        except TimeoutError:
            tail = [{k: v for k, v in event.items() if k != "headers"} for event in self.events[-8:]]
            raise PhoneError(f"phone {self.user}: no {name} within {timeout} s; last events: {tail}") from None

    async def _event(self, event: str, timeout: float, number: int | None = None) -> dict[str, Any]:
        def find() -> dict[str, Any] | None:
            one: dict[str, Any]
            for one in reversed(self.events):
                if one["event"] == event and (number is None or one.get("id") == number):
                    return dict(one)
            return None

        await self.wait(lambda: find() is not None, timeout, event)
        found = find()
        assert found is not None
        return found

    def _call_of(self, number: int, incoming: dict[str, Any] | None = None) -> PhoneCall:
        if number not in self.calls:
            self.calls[number] = PhoneCall(self, number, incoming)
        return self.calls[number]

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            event: dict[str, Any] = json.loads(line)
            self.events.append(event)
            if event["event"] == "incoming":
                call = self._call_of(event["call"], event)
                call.remote, call.local, call.invite = event["remote"], event["local"], event["headers"]
            if "call" in event and event["event"] != "reply":
                self._call_of(event["call"]).events.append(event)
            self._changed.set()
        self._changed.set()
