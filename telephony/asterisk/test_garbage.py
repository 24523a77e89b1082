"""Whatever Asterisk's socket brings, the driver goes on: mutated messages, nonsense, broken frames, wrong answers.

``recorded_messages.json`` holds messages of a real Asterisk, one of each kind and state.
"""

import asyncio
import contextlib
import copy
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve

from telephony import observer
from telephony.asterisk import ari
from telephony.asterisk.driver import AsteriskDriver
from telephony.asterisk.testing import Events
from telephony.driver import (
    BridgeEntered,
    BridgeLeft,
    Digit,
    Event,
    Hangup,
    Incoming,
    PlaybackFinished,
    RecordingFinished,
    TalkingStopped,
    TransferRequested,
)
from telephony.errors import DriverError

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded_messages.json").read_text())
EVENTS = [message for message in RECORDED if message["type"] not in ("RESTResponse", "ApplicationReplaced")]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "\0", "../../etc/passwd", "\ud800", "9" * 2_000, "tap-", "💥", "c-clean", "incoming", "NaN"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
Path_ = tuple[Any, ...]


def places(value: Any, at: Path_ = ()) -> list[Path_]:
    """Every place inside a JSON value."""
    found = [at] if at else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        found += places(child, (*at, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, of: Sequence[dict[str, Any]] = EVENTS) -> str:
    """The text of a recorded message with some of its values replaced, gone or moved, sometimes cut or scrambled."""
    message = copy.deepcopy(draw(st.sampled_from(of)))
    for _ in range(draw(st.integers(0, 4))):
        where = draw(st.sampled_from(places(message) or [("type",)]))
        holder: Any = message
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for key in where[:-1]:
                holder = holder[key]
            match draw(st.integers(0, 3)):
                case 0:
                    del holder[where[-1]]
                case 1:
                    holder[where[-1]] = copy.deepcopy(draw(st.sampled_from(of)))
                case _:
                    holder[where[-1]] = draw(JUNK)
    text = json.dumps(message)
    match draw(st.integers(0, 9)):
        case 0:
            cut = draw(st.integers(0, len(text)))
            return text[:cut]
        case 1:
            return draw(st.sampled_from(["", "[]", "1", "null", '"x"', "[" * 3_000, "{}", '{"type": 5}', "\x00"]))
        case _:
            return text


class Told(observer.Nobody):
    def __init__(self) -> None:
        self.refused: list[str] = []

    def event_refused(self, kind: str) -> None:
        self.refused.append(kind)


@pytest.fixture(autouse=True)
def refused() -> Any:
    told = Told()
    observer.observe_with(told)
    yield told.refused
    observer.observe_with(observer.Nobody())


def channel(id: str, state: str = "Ring") -> dict[str, Any]:
    return {"id": id, "state": state, "caller": {"name": "Ann", "number": "5550001"}, "dialplan": {"exten": "100"}}


def whole_call(id: str) -> list[str]:
    """What Asterisk says of one call with one key."""
    return [
        json.dumps({"type": "StasisStart", "args": ["incoming", "extension", "8001"], "channel": channel(id)}),
        json.dumps({"type": "ChannelDtmfReceived", "digit": "5", "channel": channel(id, "Up")}),
        json.dumps({"type": "ChannelDestroyed", "cause": 16, "tech_cause": 0, "channel": channel(id, "Up")}),
    ]


HEARD = [Incoming("c-clean", "5550001", "100", "Ann"), Digit("c-clean", "5"), Hangup("c-clean", "cancelled", 0, 16)]


class Texts:
    """A socket that has these messages and then ends."""

    def __init__(self, *texts: str | bytes) -> None:
        self.texts = texts

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        for text in self.texts:
            yield text


def sensible(event: Event) -> None:
    """What the product may rely on in every event."""
    for name in ("channel", "bridge", "playback", "name", "target"):
        value = getattr(event, name, "")
        assert isinstance(value, str) and len(value) <= 255, event
    match event:
        case Digit(digit=digit):
            assert digit in "0123456789*#ABCD" and len(digit) == 1
        case Incoming():
            assert len(event.caller) <= 64 and len(event.called) <= 64 and len(event.caller_name) <= 200
            shown = event.caller + event.called + event.caller_name + event.trunk + event.sip_call_id
            assert shown.isprintable()
            shown.encode()
            assert type(event.anonymous) is bool
        case Hangup():
            assert type(event.sip_code) is int and type(event.q850) is int
        case TalkingStopped():
            assert event.seconds >= 0
        case RecordingFinished():
            assert event.path.parent == Path("/nowhere"), "no name leads out of the folder"
        case PlaybackFinished():
            assert type(event.failed) is bool
        case BridgeEntered() | BridgeLeft() | TransferRequested():
            pass
        case _:
            pass


async def survives(texts: Sequence[str]) -> None:
    driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))
    events = Events(driver)
    try:
        await driver._ari._read(cast(ClientConnection, Texts(*texts)))
        for event in events.all:
            sensible(event)
        if any("c-clean" in text for text in texts):
            return  # The mutation made this very id its own.
        await driver._ari._read(cast(ClientConnection, Texts(*whole_call("c-clean"))))
        assert [event for event in events.all if getattr(event, "channel", "") == "c-clean"] == HEARD
    finally:
        await driver.close()


SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@given(st.lists(mutated(), min_size=1, max_size=6))
@settings(max_examples=400, deadline=None, suppress_health_check=SLOW)
async def test_mutated_events_leave_a_driver_that_hears_the_next_call(texts: list[str]) -> None:
    await survives(texts)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(st.lists(mutated(), min_size=1, max_size=20))
@settings(max_examples=10_000, deadline=None, suppress_health_check=SLOW)
async def test_many_mutated_events(texts: list[str]) -> None:
    await survives(texts)


async def test_a_call_whose_end_makes_no_sense_ends_all_the_same() -> None:
    """The far end is gone whatever the cause says: a call that is kept for ever would hold its flow for ever."""
    causes: list[Any] = ["16", None, [], {}, 1e300, -5, True]
    for cause in causes:
        driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))
        events = Events(driver)
        start, _, _ = whole_call("c-clean")
        end = {"type": "ChannelDestroyed", "cause": cause, "tech_cause": cause, "channel": channel("c-clean")}
        await driver._ari._read(cast(ClientConnection, Texts(start, json.dumps(end))))
        assert events.of(Hangup) == [Hangup("c-clean", "cancelled", 0, 0)]
        await driver.close()


async def test_a_caller_cannot_smuggle_lines_or_endless_names() -> None:
    driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))
    events = Events(driver)
    evil = channel("c1") | {"caller": {"name": "A\r\nB\0\u202e" + "x" * 100_000, "number": "1" * 500}}
    evil |= {"dialplan": {"exten": "1" * 500}, "protocol_id": "p" * 5000}
    message = {"type": "StasisStart", "args": ["incoming", "trunk", "trunk-city"], "channel": evil}
    await driver._ari._read(cast(ClientConnection, Texts(json.dumps(message))))
    (incoming,) = events.of(Incoming)
    sensible(incoming)
    assert incoming.caller_name.startswith("A  B  x")
    assert incoming.trunk == "city"
    await driver.close()


async def test_what_is_left_aside_is_counted(refused: list[str], caplog: pytest.LogCaptureFixture) -> None:
    driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))
    pressed = json.dumps({"type": "ChannelDtmfReceived", "channel": channel("c1"), "digit": "77"})
    await driver._ari._read(cast(ClientConnection, Texts("nonsense", b"\xff\xfe", "[]", pressed, '{"type": "New"}')))
    assert refused == ["unreadable", "unreadable", "unreadable", "failed"]
    assert len([one for one in caplog.records if "could not be used" in one.message]) == 1, "no flood"
    assert "77" not in caplog.text, "what was pressed is nobody's business"
    await driver.close()


# --------------------------------------------------------------------------- over a real socket


Reply = Callable[[dict[str, Any]], dict[str, Any]]
Act = Callable[[ServerConnection], Awaitable[None]]

ANSWERS: dict[str, Any] = {"asterisk/variable": {"value": "boot-1"}, "channels": [], "bridges": []}


def sane(request: dict[str, Any]) -> dict[str, Any]:
    """The answer that an Asterisk without calls gives."""
    body = ANSWERS.get(request["uri"])
    return {
        "type": "RESTResponse",
        "request_id": request["request_id"],
        "status_code": 200 if body is not None else 204,
        "reason_phrase": "OK",
        "message_body": json.dumps(body) if body is not None else "",
    }


