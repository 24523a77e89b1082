"""Many calls at once, calls from and to phones of the house, refused calls, and what the API tells of them."""

import asyncio
import contextlib
import json
import zoneinfo
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select
from temporalio.client import Client
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.database import Database, read
from backend.runtime.testing import Product
from bench.sip_caller import SipCaller
from telephony.speech.audio import RATE
from telephony.speech.builtin import builtin
from tests.journeys import scenes
from tests.journeys.scenes import ERRORS, LIKE, both_talk, change, document, hears_words, node, spoken, until, words
from tests.journeys.walker import Caller, Walker
from tests.phones.audio import contains
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

CHINESE_GREETING = "您好，欢迎致电客户服务热线。"


# --------------------------------------------------------------------------- twenty at once


async def test_twenty_callers_are_never_mixed_up(product: Product, database: Database) -> None:
    """Each enters a number of their own, all at the same time, and hears that number."""
    flow = document(
        "echo",
        {
            "answer": node("voice.answer"),
            "card": node("voice.collect", prompt=words("Your number, please."), minimum=8, maximum=8, first_timeout=30),
            "tell": node("voice.say", prompt=words("You have entered {{ nodes.card.digits }}.")),
            "bye": node("voice.hangup"),
        },
        ["answer.next>card", "card.next>tell", "card.timeout>bye", "card.invalid>bye", "tell.next>bye"],
    )
    await scenes.put_live(product, flow, "730")
    cards = {str(5_580_000 + index): str(61_000_000 + index * 1_234_567) for index in range(20)}

    async def enter(caller: SipCaller, number: str, card: str) -> None:
        call = await caller.call(f"sip:730@127.0.0.1:{product.sip_port}", caller=number, timeout=20)
        call.speak(b"")  # an open line, as a phone has
        await call.press(card)
        async with asyncio.timeout(60):
            await call.ended.wait()
        assert call.ended_by_far_end

    async with SipCaller() as caller:
        await asyncio.gather(*(enter(caller, number, card) for number, card in cards.items()))
    for number, card in cards.items():
        (call,) = await until(lambda number=number: ended(database, number), f"the record of {number}")  # type: ignore[misc]
        run, steps = await walked(database, call)
        assert run.state == "completed", run
        assert [(step.node_id, step.port) for step in steps] == [
            ("answer", "next"),
            ("card", "next"),
            ("tell", "next"),
            ("bye", "next"),
        ]
        assert steps[1].outputs["digits"] == card
        assert steps[2].said == [f"You have entered {card}."]


async def ended(database: Database, number: str) -> list[Call] | None:
    """The calls of a number, when the records of all are complete."""
    found = list(await scenes.calls_of(database, number))
    done = [call for call in found if call.state == "ended" and (call.run_id is None or call.outcome)]
    return done if found and len(done) == len(found) else None


async def walked(database: Database, call: Call) -> tuple[Run, list[TrailEntry]]:
    """The run of a call and its path."""
    async with read(database) as session:
        run = (await session.exec(select(Run).where(Run.call_id == call.id))).one()
        steps = await session.exec(select(TrailEntry).where(TrailEntry.run_id == run.id).order_by(col(TrailEntry.seq)))
        return run, list(steps)


# --------------------------------------------------------------------------- phones of the house


async def test_phones_of_the_house_call_each_other_and_the_hotline(
    agent: Phone, colleague: Phone, product: Product, database: Database, tmp_path: Path
) -> None:
    call = await colleague.call(f"sip:8001@127.0.0.1:{product.sip_port}")
    theirs = await agent.incoming(timeout=20)
    assert "8002" in theirs.remote
    await theirs.answer()
    await asyncio.gather(call.confirmed(), theirs.confirmed())
    await both_talk(call, theirs, tmp_path)
    await theirs.hang_up()
    await call.ended()
    (record,) = await until(lambda: ended(database, "8002"), "the record")
    assert (record.called, record.cause, record.anonymous, record.answered_at is not None) == (
        "8001",
        "normal",
        False,
        True,
    )
    async with read(database) as session:
        legs = {leg.kind: leg for leg in await session.exec(select(Leg).where(Leg.call_id == record.id))}
    assert legs["dialled"].number == "8001" and legs["dialled"].answered_at is not None

    hotline = await colleague.call(f"sip:100@127.0.0.1:{product.sip_port}")
    await hotline.confirmed()

    async def second() -> Call | None:
        return next((call for call in await scenes.calls_of(database, "8002") if call.called == "100"), None)

    newest = await until(second, "the record of the call to the hotline")
    assert (newest.flow_key, newest.anonymous) == ("service-hotline", False)
    await hotline.hang_up()
    await until(lambda: ended(database, "8002"), "the records")


