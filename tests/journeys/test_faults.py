"""When things go wrong under a call: killed processes, an absent Temporal, failing nodes, callers who leave."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from backend.calls.models import Leg
from backend.database import Database, read
from backend.effects.models import EffectRecord
from backend.messages.models import OutboxMessage
from backend.runtime.testing import Product
from backend.voicemails.models import Voicemail
from bench.sip_caller import CallRefusedError, SipCaller
from telephony.speech.audio import RATE
from telephony.speech.builtin import builtin
from tests.journeys import scenes
from tests.journeys.scenes import (
    both_talk,
    document,
    hears,
    hears_words,
    in_recording,
    node,
    spoken,
    tone,
    until,
    words,
)
from tests.journeys.walker import Caller, Walker
from tests.phones.audio import contains, find, has_tone, load, longest_silence
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

OPENING = [("answer", "next"), ("blocked", "not_listed"), ("greeting", "next"), ("language", "next"), ("hours", "open")]
MENU = (
    "For your balance and points, press 1. For our latest news, press 2. To leave us a message, press 3. "
    "To finish, press 9. To speak to a person, press 0 at any time."
)
GOODBYE = "Thank you for calling. Goodbye."
LEAVE_MESSAGE = "Please leave a message after the tone, and press hash when you have finished."
REVIEW = (
    "To listen to your message press 1, to record it again press 2, to leave a callback number press 3. "
    "To keep it, press hash or hang up."
)
PROMPT_SECONDS = 5.0
"""From the kill of the Python process to the next prompt."""
SILENT_SECONDS = 2.0
"""The longest silence that a caller may sit in."""
ENGINE_SECONDS = 5.0
"""From the kill of Asterisk to the next answered call."""


async def to_menu(walker: Walker) -> None:
    """Dial the hotline in English; returns when the caller stands in the main menu."""
    await walker.dial()
    await walker.press("greeting", "2")
    await walker.at("menu")


@pytest.fixture
def explain(product: Product) -> Iterator[None]:
    """The product's logs beside a failure: they are the only trace of what other processes did."""
    yield
    print(product.log())  # noqa: T201  shown by pytest for failed tests only


# --------------------------------------------------------------------------- the Python process is killed


async def test_a_killed_process_costs_the_caller_a_moment(
    caller: Caller, product: Product, database: Database, explain: None
) -> None:
    walker = await caller()
    await to_menu(walker)
    call = walker.call
    menu = await spoken(walker, MENU)
    # The worst moment: the prompt is over, nothing plays that could outlive the process.
    await hears(call, menu[-2 * RATE :], timeout=25)
    product.kill_python()
    killed = in_recording(call)
    again = await hears(call, menu[: 3 * RATE], after=killed, timeout=25)
    waited = again.start - killed
    silent = longest_silence(load(call.heard)[round(killed * RATE) : round(again.start * RATE)])
    print(f"kill to the next prompt {waited:.2f} s, longest silence {silent:.2f} s")  # noqa: T201
    assert call.state == "confirmed"
    assert waited <= PROMPT_SECONDS
    assert silent <= SILENT_SECONDS
    await call.press("2")
    await walker.press("menu", "9", visit=2)
    run = await walker.finished()
    assert run.state == "completed"
    path = await walker.path()
    assert path == [
        *OPENING,
        ("menu", "2"),
        ("news", "next"),
        ("menu", "9"),
        ("goodbye", "next"),
        ("hang_up", "next"),
    ]
    record = await walker.record()
    assert record is not None and record.cause == "normal" and record.ended_at and record.answered_at
    recorded = await scenes.recording_of(product, database, record.id)
    lasted = (record.ended_at - record.answered_at).total_seconds()
    assert len(recorded) / RATE == pytest.approx(lasted, abs=1.5), "the recording has a gap"
    first, second = find(menu, recorded), find(await spoken(walker, GOODBYE), recorded)
    assert first.score > 0.8 and second.score > 0.8 and first.start < second.start


async def test_a_call_is_recorded_whose_process_is_killed_as_it_answers(
    caller: Caller, product: Product, database: Database, explain: None
) -> None:
    walker = await caller()
    await walker.dial()
    await until(walker.record, "the record of the call")
    product.kill_python()
    await walker.at("language")
    await asyncio.sleep(2)
    await walker.call.hang_up()
    await walker.closed()
    record = await walker.record()
    assert record is not None and record.answered_at
    assert len(await scenes.recording_of(product, database, record.id)) > RATE


