"""Calls and trails: idempotent writes, true causes, pages, and the live streams over a real WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
import websockets
from fastapi import FastAPI
from sqlalchemy import insert
from sqlmodel import col, select

from backend.calls import service
from backend.calls.facts import (
    CallAnswered,
    CallEnded,
    CallStarted,
    Fact,
    LegAnswered,
    LegBegan,
    LegEnded,
    RunFinished,
    Steps,
    write_facts,
)
from backend.calls.models import Call, Leg
from backend.calls.service import CallChanges, CallFilter
from backend.database import Database, new_id, read, utcnow, write
from backend.events import EventBus, after, record
from backend.state import AppState
from backend.testing import ApiClient
from flows.task import CallFacts, FlowResult, FlowStart, TrailStep

STARTED = datetime(2026, 11, 22, 9, tzinfo=UTC)


async def ring(db: Database, call_id: str = "c1", **facts: Any) -> FlowStart:
    """A call that rings, with its run."""
    run = FlowStart(
        run_id=f"call-{call_id}", business_id="main", flow_id="hotline", version=3, plan="p" * 64, kind="ivr",
        call=CallFacts(id=call_id), alias="live",
    )  # fmt: skip
    given = {"gateway": "g1", "caller": "+8613800000001", "called": "100"} | facts
    await write_facts(db, [CallStarted(call_id=call_id, business_id="main", run=run, **given)])
    return run


def step(seq: int, *, left: bool = True, **more: Any) -> TrailStep:
    at = STARTED + timedelta(seconds=seq)
    return TrailStep(
        seq=seq, node_id=f"n{seq}", node_type="voice.say", node_name=f"步骤 {seq}", entered=at,
        left=at + timedelta(seconds=1) if left else None, port="next" if left else None, **more,
    )  # fmt: skip


async def test_a_call_from_ring_to_end(state: AppState) -> None:
    db = state.db
    start = await ring(db)
    await ring(db)
    await write_facts(db, [CallAnswered("c1")])
    await write_facts(db, [LegBegan("l1", "c1", "8001", "extension:8001"), LegBegan("l1", "c1", "8001")])
    await write_facts(db, [LegAnswered("l1"), LegEnded("l1", "normal"), LegEnded("l1", "failed")])
    await service.update_call(db, "c1", CallChanges(language="en", customer_id="cust"))
    await write_facts(db, [RunFinished(start, FlowResult(outcome="completed", steps=1), [step(1)])])
    await write_facts(db, [CallEnded("c1", "normal", 200)])
    await write_facts(db, [CallEnded("c1", "failed"), CallAnswered("c1")])
    call = await service.get_call(db, "main", "c1")
    assert (call.state, call.cause, call.outcome, call.language) == ("ended", "normal", "completed", "en")
    assert (call.flow_key, call.flow_version, call.run_id) == ("hotline", 3, "call-c1")
    assert call.answered_at is not None and call.ended_at is not None and call.started_at <= call.answered_at
    run = await service.get_run(db, "main", "call-c1")
    assert (run.state, run.steps, run.call_id) == ("completed", 1, "c1")
    topics = [event.topic for event in await after(db, "main", 0) if event.subject == "c1"]
    assert topics[:2] == ["call.started", "call.answered"] and topics.count("call.ended") == 1


async def test_a_phone_that_is_hung_up_by_hand_outlasts_its_call(state: AppState) -> None:
    db = state.db
    await write_facts(
        db,
        [
            CallStarted("c1", "main", "g1", "1", "100"),
            *(LegBegan(leg, "c1", "8001", "extension:8001", user_id="ann") for leg in ("stays", "goes")),
            *(LegAnswered(leg) for leg in ("stays", "goes")),
        ],
    )
    await write_facts(db, [CallEnded("c1", "normal", staying=("stays",)), CallEnded("c1", "normal")])
    assert await service.staying_legs(db, "g1") == ["stays"] and await service.staying_legs(db, "g2") == []
    await write_facts(db, [LegEnded("stays", "normal")])
    assert await service.staying_legs(db, "g1") == []


async def test_a_batch_comes_to_the_same_as_its_facts_one_by_one(state: AppState) -> None:
    def facts(call_id: str, business: FlowStart) -> list[Fact]:
        at = [STARTED + timedelta(seconds=second) for second in range(9)]
        start = business.model_copy(update={"run_id": f"run-{call_id}", "call": CallFacts(id=call_id)})
        return [
            CallStarted(call_id, "main", "g1", "1", "100", run=start, at=at[0]),
            CallAnswered(call_id, at[1]),
            Steps(start.run_id, [step(1, left=False)]),
            LegBegan(f"{call_id}-leg", call_id, "8001", "extension:8001", at=at[2]),
            LegAnswered(f"{call_id}-leg", at[3]),
            CallEnded(call_id, "normal", 200, at[4]),
            CallAnswered(call_id, at[5]),
            CallEnded(call_id, "failed", 500, at[6]),
            RunFinished(start, FlowResult(outcome="hangup", steps=2), [step(1), step(2)], at[7]),
            RunFinished(start, FlowResult(outcome="failed", steps=9), [step(1, left=False)], at[8]),
        ]

    base = await ring(state.db, "base")
    one_by_one, together = facts("a", base), facts("b", base)
    for fact in one_by_one:
        await write_facts(state.db, [fact])
    await write_facts(state.db, together)
    # Told once more, they change nothing.
    await write_facts(state.db, together)

    async def seen(call_id: str) -> Any:
        call = await service.get_call(state.db, "main", call_id)
        run = await service.get_run(state.db, "main", f"run-{call_id}")
        trail = await service.trail_of_call(state.db, "main", call_id)
        async with read(state.db) as session:
            legs = list(await session.exec(select(Leg).where(Leg.call_id == call_id).order_by(col(Leg.id))))
        events = [one.topic for one in await after(state.db, "main", 0) if one.subject in (call_id, run.id)]
        return (
            call.model_dump(exclude={"id", "run_id"}),
            run.model_dump(exclude={"id", "call_id"}),
            [(row.seq, row.left is not None) for row in trail],
            [leg.model_dump(exclude={"id", "call_id"}) for leg in legs],
            events,
        )

    first, second = await seen("a"), await seen("b")
    assert first == second
    call, run, trail, legs, events = first
    assert (call["state"], call["cause"], call["sip_code"], call["outcome"]) == ("ended", "normal", 200, "hangup")
    assert (run["state"], run["steps"], trail) == ("hangup", 2, [(1, True), (2, True)])
    assert [(leg["state"], leg["cause"]) for leg in legs] == [("ended", "normal")] * 2
    assert events == [
        "call.started", "run.started", "call.answered", "call.changed", "call.changed", "call.ended", "run.finished",
    ]  # fmt: skip


async def test_a_completed_step_is_never_replaced_by_its_beginning(state: AppState) -> None:
    await ring(state.db)
    await write_facts(state.db, [Steps("call-c1", [step(1, left=False), step(2, left=False)])])
    await write_facts(state.db, [Steps("call-c1", [step(1, outputs={"key": "2"}, said=["您好"]), step(1, left=False)])])
    await write_facts(state.db, [Steps("call-c1", [step(1, left=False)])])
    found = await service.trail_of_call(state.db, "main", "c1")
    assert [(s.seq, s.left is not None, s.said) for s in found] == [(1, True, ["您好"]), (2, False, [])]
    assert found[0].outputs == {"key": "2"} and found[0].flow_key == "hotline"


async def test_many_steps_of_many_runs_in_one_act(state: AppState) -> None:
    for number in range(3):
        await ring(state.db, f"c{number}")
    batches = {f"call-c{number}": [step(seq) for seq in range(400)] for number in range(3)}
    facts = [Steps(run_id, steps) for run_id, steps in batches.items()]
    assert await write_facts(state.db, [*facts, Steps("call-unknown", [step(1)])]) == {"call-unknown"}
    assert len(await service.trail_of_run(state.db, "main", "call-c2")) == 400


async def test_filters_and_pages(state: AppState) -> None:
    at = utcnow()
    for number in range(7):
        await ring(state.db, f"c{number}", caller=f"+861380000000{number}", at=at - timedelta(minutes=number))
    await write_facts(state.db, [CallEnded("c3", "busy")])
    first = await service.list_calls(state.db, "main", first=3)
    assert [call.id for call in first.items] == ["c0", "c1", "c2"] and first.has_next
    second = await service.list_calls(state.db, "main", first=3, after=first.end)
    last = await service.list_calls(state.db, "main", first=3, after=second.end)
    assert [call.id for call in last.items] == ["c6"] and not last.has_next

    async def ids(**wanted: Any) -> list[str]:
        return [call.id for call in (await service.list_calls(state.db, "main", CallFilter(**wanted))).items]

    assert await ids(cause="busy") == ["c3"]
    assert await ids(number="+8613800000005") == ["c5"]
    assert len(await ids(number="+86138")) == 7 and len(await ids(number="10")) == 7 and await ids(number="9") == []
    assert await ids(since=at - timedelta(minutes=2, seconds=1), until=at - timedelta(minutes=1)) == ["c2"]


async def test_a_call_that_nobody_identified_shows_the_one_customer_of_its_number(
    state: AppState, client: ApiClient
) -> None:
    async def customer(name: str, *phones: str) -> str:
        made = await client.change(
            "mutation($i: CustomerInput!) { saveCustomer(input: $i) { value { id } errors { code } } }",
            i={"name": name, "phones": list(phones)},
        )
        return str(made["id"])

    wang = await customer("王女士", "13900139001", "13900139002")
    for name in ("One", "Other"):
        await customer(name, "13900139003")
    await ring(state.db, "known", caller="13900139001")
    await ring(state.db, "shared", caller="+8613900139003")
    await ring(state.db, "stranger", caller="anonymous")
    await ring(state.db, "told", caller="13900139001")
    await ring(state.db, "dialled", caller="100", called="13900139002", direction="outbound")
    await service.update_call(state.db, "told", CallChanges(customer_id=wang))
    found = await client.ask("{ calls { nodes { id customerId customer { id } customerByNumber { id name } } } }")
    by_number = {one["id"]: one["customerByNumber"] for one in found["calls"]["nodes"]}
    assert by_number.pop("known") == by_number.pop("dialled") == {"id": wang, "name": "王女士"}
    assert by_number == {"shared": None, "stranger": None, "told": None}
    known = await service.get_call(state.db, "main", "known")
    assert known.customer_id is None, "what flows see stays as it is"


async def test_a_cursor_of_another_list_is_refused(client: ApiClient) -> None:
    for cursor in ("rubbish", "W10", "WzEsMiwzXQ"):
        refused = await client.refusal("query($c: String!) { calls(after: $c) { nodes { id } } }", c=cursor)
        assert refused["field"] == "after"
    assert (await client.refusal("{ calls(first: 0) { nodes { id } } }"))["field"] == "first"


@pytest.mark.slow
async def test_a_page_of_100_000_calls_takes_less_than_100_ms(state: AppState) -> None:
    at = utcnow()
    rows = [
        {"id": new_id(), "business_id": "main", "caller": f"+86138{n:08d}", "called": "100", "state": "ended",
         "direction": "inbound", "cause": "busy" if n % 100 == 0 else "normal", "started_at": at - timedelta(seconds=n),
         "flow_key": f"flow-{n % 5}", "customer_id": f"c{n % 1000}"}
        for n in range(100_000)
    ]  # fmt: skip
    async with write(state.db) as session:
        for start in range(0, len(rows), 10_000):
            await session.exec(insert(Call), params=rows[start : start + 10_000])
    deep = (await service.list_calls(state.db, "main", CallFilter(until=at - timedelta(seconds=50_000)))).end
    for wanted, cursor in (
        (CallFilter(), None),
        (CallFilter(), deep),
        (CallFilter(cause="busy"), deep),
        (CallFilter(flow_key="flow-3"), None),
        (CallFilter(customer_id="c7"), None),
        (CallFilter(number="+8613800099"), None),
        (CallFilter(number="+8613800000007"), None),
    ):
        taken = []
        for _ in range(3):
            began = time.process_time()
            page = await service.list_calls(state.db, "main", wanted, after=cursor)
            taken.append(time.process_time() - began)
            assert page.items
        assert min(taken) < 0.1, (wanted, taken)


# --------------------------------------------------------------------------- events


async def test_events_are_told_after_the_commit_and_never_for_what_failed(state: AppState) -> None:
    heard: list[str] = []
    state.db.listeners.append(lambda events: heard.extend(event.topic for event in events))

    async def fail() -> None:
        async with write(state.db) as session:
            record(session, "main", "never", "x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with write(state.db) as session:
        record(session, "main", "told", "x", n=1)
        assert heard == []
    assert heard == ["told"]
    assert [event.topic for event in await after(state.db, "main", 0)][-1] == "told"


async def test_a_reader_that_is_too_slow_is_ended_not_fed_with_gaps(state: AppState) -> None:
    bus = EventBus(state.db)
    with bus.subscribe(lambda event: event.topic == "t", size=3) as events:
        for number in range(5):
            async with write(state.db) as session:
                record(session, "main", "t", str(number), kept=False)
        assert events.overrun
        assert [event.subject async for event in events] == ["1", "2"]


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    """The application on a free port, on a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="websockets-sansio"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