@asynccontextmanager
async def far_end(*visits: tuple[Reply, Act]) -> AsyncIterator[str]:
    """A WebSocket server in Asterisk's place. Each connection is one visit; the last one is for all that follow."""
    count = 0

    async def visit(socket: ServerConnection) -> None:
        nonlocal count
        reply, act = visits[min(count, len(visits) - 1)]
        count += 1

        async def answer() -> None:
            async for text in socket:
                with contextlib.suppress(Exception):
                    await socket.send(json.dumps(reply(json.loads(text))))

        answering = asyncio.create_task(answer())
        try:
            await act(socket)
            await answering
        finally:
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await answering

    async with serve(visit, "127.0.0.1", 0, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def nothing(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def one_call(socket: ServerConnection) -> None:
    await asyncio.sleep(0.1)
    for text in whole_call("c-clean"):
        await socket.send(text)
    await socket.wait_closed()


async def garbage(socket: ServerConnection) -> None:
    """Messages of every wrong kind, and then a call."""
    await asyncio.sleep(0.1)
    chance = random.Random(4711)
    await socket.send(b"\x00\xff" * 1000)
    await socket.send("x" * 8_000_000)
    await socket.send("[" * 200_000)
    await socket.send('{"type": "RESTResponse", "request_id": ["1"], "status_code": {}}')
    await socket.send('{"type": "RESTResponse"}')
    await socket.send('{"type": "NeverHeardOf", "channel": {"id": 7}}')
    for message in RECORDED:
        if message["type"] == "ApplicationReplaced":
            continue
        text = json.dumps(message)
        at = chance.randrange(len(text))
        await socket.send(text[:at] + chance.choice('{}[]",:\x01x') + text[at + 1 :])
    for text in whole_call("c-clean"):
        await socket.send(text)
    await socket.wait_closed()


async def half_a_frame(socket: ServerConnection) -> None:
    """The head of a frame of a megabyte, a few bytes of it, and then silence and the end of the wire."""
    await asyncio.sleep(0.1)
    socket.transport.write(b"\x81\x7f" + (1_000_000).to_bytes(8, "big") + b'{"type": "Chan')
    await asyncio.sleep(0.1)
    socket.transport.abort()


async def broken_frames(socket: ServerConnection) -> None:
    """Bytes that are no frames."""
    await asyncio.sleep(0.1)
    socket.transport.write(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)))
    await socket.wait_closed()


async def too_large(socket: ServerConnection) -> None:
    await asyncio.sleep(0.1)
    with contextlib.suppress(Exception):
        await socket.send(" " * (ari.MAX_MESSAGE + 1))
    await socket.wait_closed()


async def hears_the_call(url: str) -> None:
    driver = AsteriskDriver(url, "u", "p", recordings=Path("/nowhere"))
    events = Events(driver)
    try:
        await driver.connect()
        await events.wait(Hangup, timeout=20, channel="c-clean")
        assert [event for event in events.all if getattr(event, "channel", "") == "c-clean"] == HEARD
    finally:
        await driver.close()


async def test_garbage_on_the_socket_hides_no_call() -> None:
    async with far_end((sane, garbage)) as url:
        await hears_the_call(url)


@pytest.mark.parametrize("act", [half_a_frame, broken_frames, too_large])
async def test_a_socket_that_breaks_is_opened_again(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ari, "MAX_MESSAGE", 2_000_000)
    async with far_end((sane, act), (sane, one_call)) as url:
        await hears_the_call(url)


def _body(value: Any) -> Reply:
    """Answers whose body is `value`, whatever was asked."""

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        return sane(request) | {"status_code": 200, "message_body": json.dumps(value)}

    return reply


def _fields(**fields: Any) -> Reply:
    return lambda request: sane(request) | fields


SENSELESS: list[Reply] = [
    _body(None),
    _body([None, 5, "x"]),
    _body({"value": {"value": []}}),
    _body([{"id": "c1"}]),
    _body([{"id": "c1", "creationtime": "yesterday", "dialplan": 7}]),
    _fields(message_body="{"),
    _fields(message_body="[" * 100_000),
    _fields(message_body={"no": "text"}),
    _fields(status_code="200"),
    _fields(status_code=None),
]


@pytest.mark.parametrize("reply", SENSELESS, ids=range(len(SENSELESS)))
async def test_senseless_answers_while_connecting_delay_and_do_not_end_it(reply: Reply) -> None:
    async def close_soon(socket: ServerConnection) -> None:
        await asyncio.sleep(0.3)
        await socket.close()

    async with far_end((reply, close_soon), (sane, one_call)) as url:
        await hears_the_call(url)


@pytest.mark.parametrize("reply", SENSELESS, ids=range(len(SENSELESS)))
async def test_senseless_answers_to_commands_are_driver_errors(reply: Reply) -> None:
    connected = False

    def later(request: dict[str, Any]) -> dict[str, Any]:
        return reply(request) if connected else sane(request)

    async with far_end((later, nothing)) as url:
        driver = AsteriskDriver(url, "u", "p", recordings=Path("/nowhere"))
        await driver.connect()
        connected = True
        try:
            for command in (
                lambda: driver.answer("c1"),
                lambda: driver.play("c1", "p1", [Path("/sounds/one.wav")]),
                lambda: driver.create_bridge("b1"),
                lambda: driver.originate("c2", "extension:8001", caller_id="", timeout=5),
                driver.snapshot,
                lambda: driver.recording("r1"),
            ):
                with contextlib.suppress(DriverError):
                    await command()
            assert driver.connected
        finally:
            await driver.close()