LONG = " ".join(["Our offers.", *(f"Offer number {number} is better than all before." for number in range(2, 18))])
CHOSEN = "You have chosen the first of all offers."


async def test_a_prompt_that_outlives_its_process_holds_nobody_up(
    caller: Caller, product: Product, explain: None
) -> None:
    walker = await caller()
    offers = document(
        "offers",
        {
            "answer": node("voice.answer"),
            "menu": node("voice.menu", prompt=words(LONG), choices=[{"key": "1"}], timeout=50),
            "chosen": node("voice.say", prompt=words(CHOSEN)),
            "bye": node("voice.hangup"),
        },
        ["answer.next>menu", "menu.1>chosen", "menu.timeout>bye", "menu.invalid>bye", "chosen.next>bye"],
    )
    await scenes.put_live(product, offers, "714")
    await walker.dial("714")
    await walker.at("menu")
    call = walker.call
    prompt = await spoken(walker, LONG)
    assert len(prompt) > 25 * RATE, "the prompt must be longer than the process needs to come back"
    await hears(call, prompt[2 * RATE : 4 * RATE], timeout=15)
    product.kill_python()
    killed = in_recording(call)
    again = await hears(call, prompt[: 3 * RATE], after=killed, timeout=25)
    print(f"kill to the prompt from its beginning {again.start - killed:.2f} s")  # noqa: T201
    assert again.start - killed <= PROMPT_SECONDS
    pressed = in_recording(call)
    await call.press("1")
    chosen = await hears_words(walker, CHOSEN, after=pressed)
    print(f"key to the next prompt {chosen.start - pressed:.2f} s")  # noqa: T201
    assert chosen.start - pressed <= PROMPT_SECONDS
    silent = longest_silence(load(call.heard)[round(killed * RATE) : round(chosen.start * RATE)])
    assert silent <= SILENT_SECONDS
    assert (await walker.finished()).state == "completed"
    assert await walker.path() == [("answer", "next"), ("menu", "1"), ("chosen", "next"), ("bye", "next")]


