"""The test kit: run one node without Temporal, Asterisk or a database.

    outcome = await run_node(Menu(), {"choices": [{"key": "1"}]}, call=ScriptedCall("1"))
    assert outcome.port == "1"

The doubles keep the promises of `nodes.sdk.services`, in memory. `ScriptedCall` plays a caller who makes one move
after the other and needs no time.
"""

import asyncio
import re
import tempfile
import wave
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
from cryptography.fernet import Fernet

from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import Node, Runs, WaitFor, Woken
from nodes.sdk.outcome import HANGUP, SHORTCUT_PREFIX, NodeError, Outcome
from nodes.sdk.queue_double import MemoryQueues, QueueAgent
from nodes.sdk.services import (
    Credential,
    Customer,
    HoursState,
    HttpReply,
    PinCheck,
    PlacedCall,
    SavedVoicemail,
    Services,
    TaskToDo,
)
from telephony.call import Call, Detected, DetectedKind, DialResult, Keys, Recording, Said, Spoken, Talk
from telephony.calls import CallBook
from telephony.comfort import GuardTimes
from telephony.driver import Incoming
from telephony.errors import DriverError, HungUp, SpeechError
from telephony.hearing import phrase_in
from telephony.live_call import LiveCall
from telephony.prompts import Audio, Item, Recorded, Speak, Value
from telephony.simulated import Callee, Line, Person, SimulatedDriver, SimulatedEars
from telephony.sounds import Sounds

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""A Monday, twelve o'clock in Shanghai: what ``now`` is unless a test says otherwise."""

# --------------------------------------------------------------------------- the caller


@dataclass(frozen=True, slots=True)
class Silent:
    """The caller does nothing until the wait runs out."""


@dataclass(frozen=True, slots=True)
class HangsUp:
    """The caller hangs up while the node says or waits for something."""


@dataclass(frozen=True, slots=True)
class Speaks:
    """The caller speaks into a recording for some seconds, then ends it by a key, by silence or by hanging up.

    ``lost`` and ``engine_lost`` are the end of the call by a fault.
    """

    seconds: float
    then: str = "#"


@dataclass(frozen=True, slots=True)
class Says:
    """The caller says something where the node listens; words that are none of its phrases are no match."""

    words: str
    confidence: float = 1.0


SILENT = Silent()
HANGS_UP = HangsUp()
Move = str | Silent | HangsUp | Speaks | Says
"""What a caller does next; a string is keys, pressed one after the other."""