async def test_placed_calls_tell_what_became_of_them(
    agent: Phone, colleague: Phone, product: Product, database: Database, caller: Caller
) -> None:
    flow = document(
        "reminder",
        {"tell": node("voice.say", prompt=words("This is a reminder of your visit.")), "bye": node("voice.hangup")},
        ["tell.next>bye"],
    )
    await scenes.put_live(product, flow)
    place = 'mutation($n: String!) { placeCall(number: $n, flow: "reminder") { value errors { code } } }'
    # Nobody picks up at 8001; that takes as long as it rings, so the others go on meanwhile.
    await agent.behave("ring")
    unheard = await change(product, place, n="8001")

    await colleague.behave("answer")
    answered = await change(product, place, n="8002")
    call = await colleague.incoming(timeout=20)
    await call.ended(30)
    walker = await caller()  # only to find the product's prompts
    sound = await spoken(walker, "This is a reminder of your visit.")
    assert contains(sound, call.heard, least=LIKE)

    await colleague.behave("busy")
    busy = await change(product, place, n="8002")
    await until(lambda: closed(database, busy), "the record of the busy call")
    await colleague.behave("decline")
    declined = json.loads(await product.cli("call", "8002", "--flow", "reminder", "--json"))["call"]

    found = {}
    for name, call_id in {"answered": answered, "busy": busy, "declined": declined, "unheard": unheard}.items():
        row = await until(lambda call_id=call_id: closed(database, call_id), f"the record {name}", 60)  # type: ignore[misc]
        found[name] = (row.direction, row.called, row.cause, row.sip_code, row.answered_at is not None)
    assert found == {
        "answered": ("outbound", "8002", "normal", 0, True),
        "busy": ("outbound", "8002", "busy", 486, False),
        "declined": ("outbound", "8002", "rejected", 603, False),
        "unheard": ("outbound", "8001", "no_answer", 0, False),
    }
    assert (await agent.incoming()).final_code == 487
    async with read(database) as session:
        (run,) = await session.exec(select(Run).where(Run.flow_key == "reminder", Run.call_id == answered))
        others = await session.exec(select(Run).where(Run.flow_key == "reminder", Run.call_id != answered))
        assert run.state == "completed" and not list(others), "nobody walks a flow who has not answered"


async def closed(database: Database, call_id: str) -> Call | None:
    """A call when it is over."""
    async with read(database) as session:
        call = await session.get(Call, call_id)
    return call if call is not None and call.state == "ended" else None


# --------------------------------------------------------------------------- who is let in, and when


@asynccontextmanager
async def calendar(product: Product, **changes: Any) -> AsyncIterator[None]:
    """Other opening hours for a while."""
    calendars = (await product.graphql("{ calendars { id name timezone week days } }"))["calendars"]
    (hours,) = [one for one in calendars if one["name"] == "service-hours"]
    save = (
        "mutation($id: String, $name: String!, $timezone: String!, $week: JSON!, $days: JSON)"
        f" {{ saveCalendar(id: $id, name: $name, timezone: $timezone, week: $week, days: $days) {{ {ERRORS} }} }}"
    )
    zone = zoneinfo.ZoneInfo(hours["timezone"])
    today = datetime.now(zone).date().isoformat()
    for day in changes.get("days", ()):
        day["date"] = today
    await change(product, save, **(hours | changes))
    try:
        yield
    finally:
        await change(product, save, **hours)


async def branch_after_hours(walker: Walker) -> list[tuple[str, str | None]]:
    """Dial, let the language menu pass with English, and hang up where the hours lead."""
    await walker.dial()
    await walker.press("greeting", "2")
    await walker.at("voicemail", timeout=40)
    await walker.call.hang_up()
    await walker.closed()
    return [(name, port) for name, port in await walker.path() if name in ("hours", "closed", "holiday", "menu")]


