"""Calls and trails: idempotent writes, true causes, pages, and the live streams over a real WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
import websockets
from fastapi import FastAPI
from sqlalchemy import insert

from backend.calls import service
from backend.calls.models import Call
from backend.calls.service import CallChanges, CallFilter
from backend.database import Database, new_id, utcnow, write
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
    await service.start_call(db, call_id=call_id, business_id="main", run=run, **given)
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
    await service.call_answered(db, "c1")
    await service.add_leg(db, leg_id="l1", call_id="c1", number="8001", destination="extension:8001")
    await service.add_leg(db, leg_id="l1", call_id="c1", number="8001")
    await service.leg_answered(db, "l1")
    await service.leg_ended(db, "l1", cause="normal")
    await service.update_call(db, "c1", CallChanges(language="en", customer_id="cust"))
    await service.finish_run(db, start, FlowResult(outcome="completed", steps=1), [step(1)])
    await service.call_ended(db, "c1", cause="normal", sip_code=200)
    await service.call_ended(db, "c1", cause="failed")
    call = await service.get_call(db, "main", "c1")
    assert (call.state, call.cause, call.outcome, call.language) == ("ended", "normal", "completed", "en")
    assert (call.flow_key, call.flow_version, call.run_id) == ("hotline", 3, "call-c1")
    assert call.answered_at is not None and call.ended_at is not None and call.started_at <= call.answered_at
    run = await service.get_run(db, "main", "call-c1")
    assert (run.state, run.steps, run.call_id) == ("completed", 1, "c1")
    topics = [event.topic for event in await after(db, "main", 0) if event.subject == "c1"]
    assert topics[:2] == ["call.started", "call.answered"] and topics.count("call.ended") == 1


async def test_a_lost_engine_closes_open_calls_with_the_true_cause(state: AppState) -> None:
    for call_id, gateway in (("a", "g1"), ("b", "g1"), ("c", "g2"), ("kept", "g1")):
        await ring(state.db, call_id, gateway=gateway)
    await service.call_ended(state.db, "a", cause="busy")
    assert await service.close_open_calls(state.db, "engine_lost", gateway="g1", keep=["kept"]) == ["b"]
    found = {call.id: (call.state, call.cause) for call in (await service.list_calls(state.db, "main")).items}
    assert found == {
        "a": ("ended", "busy"), "b": ("ended", "engine_lost"), "c": ("ringing", ""), "kept": ("ringing", ""),
    }  # fmt: skip


async def test_a_completed_step_is_never_replaced_by_its_beginning(state: AppState) -> None:
    await ring(state.db)
    await service.save_trail(state.db, {"call-c1": [step(1, left=False), step(2, left=False)]})
    await service.save_trail(state.db, {"call-c1": [step(1, outputs={"key": "2"}, said=["您好"]), step(1, left=False)]})
    await service.save_trail(state.db, {"call-c1": [step(1, left=False)]})
    found = await service.trail_of_call(state.db, "main", "c1")
    assert [(s.seq, s.left is not None, s.said) for s in found] == [(1, True, ["您好"]), (2, False, [])]
    assert found[0].outputs == {"key": "2"} and found[0].flow_key == "hotline"


async def test_many_steps_of_many_runs_in_one_act(state: AppState) -> None:
    for number in range(3):
        await ring(state.db, f"c{number}")
    batches = {f"call-c{number}": [step(seq) for seq in range(400)] for number in range(3)}
    assert await service.save_trail(state.db, batches | {"call-unknown": [step(1)]}) == ["call-unknown"]
    assert len(await service.trail_of_run(state.db, "main", "call-c2")) == 400


async def test_filters_and_pages(state: AppState) -> None:
    at = utcnow()
    for number in range(7):
        await ring(state.db, f"c{number}", caller=f"+861380000000{number}", started_at=at - timedelta(minutes=number))
    await service.call_ended(state.db, "c3", cause="busy")
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
            began = time.perf_counter()
            page = await service.list_calls(state.db, "main", wanted, after=cursor)
            taken.append(time.perf_counter() - began)
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
        async with asyncio.timeout(5):
            message = json.loads(await self._socket.recv())
        assert message["type"] == "next", message
        return message["payload"]


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
    await service.save_trail(state.db, {"call-c1": [step(1), step(2, left=False)]})
    token = f"Bearer {state.token}"
    async with serving(app) as port:
        query = 'subscription { trail(callId: "c1") { seq nodeName port } }'
        async with streaming(port, query, authorization=token) as stream:
            seen = [(await stream.next())["data"]["trail"] for _ in range(2)]
            assert [s["seq"] for s in seen] == [1, 2] and seen[1]["port"] is None and seen[0]["nodeName"] == "步骤 1"
            began = time.perf_counter()
            await service.save_trail(state.db, {"call-c1": [step(2)]})
            assert (await stream.next())["data"]["trail"] == {"seq": 2, "nodeName": "步骤 2", "port": "next"}
            assert time.perf_counter() - began < 2
            await service.save_trail(state.db, {"call-c1": [step(2, left=False), step(3)]})
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
            await service.call_ended(state.db, "c1", cause="busy")
            first = (await stream.next())["data"]["callEvents"]
            assert first["topic"] == "call.started" and first["call"]["caller"] == "+8613800000001"
            assert (await stream.next())["data"]["callEvents"]["topic"] == "call.ended"