async def test_a_message_outlives_a_killed_process(
    caller: Caller, product: Product, tmp_path: Path, explain: None
) -> None:
    walker = await caller()
    await to_menu(walker)
    await walker.press("menu", "3")
    await walker.at("voicemail")
    call = walker.call
    await hears_words(walker, LEAVE_MESSAGE)
    await asyncio.sleep(1.0)  # the tone
    await call.play(tone(tmp_path / "before.wav", 500, 2))
    product.kill_python()
    killed = time.monotonic()
    await asyncio.sleep(0.5)
    # They go on talking: nothing tells them that anything has happened.
    await call.play(tone(tmp_path / "after.wav", 900, 4))
    await product.healthy()
    assert time.monotonic() - killed < 25
    await call.press("#")
    await hears_words(walker, REVIEW, after=in_recording(call))
    await call.press("#")
    await walker.finished()
    assert ("voicemail", "next") in await walker.path()
    message = await walker.voicemail()
    assert message.complete
    kept = load(product.home / "recordings" / message.path)
    assert find(load(tmp_path / "before.wav")[RATE // 2 : RATE * 3 // 2], kept).score > 0.9
    assert find(load(tmp_path / "after.wav")[RATE // 2 : RATE * 7 // 2], kept).score > 0.9
    assert message.seconds == pytest.approx(6.5, abs=2.5)


async def test_a_phone_that_rings_goes_on_ringing_over_a_killed_process(
    caller: Caller, agent: Phone, product: Product, tmp_path: Path, explain: None
) -> None:
    walker = await caller()
    await scenes.put_live(product, effects("http://127.0.0.1:9"), "712")
    await walker.dial("712")
    await walker.at("menu")
    await walker.call.press("3")
    ringing = await agent.incoming(timeout=20)
    await ringing.ring()
    await asyncio.sleep(1)
    product.kill_python()
    await asyncio.sleep(0.5)
    await product.healthy()
    assert ringing.state == "early" and walker.call.state == "confirmed"
    await ringing.answer()
    await ringing.confirmed()
    await both_talk(walker.call, ringing, tmp_path)
    await ringing.hang_up()
    run = await walker.finished(60)
    assert run.state == "completed"
    assert ("person", "done") in await walker.path()
    assert len([call for call in agent.calls.values() if call.remote]) == 1, "the phone was dialled twice"
    await scenes.no_channels(product)


# --------------------------------------------------------------------------- Asterisk is killed


async def test_calls_of_a_killed_engine_are_closed_and_new_ones_work(
    caller: Caller, product: Product, database: Database, explain: None
) -> None:
    walker = await caller()
    await to_menu(walker)
    menu = await spoken(walker, MENU)
    await hears(walker.call, menu[: 6 * RATE])
    record = await walker.record()
    assert record is not None
    product.kill_asterisk()
    killed = time.monotonic()
    number = f"{walker.number}9"
    async with SipCaller() as phone:
        while True:
            try:
                call = await phone.call(f"sip:100@127.0.0.1:{product.sip_port}", caller=number, timeout=1.0)
                break
            except (CallRefusedError, TimeoutError):
                assert time.monotonic() - killed < 30, "no new call is answered"
        waited = time.monotonic() - killed
        print(f"kill of Asterisk to the next answer {waited:.2f} s")  # noqa: T201
        assert waited <= ENGINE_SECONDS

        run = await walker.closed()
        closed = await walker.record()
        assert closed is not None and closed.id == record.id
        assert (closed.cause, run.state) == ("engine_lost", "hangup")
        path = await walker.path()
        assert path[:-1] == [*OPENING, ("menu", "hangup"), ("left", "next")]
        assert path[-1][0] == "left_end"
        # Asterisk had not yet written the last two seconds.
        recorded = await scenes.recording_of(product, database, record.id)
        assert contains(menu[: 3 * RATE], recorded)

        async def greeted() -> bool:
            return await asyncio.to_thread(lambda: any(packet.payload.strip(b"\xd5") for packet in call.packets))

        await until(greeted, "the new caller hears the greeting")
        await call.hang_up()
    await until(lambda: over(database, number), "the records of the new call")


async def over(database: Database, number: str) -> bool:
    """Whether all calls of a number are closed in the records."""
    found = await scenes.calls_of(database, number)
    return bool(found) and all(call.state == "ended" for call in found)


# --------------------------------------------------------------------------- Temporal is away


async def test_without_temporal_callers_get_comfort_then_a_person(
    caller: Caller, agent: Phone, product: Product, database: Database, tmp_path: Path, explain: None
) -> None:
    walker, later = await caller(), await caller()
    await to_menu(walker)
    call = walker.call
    with product.temporal_away():
        await call.press("2")
        pressed = in_recording(call)
        # Comfort audio until the apology, which comes after half a minute.
        apology = builtin("apology_transfer", "en")
        sorry = await hears_words(walker, apology, after=pressed, timeout=60)
        waited = sorry.start - pressed
        silent = longest_silence(load(call.heard)[round(pressed * RATE) : round(sorry.start * RATE)])
        print(f"Temporal away: apology after {waited:.1f} s, longest silence {silent:.2f} s")  # noqa: T201
        assert 29.0 <= waited <= 36.0
        assert silent <= SILENT_SECONDS
        theirs = await agent.incoming(timeout=20)
        await theirs.answer()
        await theirs.confirmed()
        await both_talk(call, theirs, tmp_path)
    await asyncio.sleep(2)  # the flow is back, and leaves the two alone
    assert call.state == theirs.state == "confirmed"
    await theirs.hang_up()
    run = await walker.finished()
    assert run.state == "hangup"
    path = await walker.path()
    # The menu's outcome may have been lost with Temporal; then the menu ends with the call.
    assert path[: len(OPENING)] == OPENING and path[len(OPENING)] in (("menu", "2"), ("menu", "hangup"))
    assert [name for name, _ in path[-2:]] == ["left", "left_end"]
    await to_menu(later)
    await later.press("menu", "9")
    assert (await later.finished()).state == "completed"


# --------------------------------------------------------------------------- effects happen once


class Shop:
    """A web service that counts what it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answering = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(head.split()[1])
            await self.answering.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
        made.answering.set()


def effects(url: str) -> scenes.Document:
    """One effect behind each key."""
    return document(
        "effects",
        {
            "answer": node("voice.answer"),
            "menu": node(
                "voice.menu",
                prompt=words("Choose an effect."),
                choices=[{"key": key} for key in "1234"],
                timeout=50,
            ),
            "sms": node("messaging.sms", to="13800138000", text="{{ call.caller }}"),
            "order": node("web.http", method="POST", url=url + "/{{ call.caller }}", timeout=40),
            "person": node("voice.dial", number="8001", ring_seconds=40),
            "message": node("voice.record", box="effects", max_silence=0),
            "good": node("voice.say", prompt=words("It has happened.")),
            "bad": node("voice.say", prompt=words("Nobody knows what has happened.")),
            "bye": node("voice.hangup"),
        },
        [
            "answer.next>menu",
            *("menu.1>sms", "menu.2>order", "menu.3>person", "menu.4>message", "menu.timeout>bye", "menu.invalid>bye"),
            *("sms.next>good", "order.next>good", "person.done>good", "message.next>good"),
            *("sms.error>bad", "order.error>bad", "order.http_error>bad", "person.error>bad", "message.error>bad"),
            *("person.busy>bad", "person.no_answer>bad", "person.failed>bad", "message.empty>bad"),
            *("good.next>bye", "bad.next>bye"),
        ],
    )


EFFECTS = ("messaging.sms", "web.http", "voice.dial", "voice.record")


@contextlib.contextmanager
def outcomes_are_lost(product: Product) -> Iterator[None]:
    """Whatever acts on the world acts, and its outcome cannot be written down."""
    types = ", ".join(f"'{one}'" for one in EFFECTS)
    path = product.home / "callweave.db"

    def run(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as connection, connection:
            connection.execute(statement)

    run(
        "CREATE TRIGGER lose_outcomes BEFORE UPDATE ON effects"
        f" WHEN NEW.outcome IS NOT NULL AND NEW.node_type IN ({types})"
        " BEGIN SELECT RAISE(ABORT, 'the outcome is lost on purpose'); END"
    )
    try:
        yield
    finally:
        run("DROP TRIGGER lose_outcomes")


async def outbox(database: Database, text: str) -> list[OutboxMessage]:
    async with read(database) as session:
        return list(await session.exec(select(OutboxMessage).where(OutboxMessage.text == text)))


async def voicemails(database: Database, number: str) -> list[Voicemail]:
    async with read(database) as session:
        return list(await session.exec(select(Voicemail).where(Voicemail.caller == number)))


async def ledger(database: Database, walker: Walker) -> list[EffectRecord]:
    """The effects of a caller's run."""
    run = await walker.run()
    async with read(database) as session:
        query = select(EffectRecord).where(EffectRecord.run_id == (run.id if run else ""))
        return list(await session.exec(query))


async def leave_message(walker: Walker, folder: Path) -> None:
    """Speak into the voicemail and keep the message."""
    await hears_words(walker, LEAVE_MESSAGE)
    await asyncio.sleep(1)  # the tone
    await walker.call.play(tone(folder / f"{walker.number}.wav", 700, 2))
    await walker.call.press("#")
    await hears_words(walker, REVIEW)
    await walker.call.press("#")


async def test_what_has_happened_is_not_repeated_by_a_new_process(
    caller: Caller, agent: Phone, product: Product, database: Database, tmp_path: Path, explain: None
) -> None:
    sms, order, talk, gone, message = walkers = [await caller() for _ in range(5)]
    async with shop() as service:
        await scenes.put_live(product, effects(service.url), "710")
        await asyncio.gather(*(walker.dial("710") for walker in walkers))
        await asyncio.gather(*(walker.at("menu") for walker in walkers))
        await talk.call.press("3")
        in_talk = await agent.incoming(timeout=20)
        await in_talk.answer()
        await gone.call.press("3")
        cut_short = await agent.incoming(timeout=20)
        await cut_short.answer()
        await asyncio.gather(in_talk.confirmed(), cut_short.confirmed())
        with outcomes_are_lost(product):
            await sms.call.press("1")
            await order.call.press("2")
            await message.call.press("4")
            await until(lambda: outbox(database, sms.number), "the SMS")
            await until(lambda: wrapped(service.asked), "the request")
            await leave_message(message, tmp_path)
            await until(lambda: voicemails(database, message.number), "the message")
            await cut_short.hang_up()
            await asyncio.sleep(1)  # the dial node tries to tell its outcome
            product.kill_python()
        service.answering.set()
        await product.healthy()
        await both_talk(talk.call, in_talk, tmp_path)
        await in_talk.hang_up()
        await asyncio.gather(*(walker.finished(60) for walker in walkers))

    ports = {walker.number: (await walker.path())[2] for walker in walkers}
    assert [ports[walker.number] for walker in walkers] == [
        ("sms", "next"),
        ("order", "error"),  # whether a POST has arrived is not known, and it is never sent again
        ("person", "done"),
        ("person", "error"),
        ("message", "next"),
    ]
    assert len(await outbox(database, sms.number)) == 1
    assert service.asked == [f"/{order.number}"]
    assert len([call for call in agent.calls.values() if call.remote]) == 2, "a leg was dialled twice"
    (kept,) = await voicemails(database, message.number)
    assert kept.complete and has_tone(load(product.home / "recordings" / kept.path)[RATE // 2 : RATE], 700)
    for walker in walkers:
        (effect,) = await ledger(database, walker)
        assert effect.outcome is not None
    unknown = [step for walker in (order, gone) for step in await walker.steps() if step.error]
    assert [step.error for step in unknown] == ["unknown", "unknown"]
    await scenes.no_channels(product)


async def wrapped(value: Any) -> Any:
    return value


async def test_nodes_that_finish_without_temporal_finish_once(
    caller: Caller, agent: Phone, product: Product, database: Database, tmp_path: Path, explain: None
) -> None:
    sms, order, talk, message = walkers = [await caller() for _ in range(4)]
    async with shop() as service:
        await scenes.put_live(product, effects(service.url), "710")
        await asyncio.gather(*(walker.dial("710") for walker in walkers))
        await asyncio.gather(*(walker.at("menu") for walker in walkers))
        await order.call.press("2")
        await talk.call.press("3")
        await message.call.press("4")
        in_talk = await agent.incoming(timeout=20)
        await in_talk.answer()
        await until(lambda: wrapped(service.asked), "the request")
        with product.temporal_away():
            stopped = time.monotonic()
            await sms.call.press("1")  # the menu finishes
            service.answering.set()  # the request finishes
            await leave_message(message, tmp_path)  # the message finishes
            await in_talk.hang_up()  # the talk finishes
            await asyncio.sleep(max(0.0, 15 - (time.monotonic() - stopped)))
        await asyncio.gather(*(walker.finished(60) for walker in walkers))
    assert [(await walker.path())[1:3] for walker in walkers] == [
        [("menu", "1"), ("sms", "next")],
        [("menu", "2"), ("order", "next")],
        [("menu", "3"), ("person", "done")],
        [("menu", "4"), ("message", "next")],
    ]
    assert len(await outbox(database, sms.number)) == 1
    assert service.asked == [f"/{order.number}"]
    assert len([call for call in agent.calls.values() if call.remote]) == 1
    assert [kept.complete for kept in await voicemails(database, message.number)] == [True]


# --------------------------------------------------------------------------- a node fails


def failing(key: str, *edges: str, **more: Any) -> scenes.Document:
    """A flow whose second node always fails: nobody listens at that port."""
    nodes = {
        "answer": node("voice.answer"),
        "ask": node("web.http", url="http://127.0.0.1:9/", timeout=2),
        "fine": node("voice.say", prompt=words("That is fine.")),
        "aside": node("voice.say", prompt=words("The port of the node is followed.")),
        "handler": node("voice.say", prompt=words("The flow looks after errors.")),
        "bye": node("voice.hangup"),
    }
    used = {edge.partition(">")[2] for edge in edges} | {
        "answer",
        "ask",
        "fine",
        "bye",
        *more.get("handlers", {}).values(),
    }
    links = ["answer.next>ask", "ask.next>fine", "ask.http_error>fine", "fine.next>bye", *edges]
    return document(key, {name: one for name, one in nodes.items() if name in used}, links, **more)


async def test_a_failing_node_never_ends_in_a_dead_line(
    caller: Caller, agent: Phone, product: Product, tmp_path: Path, explain: None
) -> None:
    await scenes.put_live(product, failing("fails-bare"), "720")
    await scenes.put_live(product, failing("fails-port", "ask.error>aside", "aside.next>bye"), "721")
    handled = failing("fails-handler", "handler.next>bye", handlers={"error": "handler"})
    await scenes.put_live(product, handled, "722")
    bare, port, handler = walkers = [await caller() for _ in range(3)]
    await asyncio.gather(*(walker.dial(str(720 + index)) for index, walker in enumerate(walkers)))

    theirs = await agent.incoming(timeout=30)
    await theirs.answer()
    await theirs.confirmed()
    await both_talk(bare.call, theirs, tmp_path)
    await theirs.hang_up()
    runs = await asyncio.gather(*(walker.finished() for walker in walkers))
    assert [run.state for run in runs] == ["failed", "completed", "completed"]
    await hears_words(bare, builtin("apology_transfer", "en"))
    await hears_words(port, "The port of the node is followed.")
    await hears_words(handler, "The flow looks after errors.")
    assert [node for node, _ in await bare.path()] == ["answer", "ask"]
    assert [node for node, _ in await port.path()] == ["answer", "ask", "aside", "bye"]
    assert [node for node, _ in await handler.path()] == ["answer", "ask", "handler", "bye"]
    for walker in walkers:
        (failed,) = [step for step in await walker.steps() if step.node_id == "ask"]
        assert (failed.port, failed.error) == ("error", "connect_failed")


# --------------------------------------------------------------------------- callers who leave


async def test_callers_may_leave_at_any_moment(
    caller: Caller, agent: Phone, product: Product, database: Database, tmp_path: Path, explain: None
) -> None:
    greeting, _menu, card, voicemail, ringing, talking = walkers = [await caller() for _ in range(6)]
    await greeting.dial()
    await greeting.at("greeting")
    await greeting.call.hang_up()
    await asyncio.gather(*(to_menu(walker) for walker in walkers[1:]))
    await ringing.call.press("0")
    rings = await agent.incoming(timeout=20)
    await rings.ring()
    await talking.call.press("0")
    talks = await agent.incoming(timeout=20)
    await talks.answer()
    await talks.confirmed()
    await card.press("menu", "1")
    await card.at("card")
    await voicemail.press("menu", "3")
    await both_talk(talking.call, talks, tmp_path)
    await ringing.at("person")
    await hears_words(voicemail, LEAVE_MESSAGE)
    await asyncio.sleep(1)  # the tone
    await voicemail.call.play(tone(tmp_path / "message.wav", 500, 3))
    await card.call.press("622")
    await asyncio.gather(*(walker.call.hang_up() for walker in walkers[1:]))

    assert (await rings.ended(10)).final_code == 487, "the ringing phone was not told"
    await talks.ended(10)
    runs = await asyncio.gather(*(walker.closed() for walker in walkers))
    assert [run.state for run in runs] == ["hangup"] * 6
    for walker, left_at in zip(walkers, ("greeting", "menu", "card", "voicemail", "person", "person"), strict=True):
        steps = await walker.steps()
        assert [(step.node_id, step.port) for step in steps[-3:-1]] == [(left_at, "hangup"), ("left", "next")]
        assert steps[-1].node_id == "left_end"
        assert all(step.left is not None for step in steps)
        record = await walker.record()
        assert record is not None and record.cause == "normal" and record.outcome == "hangup" and record.ended_at
        async with read(database) as session:
            legs = (await session.exec(select(Leg).where(Leg.call_id == record.id))).all()
        assert {leg.state for leg in legs} == {"ended"}
        if walker is card:
            assert steps[-3].outputs["digits"] == "622"
        if walker is ringing:
            (leg,) = [leg for leg in legs if leg.kind == "dialled"]
            assert (leg.cause, leg.answered_at) == ("cancelled", None)
    (kept,) = await voicemails(database, voicemail.number)
    assert kept.complete, "hanging up is the ordinary end of a message"
    assert has_tone(load(product.home / "recordings" / kept.path)[RATE : 2 * RATE], 500)
    await scenes.no_channels(product)