async def test_hours_and_holidays_lead_to_the_message_box(caller: Caller, product: Product) -> None:
    closed_hours, holiday = await caller(), await caller()
    async with calendar(product, week={}):
        assert await branch_after_hours(closed_hours) == [("hours", "closed"), ("closed", "next")]
    await hears_words(closed_hours, "We are closed at the moment.")
    async with calendar(product, days=[{"state": "holiday", "name": "Harvest Day"}]):
        assert await branch_after_hours(holiday) == [("hours", "holiday"), ("holiday", "next")]
    said = [text for step in await holiday.steps() if step.node_id == "holiday" for text in step.said]
    assert "Harvest Day" in said[0]
    again = await caller()
    await again.dial()
    await again.press("greeting", "2")
    await again.at("menu")
    await again.call.hang_up()


async def test_blocked_callers_and_unknown_numbers_are_told_so(
    caller: Caller, product: Product, database: Database
) -> None:
    blocked, lost = await caller(), await caller()
    lists = (await product.graphql("{ numberLists { id name } }"))["numberLists"]
    (black,) = [one["id"] for one in lists if one["name"] == "blocked"]
    add = (
        "mutation($l: String!, $n: String!) { addListEntries(listId: $l, entries: [{number: $n}])"
        f" {{ value {ERRORS} }} }}"
    )
    assert await change(product, add, l=black, n=blocked.number) == 1
    await asyncio.gather(blocked.dial(), lost.dial("799"))
    run = await blocked.finished()
    assert run.state == "completed"
    assert await blocked.path() == [
        ("answer", "next"),
        ("blocked", "listed"),
        ("refuse", "next"),
        ("hang_up", "next"),
    ]
    await hears_words(blocked, "很抱歉，您的号码无法使用本服务。")

    await lost.call.ended()
    await hears_words(lost, builtin("no_flow", "zh"))
    (record,) = await until(lambda: ended(database, lost.number), "the record")
    assert (record.called, record.cause, record.sip_code, record.run_id) == ("799", "unknown_number", 404, None)


async def test_only_known_callers_reach_a_trunk(
    caller: Caller, colleague: Phone, product: Product, database: Database, tmp_path: Path
) -> None:
    flow = document(
        "outside",
        {
            "answer": node("voice.answer"),
            "dial": node("voice.dial", number="13800138000", ring_seconds=15),
            "refused": node("voice.say", prompt=words("That is not allowed.")),
            "bye": node("voice.hangup"),
        },
        [
            "answer.next>dial",
            *("dial.done>bye", "dial.busy>bye", "dial.no_answer>bye", "dial.failed>bye", "dial.error>refused"),
            "refused.next>bye",
        ],
    )
    await scenes.put_live(product, flow, "740")
    async with scenes.provider(product, tmp_path, auto="answer") as provider:
        stranger = await caller()
        theirs = await colleague.call(f"sip:740@127.0.0.1:{product.sip_port}")
        reached = await provider.incoming(timeout=20)
        assert "13800138000" in reached.local or "13800138000" in reached.invite
        await reached.confirmed()
        await both_talk(theirs, reached, tmp_path)
        await stranger.dial("740")
        await stranger.finished()
        await reached.hang_up()
        await theirs.ended()
        (step,) = [step for step in await stranger.steps() if step.node_id == "dial"]
        assert (step.port, step.error) == ("error", "not_allowed")
        assert len([call for call in provider.calls.values() if call.remote]) == 1


# --------------------------------------------------------------------------- the API