class Stream:
    """A graphql-transport-ws client with one subscription."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def begin(self, query: str) -> None:
        await self._socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await self._socket.recv())["type"] == "connection_ack"
        await self._socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))

    async def next(self) -> Any:
        async with asyncio.timeout(30):
            message = json.loads(await self._socket.recv())
        assert message["type"] == "next", message
        return message["payload"]

    @property
    def open(self) -> bool:
        return self._socket.close_code is None

    async def closed(self) -> int | None:
        """Wait until the server closes the line; its code."""
        async with asyncio.timeout(30):
            await self._socket.wait_closed()
        return self._socket.close_code


@asynccontextmanager
async def streaming(port: int, query: str, **headers: str) -> AsyncIterator[Stream]:
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        additional_headers=headers,
    ) as socket:  # fmt: skip
        stream = Stream(socket)
        await stream.begin(query)
        yield stream


async def test_a_trail_is_told_step_by_step_as_it_happens(state: AppState, app: FastAPI) -> None:
    await ring(state.db)
    await write_facts(state.db, [Steps("call-c1", [step(1), step(2, left=False)])])
    token = f"Bearer {state.token}"
    async with serving(app) as port:
        query = 'subscription { trail(callId: "c1") { seq nodeName port } }'
        async with streaming(port, query, authorization=token) as stream:
            seen = [(await stream.next())["data"]["trail"] for _ in range(2)]
            assert [s["seq"] for s in seen] == [1, 2] and seen[1]["port"] is None and seen[0]["nodeName"] == "步骤 1"
            await write_facts(state.db, [Steps("call-c1", [step(2)])])
            assert (await stream.next())["data"]["trail"] == {"seq": 2, "nodeName": "步骤 2", "port": "next"}
            await write_facts(state.db, [Steps("call-c1", [step(2, left=False), step(3)])])
            assert (await stream.next())["data"]["trail"]["seq"] == 3


async def test_call_events_stream_to_those_who_may(state: AppState, app: FastAPI) -> None:
    query = "subscription { callEvents { topic call { id state caller } } }"
    async with serving(app) as port:
        async with streaming(port, query) as stranger:
            assert (await stranger.next())["errors"][0]["extensions"]["code"] == "unauthenticated"
        with pytest.raises(websockets.InvalidStatus):
            async with streaming(port, query, origin="https://evil.example", authorization=f"Bearer {state.token}"):
                pass
        async with streaming(port, query, authorization=f"Bearer {state.token}") as stream:
            await asyncio.sleep(0.3)
            await ring(state.db)
            await write_facts(state.db, [CallEnded("c1", "busy")])
            first = (await stream.next())["data"]["callEvents"]
            assert first["topic"] == "call.started" and first["call"]["caller"] == "+8613800000001"
            assert (await stream.next())["data"]["callEvents"]["topic"] == "call.ended"


async def test_numbers_of_calls_are_masked_for_who_may_not_see_them(
    state: AppState, client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    await ring(state.db, caller_name="13800000001")
    await write_facts(state.db, [LegBegan("c1-l", "c1", "13900000002", "trunk:main:13900000002")])
    await client.change(
        'mutation { createUser(name: "quinn", password: "orbit-lantern-4712", role: "quality", '
        "mustChangePassword: false) { value { id } errors { code } } }"
    )
    other = new_client()
    await other.sign_in("quinn", "orbit-lantern-4712")
    ask = "{ calls { nodes { caller callerName called legs { kind number destination } } } }"
    (seen,) = (await other.ask(ask))["calls"]["nodes"]
    assert (seen["caller"], seen["callerName"], seen["called"]) == ("+86138****0001", "138****0001", "100")
    assert {leg["number"] for leg in seen["legs"]} == {"+86138****0001", "139****0002"}
    assert "trunk:main:139****0002" in {leg["destination"] for leg in seen["legs"]}
    (whole,) = (await client.ask(ask))["calls"]["nodes"]
    assert whole["caller"] == "+8613800000001" and whole["callerName"] == "13800000001"