class ScriptedCall:
    """A call whose caller follows a list of moves, without time passing.

    ``detected``    what is found at the far end, in order; a person when the list is used up
    ``deaf``        no language has a pack for speech recognition
    ``legs``        what comes of each dial, in order; answered when the list is used up
    ``hang_up_at``  the caller leaves at this moment (0 is the first), counted over everything the node awaits
    ``heard``       what was played; ``log`` every operation in order
    ``secret_keys`` digits that were pressed while the recording was paused
    """

    def __init__(
        self,
        *moves: Move,
        caller: str = "13800138000",
        called: str = "100",
        language: str = "zh",
        answered: bool = True,
        legs: Sequence[str | DialResult] = (),
        detected: Sequence[DetectedKind | Detected] = (),
        deaf: bool = False,
        talk: Talk | None = None,
        hang_up_at: int | None = None,
        folder: Path | None = None,
    ) -> None:
        self.id = "test-call"
        self.caller = caller
        self.called = called
        self.language = language
        self.moves: list[Move] = [move for move in moves if move != ""]
        self.legs = list(legs)
        self.detected = list(detected)
        self.deaf = deaf
        self.conversation = talk or Talk(seconds=30.0, ended_by="other")
        self.hang_up_at = hang_up_at
        self.moments = 0
        self.heard: list[str] = []
        self.log: list[str] = []
        self.secret_keys = ""
        self.recording_paused = False
        self.leg_states: dict[str, Literal["up", "ringing", "gone"]] = {}
        self.agents: dict[str, str] = {}
        self._answered = answered
        self._ended = False
        self._folder = folder
        self._recordings: dict[str, Recording] = {}

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def answered(self) -> bool:
        return self._answered

    async def _moment(self) -> None:
        """A point where the node waits: it may be cancelled here, and the caller may leave."""
        await asyncio.sleep(0)
        if self.moments == self.hang_up_at:
            self._ended = True
        self.moments += 1
        if self._ended:
            raise HungUp

    def _hang_up_if_scripted(self) -> None:
        if self.moves and isinstance(self.moves[0], HangsUp):
            self._ended = True
            raise HungUp

    def _peek_key(self) -> str | None:
        move = self.moves[0] if self.moves else None
        return move[0] if isinstance(move, str) else None

    def _take_key(self) -> str:
        move = self.moves.pop(0)
        assert isinstance(move, str)
        if len(move) > 1:
            self.moves.insert(0, move[1:])
        return move[0]

    def _play(self, items: Sequence[Item]) -> list[str]:
        texts = [words_of(item) for item in items]
        self.heard.extend(texts)
        return texts

    async def answer(self) -> None:
        await self._moment()
        self.log.append("answer")
        self._answered = True

    async def reject(self, cause: Literal["busy", "rejected", "unknown_number", "congestion"]) -> None:
        await self._moment()
        self.log.append(f"reject {cause}")
        self._ended = True

    async def hang_up(self) -> None:
        await asyncio.sleep(0)
        self.log.append("hang_up")
        self._ended = True

    async def say(
        self,
        items: Sequence[Item],
        *,
        barge_in: frozenset[str] = frozenset(),
        language: str | None = None,
        keep_key: bool = False,
    ) -> Said:
        await self._moment()
        self.log.append("say")
        texts = self._play(items)
        await self._moment()
        self._hang_up_if_scripted()
        key = self._peek_key()
        if key is None or key not in barge_in:
            return Said(texts)
        return Said(texts, key if keep_key else self._take_key())

    async def collect(
        self,
        items: Sequence[Item],
        *,
        maximum: int,
        first_timeout: float,
        digit_timeout: float,
        terminators: str = "#",
        barge_in: bool = True,
        keys: frozenset[str] | None = None,
        language: str | None = None,
    ) -> Keys:
        await self._moment()
        self.log.append("collect")
        texts = self._play(items)
        digits = ""
        while True:
            try:
                await self._moment()
                self._hang_up_if_scripted()
            except HungUp as gone:
                gone.digits = digits
                raise
            if self._peek_key() is None:
                if self.moves and isinstance(self.moves[0], Silent):
                    self.moves.pop(0)
                return Keys(digits, "timeout", texts)
            key = self._take_key()
            if self.recording_paused:
                self.secret_keys += key
            if key in terminators:
                return Keys(digits, "terminator", texts, key)
            if keys is None or key in keys:
                digits += key
            if len(digits) == maximum:
                if maximum > 1 and self._peek_key() is not None and str(self._peek_key()) in terminators:
                    self._take_key()
                return Keys(digits, "full", texts)

    def understands(self, language: str | None = None) -> bool:
        return not self.deaf

    async def listen(
        self,
        items: Sequence[Item],
        *,
        phrases: Sequence[str] = (),
        keys: frozenset[str] = frozenset(),
        first_timeout: float,
        pause: float = 0.8,
        max_seconds: float = 15.0,
        barge_in: bool = True,
        language: str | None = None,
    ) -> Spoken:
        await self._moment()
        if self.deaf:
            raise SpeechError("no_language_pack", f"no language pack for {language or self.language}")
        self.log.append("listen")
        texts = self._play(items)
        while True:
            await self._moment()
            self._hang_up_if_scripted()
            if self.moves and isinstance(said := self.moves[0], Says):
                self.moves.pop(0)
                words = (phrase_in(said.words, phrases) or "") if phrases else said.words
                return Spoken(words, "speech", texts, said.confidence)
            if self._peek_key() is None:
                if self.moves and isinstance(self.moves[0], Silent):
                    self.moves.pop(0)
                return Spoken("", "silence", texts)
            if (key := self._take_key()) in keys:
                return Spoken("", "key", texts, digit=key)

    async def detect(self, channel: str | None = None, *, max_seconds: float, wait_for_beep: bool = False) -> Detected:
        await self._moment()
        if channel is not None and self.leg_states.get(channel) != "up":
            raise DriverError("not_found", f"no leg {channel}")
        self.log.append("detect" if channel is None else f"detect {channel}")
        await self._moment()
        self._hang_up_if_scripted()
        found = self.detected.pop(0) if self.detected else "person"
        if isinstance(found, Detected):
            return found
        return Detected(found, 0.9, f"the test says {found}", 1500, beep=found == "machine" and wait_for_beep)

    async def record(
        self, name: str, *, max_seconds: float, max_silence: float, terminators: str = "#", beep: bool = True
    ) -> Recording:
        await self._moment()
        if name in self._recordings:
            return self._recordings[name]
        self.log.append(f"record {name}")
        self._hang_up_if_scripted()
        speech = Speaks(0.0, "silence")
        if self.moves and isinstance(self.moves[0], Speaks):
            speech = self.moves.pop(0)  # type: ignore[assignment]
        elif (key := self._peek_key()) is not None and key in terminators:
            speech = Speaks(0.0, self._take_key())
        ended_by: Literal["key", "silence", "limit", "stopped"] = "key"
        if speech.seconds >= max_seconds:
            ended_by = "limit"
        elif speech.then == "silence":
            ended_by = "silence"
        elif speech.then in ("hangup", "lost", "engine_lost"):
            ended_by = "stopped"
        recording = Recording(
            path=self._write(name, min(speech.seconds, max_seconds)),
            seconds=min(speech.seconds, max_seconds),
            ended_by=ended_by,
            digit=speech.then if ended_by == "key" else None,
        )
        self._recordings[name] = recording
        await self._moment()
        if ended_by == "stopped":
            self._ended = True
            raise HungUp("normal" if speech.then == "hangup" else speech.then)
        return recording

    def _write(self, name: str, seconds: float) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="callweave-test-"))
        path = self._folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(int(16000 * seconds) // 2 * 2))
        return path

    async def recorded(self, name: str) -> Recording | None:
        await asyncio.sleep(0)
        return self._recordings.get(name)

    async def dial(
        self,
        channel: str,
        destination: str,
        *,
        caller_id: str,
        ring_seconds: float,
        ringback: bool = True,
        agent: str = "",
    ) -> DialResult:
        await self._moment()
        if agent:
            self.agents[channel] = agent
        self.log.append(f"dial {destination} as {caller_id}")
        self.leg_states[channel] = "ringing"
        await self._moment()
        self._hang_up_if_scripted()
        result = self.legs.pop(0) if self.legs else "answered"
        if isinstance(result, str):
            codes = {"answered": 200, "busy": 486, "no_answer": 487, "rejected": 603, "failed": 503}
            result = DialResult(result, channel, codes[result])  # type: ignore[arg-type]
        self.leg_states[channel] = "up" if result.result == "answered" else "gone"
        return replace(result, channel=channel)

    async def leg(self, channel: str) -> Literal["up", "ringing", "gone"]:
        await self._moment()
        return self.leg_states.get(channel, "gone")

    async def hang_up_leg(self, channel: str) -> None:
        await self._moment()
        self.log.append(f"hang up {channel}")
        self.leg_states[channel] = "gone"

    async def talk(self, channel: str, *, release_key: str | None = None) -> Talk:
        await self._moment()
        if self.leg_states.get(channel) != "up":
            raise DriverError("not_found", f"no leg {channel}")
        self.log.append("talk")
        await self._moment()
        self._hang_up_if_scripted()
        self.leg_states[channel] = "gone"
        if release_key is not None and self._peek_key() == release_key:
            return Talk(self.conversation.seconds, "key", self._take_key())
        if self.conversation.ended_by == "caller":
            self._ended = True
        return self.conversation

    async def listen_to_music(
        self,
        until: "asyncio.Future[Any]",
        *,
        keys: frozenset[str] = frozenset(),
        seconds: float,
        music: str = "default",
    ) -> str | None:
        await self._moment()
        self.log.append("music")
        self._hang_up_if_scripted()
        while (key := self._peek_key()) is not None:
            self._take_key()
            if key in keys:
                return key
        if self.moves and isinstance(self.moves[0], Silent):
            self.moves.pop(0)
        while not until.done():
            await self._moment()
        return None

    async def pause_recording(self, paused: bool) -> None:
        await self._moment()
        self.log.append("pause" if paused else "resume")
        self.recording_paused = paused


@asynccontextmanager
async def simulated_call(
    person: Person | None = None, *, callees: Mapping[str, Callee] | None = None, language: str = "zh"
) -> AsyncIterator[tuple[Call, Line]]:
    """An answered call of the real call layer over the simulated engine, and the caller's end of it.

    A `telephony.simulated.Person` plays the caller. Use it under `telephony.simulated.run_virtual`, where waits
    cost no time: it shows timing, which `ScriptedCall` does not.
    """
    with tempfile.TemporaryDirectory(prefix="callweave-test-") as folder:
        driver = SimulatedDriver(callees=callees, folder=Path(folder))
        came: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

        async def incoming(call: LiveCall, event: Incoming) -> None:
            came.set_result(call)

        book = CallBook(
            driver,
            driver.renderer,
            ears=SimulatedEars(),
            sounds=Sounds(None),
            language=language,
            guard=GuardTimes(comfort=1e9, apology=1e9),
            on_incoming=incoming,
        )
        book.start()
        line = driver.call_in(person)
        call = await came
        await call.answer()
        try:
            yield call, line
        finally:
            await call.hang_up()
            await book.stop()
            await driver.close()


def words_of(item: Item) -> str:
    """What an item says, for tests."""
    match item:
        case Speak():
            return item.text
        case Recorded():
            return f"[{item.name}]"
        case Value():
            return f"{item.value}"
        case Audio():
            return "[message]"


# --------------------------------------------------------------------------- services


class MemoryCustomers:
    """Customers with PINs that lock after wrong tries in a row."""

    FIELDS = frozenset({"name", "card", "phones", "level", "language"})

    def __init__(self, *customers: Customer, pins: Mapping[str, str] | None = None, fields: Sequence[str] = ()) -> None:
        self.records = {customer.id: customer for customer in customers}
        self.pins = dict(pins or {})
        self.fields = frozenset(fields)
        self._wrong: dict[str, int] = {}
        self._checks: dict[str, PinCheck] = {}

    async def find(self, *, by: Literal["phone", "card", "id"], value: str) -> Customer | None:
        await asyncio.sleep(0)
        for customer in self.records.values():
            have = {"phone": customer.phones, "card": [customer.card], "id": [customer.id]}[by]
            if value and value in have:
                return customer
        return None

    async def update(self, customer_id: str, changes: Mapping[str, Any]) -> Customer:
        await asyncio.sleep(0)
        customer = self.records.get(customer_id)
        if customer is None:
            raise NodeError("not_found", f"no customer {customer_id}")
        own = dict(customer.fields)
        standard: dict[str, Any] = {}
        for name, value in changes.items():
            if name in self.FIELDS:
                standard[name] = value
            elif name in self.fields or name in own:
                own[name] = value
            else:
                raise NodeError("bad_field", f"customers have no field {name!r}")
        self.records[customer_id] = Customer.model_validate({**customer.model_dump(), **standard, "fields": own})
        return self.records[customer_id]

    async def check_pin(self, *, card: str, pin: str, tries: int, key: str) -> PinCheck:
        await asyncio.sleep(0)
        if key not in self._checks:
            self._checks[key] = await self._check(card, pin, tries)
        return self._checks[key]

    async def _check(self, card: str, pin: str, tries: int) -> PinCheck:
        customer = await self.find(by="card", value=card)
        if customer is None or card not in self.pins:
            return PinCheck(result="unknown")
        wrong = self._wrong.get(card, 0)
        if wrong >= tries:
            return PinCheck(result="locked")
        if self.pins[card] == pin:
            self._wrong[card] = 0
            return PinCheck(result="ok", left=tries, customer=customer)
        self._wrong[card] = wrong + 1
        left = tries - wrong - 1
        return PinCheck(result="wrong" if left else "locked", left=left)


class MemoryQueries:
    """Named queries as functions from parameters to rows."""

    def __init__(self, **queries: Callable[[Mapping[str, Any]], list[dict[str, Any]]]) -> None:
        self.queries = queries

    async def run(self, name: str, parameters: Mapping[str, Any], *, limit: int) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        if name not in self.queries:
            raise NodeError("unknown_query", f"there is no query {name!r}")
        try:
            rows = self.queries[name](parameters)
        except KeyError as error:
            raise NodeError("bad_parameters", f"parameter {error} is missing") from error
        return rows[:limit]


class TestWeb:
    """Real httpx requests through a transport: `httpx.MockTransport` with a handler, or the network to 127.0.0.1."""

    __test__ = False

    def __init__(
        self,
        handler: Callable[[httpx.Request], httpx.Response] | None = None,
        *,
        credentials: Mapping[str, Credential] | None = None,
        blocked: Sequence[str] = (),
    ) -> None:
        self.transport = httpx.MockTransport(handler) if handler else None
        self.credentials = dict(credentials or {})
        self.blocked = frozenset(blocked)
        self.requests: list[httpx.Request] = []

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
        await asyncio.sleep(0)
        if httpx.URL(url).host in self.blocked:
            raise NodeError("blocked_address", f"{url} may not be reached")
        if credential is not None and credential not in self.credentials:
            raise NodeError("unknown_credential", f"there is no credential {credential!r}")
        known = self.credentials[credential] if credential is not None else Credential({}, {})
        content: dict[str, Any] = {}
        if body is not None:
            content = {"content": body} if isinstance(body, str) else {"json": body}
        async with httpx.AsyncClient(transport=self.transport, timeout=timeout, trust_env=False) as client:
            request = client.build_request(
                method, url, headers={**headers, **known.headers}, params={**query, **known.query} or None, **content
            )
            self.requests.append(request)
            try:
                response = await client.send(request)
            except httpx.TimeoutException as error:
                raise NodeError("timeout", f"no answer in {timeout} s", retryable=True) from error
            except httpx.TransportError as error:
                raise NodeError("connect_failed", str(error), retryable=True) from error
        if len(response.content) > max_bytes:
            raise NodeError("too_large", f"the answer is larger than {max_bytes} bytes")
        try:
            decoded = response.json()
        except ValueError:
            decoded = response.text
        return HttpReply(response.status_code, dict(response.headers), decoded)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in the outbox of `MemoryMessages`."""

    id: str
    kind: Literal["sms", "mail"]
    to: tuple[str, ...]
    text: str
    subject: str = ""
    html: str | None = None
    attachments: tuple[Path, ...] = ()


class MemoryMessages:
    """An outbox. A key sends once."""

    def __init__(self) -> None:
        self.outbox: dict[str, Sent] = {}

    async def send_sms(self, *, to: str, text: str, key: str, run_id: str = "") -> str:
        await asyncio.sleep(0)
        return self.outbox.setdefault(key, Sent(f"message-{len(self.outbox) + 1}", "sms", (to,), text)).id

    async def send_mail(
        self,
        *,
        to: Sequence[str],
        subject: str,
        text: str,
        html: str | None,
        attachments: Sequence[Path],
        key: str,
        run_id: str = "",
    ) -> str:
        await asyncio.sleep(0)
        mail = Sent(f"message-{len(self.outbox) + 1}", "mail", tuple(to), text, subject, html, tuple(attachments))
        return self.outbox.setdefault(key, mail).id


class MemoryCalendars:
    """Calendars that stand at a fixed state, or follow a function of the time."""

    def __init__(self, **calendars: HoursState | Callable[[datetime], HoursState]) -> None:
        self.calendars = calendars

    async def state(self, calendar: str, at: datetime) -> HoursState:
        await asyncio.sleep(0)
        known = self.calendars.get(calendar)
        if known is None:
            raise NodeError("unknown_calendar", f"there is no calendar {calendar!r}")
        return known if isinstance(known, HoursState) else known(at)


class MemoryLists:
    """Number lists."""

    def __init__(self, **lists: Sequence[str]) -> None:
        self.lists = {name: frozenset(numbers) for name, numbers in lists.items()}

    async def match(self, list_name: str, number: str) -> bool:
        await asyncio.sleep(0)
        if list_name not in self.lists:
            raise NodeError("unknown_list", f"there is no list {list_name!r}")
        return number in self.lists[list_name]


@dataclass(frozen=True, slots=True)
class Message:
    """A voicemail in `MemoryVoicemails`."""

    id: str
    box: str
    call_id: str
    caller: str
    recording: Path
    seconds: float
    callback_number: str | None
    complete: bool


class MemoryVoicemails:
    """Voicemail messages by the key that saved them."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}

    async def saved(self, key: str) -> SavedVoicemail | None:
        await asyncio.sleep(0)
        known = self.messages.get(key)
        return SavedVoicemail.model_validate(known, from_attributes=True) if known is not None else None

    async def save(
        self,
        *,
        key: str,
        box: str,
        call_id: str,
        caller: str,
        recording: Path,
        seconds: float,
        callback_number: str | None,
        complete: bool,
    ) -> str:
        await asyncio.sleep(0)
        if not recording.exists():  # noqa: ASYNC240 - a test double
            raise NodeError("no_recording", f"{recording} does not exist")
        known = self.messages.get(key)
        id = known.id if known else f"voicemail-{len(self.messages) + 1}"
        self.messages[key] = Message(id, box, call_id, caller, recording, seconds, callback_number, complete)
        return id


class MemoryTasks:
    """Tasks by the key that made them; ``runs`` are told of their end."""

    def __init__(self, *, agents: Sequence[str] = ()) -> None:
        self.agents = frozenset(agents)
        self.tasks: dict[str, TaskToDo] = {}
        self.runs: dict[str, str] = {}

    async def create(self, task: TaskToDo, *, key: str, run_id: str) -> str:
        await asyncio.sleep(0)
        if task.assignee and task.assignee not in self.agents:
            raise NodeError("unknown_agent", f"there is no agent {task.assignee!r}")
        self.tasks.setdefault(key, task)
        id = f"task-{list(self.tasks).index(key) + 1}"
        if run_id:
            self.runs[id] = run_id
        return id


class MemoryDialler:
    """Calls by the key that placed them. ``results`` come in order; without any left the result comes by a signal."""

    def __init__(self, *results: PlacedCall | NodeError) -> None:
        self.results = list(results)
        self.placed: dict[str, tuple[str, str]] = {}

    async def call(self, *, number: str, connect: str, flow: str, caller_id: str, key: str, run_id: str) -> PlacedCall:
        await asyncio.sleep(0)
        result = self.results.pop(0) if self.results else PlacedCall(call_id=f"call-{len(self.placed) + 1}")
        if isinstance(result, NodeError):
            raise result
        self.placed.setdefault(key, (number, connect or flow))
        return result


class MemoryTelephones:
    """A number plan: 3 to 6 digits are extensions, longer numbers go to one trunk."""

    def __init__(self, *, caller_id: str = "02112345678", fallback: str = "8001", barred: Sequence[str] = ()) -> None:
        self._caller_id = caller_id
        self._fallback = fallback
        self.barred = frozenset(barred)

    async def destination(self, number: str) -> str:
        await asyncio.sleep(0)
        if number in self.barred:
            raise NodeError("not_allowed", f"{number} may not be dialled")
        if not re.fullmatch(r"\+?[0-9]{3,15}", number):
            raise NodeError("bad_number", f"{number!r} is no telephone number")
        return f"extension:{number}" if len(number) <= 6 else f"trunk:main:{number}"

    async def caller_id(self, destination: str = "") -> str:
        await asyncio.sleep(0)
        return self._caller_id

    def fallback_number(self) -> str:
        return self._fallback


class TestSecrets:
    """Sealing with a key of its own."""

    __test__ = False
    REFERENCE = re.compile(r"enc:v1:([A-Za-z0-9_=-]+)")

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def seal(self, value: str) -> str:
        return f"enc:v1:{self._fernet.encrypt(value.encode()).decode()}"

    def reveal(self, value: str) -> str:
        return self.REFERENCE.sub(lambda found: self._fernet.decrypt(found[1].encode()).decode(), value)


@dataclass(frozen=True, slots=True)
class MemoryServices(Services):
    """All services in memory, typed as the doubles that they are."""

    customers: MemoryCustomers = field(default_factory=MemoryCustomers)
    queries: MemoryQueries = field(default_factory=MemoryQueries)
    web: TestWeb = field(default_factory=TestWeb)
    messages: MemoryMessages = field(default_factory=MemoryMessages)
    calendars: MemoryCalendars = field(default_factory=MemoryCalendars)
    lists: MemoryLists = field(default_factory=MemoryLists)
    voicemails: MemoryVoicemails = field(default_factory=MemoryVoicemails)
    tasks: MemoryTasks = field(default_factory=MemoryTasks)
    dialler: MemoryDialler = field(default_factory=MemoryDialler)
    telephones: MemoryTelephones = field(default_factory=MemoryTelephones)
    queues: MemoryQueues = field(default_factory=lambda: MemoryQueues(QueueAgent()))
    secrets: TestSecrets = field(default_factory=TestSecrets)


# --------------------------------------------------------------------------- running


class ContractBrokenError(AssertionError):
    """The node did something that it does not declare."""


def context(
    node: Node[Any],
    *,
    call: Call | None = None,
    services: Services | None = None,
    language: str = "zh",
    shortcuts: Sequence[str] = (),
    now: datetime = NOON,
    step: int = 1,
    attempt: int = 1,
) -> Context:
    """A context as the runner makes it."""
    return Context(
        run_id="test-run",
        step=step,
        attempt=attempt,
        node_id=node.meta.type.rpartition(".")[2],
        business_id="test",
        now=now,
        services=services or MemoryServices(),
        language=language,
        shortcuts=frozenset(shortcuts),
        maybe_call=call,
    )


def flow_scope(
    *,
    now: datetime = NOON,
    variables: Mapping[str, Any] | None = None,
    call: Mapping[str, Any] | None = None,
    customer: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    visits: int = 0,
    draw: float = 0.5,
) -> FlowScope:
    """What an IN_WORKFLOW node sees."""
    return FlowScope(
        now=now,
        variables=variables or {},
        call=call or {},
        customer=customer or {},
        outputs=outputs or {},
        visits=visits,
        draw=draw,
    )


async def run_node(
    node: Node[Any],
    config: Mapping[str, Any] | None = None,
    *,
    call: Call | None = None,
    services: Services | None = None,
    language: str = "zh",
    shortcuts: Sequence[str] = (),
    now: datetime = NOON,
    step: int = 1,
    attempt: int = 1,
    scope: FlowScope | None = None,
    woken: Sequence[Woken] = (),
) -> Outcome:
    """Run one node as the engine would, with a rendered config, and check that it keeps the contract.

    An IN_WORKFLOW node is decided with `scope` and, when it waits, resumed with `woken`, one after the other; so is
    any other node that leaves with `Outcome.waiting`.
    A node that needs a call gets one whose caller does nothing, unless `call` is given.
    """
    if call is None and node.meta.runs.needs_call:
        call = ScriptedCall()
    typed = node.Config.model_validate(dict(config or {}))
    if node.meta.runs is Runs.IN_WORKFLOW:
        outcome = _decide(node, typed, scope or flow_scope(now=now), woken)
    else:
        ctx = context(
            node,
            call=call,
            services=services,
            language=language,
            shortcuts=shortcuts,
            now=now,
            step=step,
            attempt=attempt,
        )
        outcome = await _run(node, typed, ctx)
        if outcome.wait is not None:
            outcome = _resume(node, typed, scope or flow_scope(now=now), outcome.wait, woken)
    check_outcome(node, typed, outcome, shortcuts)
    return outcome


def _decide(node: Node[Any], config: Any, scope: FlowScope, woken: Sequence[Woken]) -> Outcome:
    return _resume(node, config, scope, node.decide(scope, config), woken)


def _resume(
    node: Node[Any], config: Any, scope: FlowScope, result: Outcome | WaitFor, woken: Sequence[Woken]
) -> Outcome:
    for wake in woken:
        if not isinstance(result, WaitFor):
            raise ContractBrokenError(f"{node.meta.type} does not wait any more, but {wake} was to come")
        result = node.resume(scope, config, wake.model_copy(update={"memory": result.memory}))
    if isinstance(result, WaitFor):
        raise ContractBrokenError(f"{node.meta.type} still waits for {result!r}: say what wakes it with woken=[...]")
    return result


async def _run(node: Node[Any], config: Any, ctx: Context) -> Outcome:
    try:
        return await node.run(ctx, config)
    except HungUp:
        return Outcome(port=HANGUP, outputs=ctx.partial, said=ctx.said)
    except NodeError as error:
        failure = error.failure
        return Outcome.error(failure.reason, failure.message, retryable=failure.retryable)


def check_outcome(node: Node[Any], config: Any, outcome: Outcome, shortcuts: Sequence[str] = ()) -> None:
    """Raise `ContractBrokenError` when a port or output is not declared."""
    ports = {port.name for port in node.all_ports(config)}
    if node.meta.runs is Runs.IN_WORKFLOW or type(node).resume is not Node.resume:
        ports.add(HANGUP)  # a wait is over when the caller leaves
    if node.meta.runs.needs_call:
        ports |= {f"{SHORTCUT_PREFIX}{key}" for key in shortcuts}
    if outcome.port not in ports:
        raise ContractBrokenError(f"{node.meta.type} fired {outcome.port!r}; declared: {', '.join(sorted(ports))}")
    declared = {output.name for output in node.outputs(config)} | {"error"}
    if undeclared := outcome.outputs.keys() - declared:
        raise ContractBrokenError(f"{node.meta.type} left undeclared outputs: {', '.join(sorted(undeclared))}")


# --------------------------------------------------------------------------- examples


@dataclass(frozen=True)
class Example:
    """One execution for the conformance test: a config, a caller or services, and the port that must fire.

    `call` and `services` are made anew for every run, so they are given as functions.
    """

    port: str
    config: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[[], ScriptedCall] | None = None
    services: Callable[[], Services] = MemoryServices
    scope: FlowScope | None = None
    woken: Sequence[Woken] = ()
    shortcuts: Sequence[str] = ()