class Live:
    """A subscription over graphql-transport-ws, collected while it lasts."""

    def __init__(self) -> None:
        self.data: dict[str, list[Any]] = {}
        self._changed = asyncio.Event()

    async def run(self, product: Product, ready: asyncio.Event, **subscriptions: str) -> None:
        token = product.client.headers["authorization"]
        async with connect(
            f"ws://127.0.0.1:{product.http_port}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers={"authorization": token},
            proxy=None,
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            for name, query in subscriptions.items():
                await socket.send(json.dumps({"type": "subscribe", "id": name, "payload": {"query": query}}))
            # The server works through messages in order: its answer to a ping comes after the subscriptions.
            await socket.send(json.dumps({"type": "ping"}))
            async for message in socket:
                told = json.loads(message)
                if told["type"] == "pong":
                    ready.set()
                elif told["type"] == "next":
                    assert not told["payload"].get("errors"), told
                    self.data.setdefault(told["id"], []).append(told["payload"]["data"])
                else:
                    assert told["type"] == "complete", told


@asynccontextmanager
async def live(product: Product, **subscriptions: str) -> AsyncIterator[Live]:
    made, ready = Live(), asyncio.Event()
    task = asyncio.create_task(made.run(product, ready, **subscriptions))
    try:
        async with asyncio.timeout(10):
            await asyncio.wait({task, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_api_tells_a_call_live_and_afterwards(caller: Caller, product: Product) -> None:
    walker = await caller()
    async with live(product, calls="subscription { callEvents { topic call { id caller state } } }") as events:
        await walker.dial()
        record = await until(walker.record, "the record")
        steps = f'subscription {{ trail(callId: "{record.id}") {{ seq nodeId port left }} }}'
        async with live(product, steps=steps) as path:
            await walker.press("greeting", "2", after=3.0)
            await walker.press("menu", "9")
            run = await walker.finished()

            async def told() -> bool:
                topics = [one["callEvents"]["topic"] for one in mine(events, record.id)]
                done = {one["trail"]["nodeId"] for one in path.data.get("steps", ()) if one["trail"]["left"]}
                return topics[-1:] == ["call.ended"] and "hang_up" in done

            await until(told, "the live events")
    topics = [one["callEvents"]["topic"] for one in mine(events, record.id)]
    assert topics[0] == "call.started" and topics.index("call.started") < topics.index("call.answered")
    assert {one["callEvents"]["call"]["caller"] for one in mine(events, record.id)} == {walker.number}
    left: dict[str, str] = {}
    for one in path.data["steps"]:
        if one["trail"]["left"]:
            left[one["trail"]["nodeId"]] = one["trail"]["port"]
    assert list(left.items()) == await walker.path()

    query = (
        "query($i: String!) { call(id: $i) { state cause outcome flowKey legs { kind state }"
        " trail { nodeId nodeName port said } recording { url seconds complete } } }"
    )

    async def with_recording() -> Any:
        told = (await product.graphql(query, i=record.id))["call"]
        return told if told["recording"] else None

    call = await until(with_recording, "the recording in the API")
    assert (call["state"], call["outcome"], call["flowKey"]) == ("ended", "completed", "service-hotline")
    assert [(step["nodeId"], step["port"]) for step in call["trail"]] == await walker.path()
    assert call["legs"] == [{"kind": "caller", "state": "ended"}]

    await the_recording_is_for_those_who_may(product, walker, call["recording"]["url"])
    await temporal_shows_the_nodes(product, run.id, [step["nodeName"] for step in call["trail"]])


def mine(events: Live, call_id: str) -> list[Any]:
    """The events of one call."""
    return [one for one in events.data.get("calls", ()) if one["callEvents"]["call"]["id"] == call_id]


async def the_recording_is_for_those_who_may(product: Product, walker: Walker, url: str) -> None:
    """It downloads as a WAV with the words in it; strangers and agents get none."""
    whole = await product.client.get(url)
    assert whole.status_code == 200 and whole.headers["content-type"].startswith("audio/")
    file = walker.phone.folder / "download.wav"
    file.write_bytes(whole.content)
    assert contains((await spoken(walker, CHINESE_GREETING))[:RATE], file)
    assert contains(await spoken(walker, "Thank you for calling. Goodbye."), file)
    password, own_page = "meadow-river-2093", {"x-callweave": "1"}
    await change(
        product,
        'mutation($p: String!) { createUser(name: "anna", password: $p, role: "agent", mustChangePassword: false)'
        f" {{ {ERRORS} }} }}",
        p=password,
    )
    async with httpx.AsyncClient(base_url=product.http_url, headers=own_page, trust_env=False) as anna:
        assert (await anna.get(url)).status_code == 401
        login = 'mutation($p: String!) { login(name: "anna", password: $p) { errors { code } } }'
        answer = await anna.post("/graphql", json={"query": login, "variables": {"p": password}})
        assert answer.json()["data"]["login"]["errors"] == []
        assert (await anna.get(url)).status_code == 403


async def temporal_shows_the_nodes(product: Product, run_id: str, names: list[str]) -> None:
    """People read a flow in Temporal's own pages: each step is summarised by its node's name."""
    client = await Client.connect(product.temporal)
    history = await client.get_workflow_handle(run_id).fetch_history()
    shown = []
    for event in history.events:
        if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
            (summary,) = client.data_converter.payload_converter.from_payloads([event.user_metadata.summary])
            shown.append(summary)
    assert [name for name in shown if name in names] == names
