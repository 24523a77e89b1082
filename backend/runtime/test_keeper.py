"""The keeper on a real Temporal server: rules start runs, people and calls end what they wait for."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from backend.calendars.service import save_calendar
from backend.callbacks import service as rules
from backend.callbacks.events import Happening
from backend.calls.facts import CallAnswered, CallEnded, CallStarted, LegAnswered, LegBegan, write_facts
from backend.calls.service import get_run, trail_of_run
from backend.database import utcnow, write
from backend.flows.service import import_flow, publish
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.observability.search_attributes import register
from backend.queues.models import QueueEntry
from backend.runtime.journal import Journal
from backend.runtime.keeper import Keeper
from backend.runtime.ledger import Ledger
from backend.runtime.plans import DatabasePlans
from backend.runtime.services import ServiceBook
from backend.runtime.tasks import end
from backend.runtime.worker import FLOWS_QUEUE
from backend.state import AppState
from backend.tasks import service as tasks
from backend.tasks.models import Task
from flows.memory import MemoryCalls
from flows.runner import Environment
from flows.temporal import data_converter, worker_options
from flows.testing import TemporalDevServer, temporal_dev_server
from nodes.sdk.registry import registry

pytestmark = [pytest.mark.temporal, pytest.mark.slow]
EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"
ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalDevServer]:
    with temporal_dev_server(tmp_path_factory.mktemp("temporal")) as running:
        yield running


class Line:
    """The telephone exchange as the gateway records it: each dial goes on record, and ends as the test says."""

    def __init__(self, state: AppState, *results: str) -> None:
        self.state = state
        self.results = list(results)
        self.dialled: list[tuple[str, str]] = []

    async def place(self, business_id: str, call_id: str, *, number: str, flow: str, caller: str) -> None:
        self.dialled.append((number, flow))
        await write_facts(
            self.state.db, [CallStarted(call_id, business_id, "main", "100", number, direction="outbound")]
        )
        facts: list[Any] = []
        result = self.results.pop(0)
        if result == "answered":
            other = f"{call_id}-other"
            facts += [CallAnswered(call_id), LegBegan(other, call_id, "8001", "extension:8001"), LegAnswered(other)]
        facts.append(CallEnded(call_id, "normal" if result == "answered" else result))
        await write_facts(self.state.db, facts)


@asynccontextmanager
async def product(state: AppState, server: TemporalDevServer, line: Line) -> AsyncIterator[Client]:
    """Worker and keeper over one database, as in a process of the product."""
    plans = DatabasePlans(state.db)
    client = await Client.connect(server.address, data_converter=data_converter(plans))
    await register(client)
    book = ServiceBook(state.settings, state.db, state.secrets)
    book.place_call = line.place
    journal = Journal(state.db)
    journal.start()
    environment = Environment(
        registry=registry(), services_for=book, calls=MemoryCalls(), ledger=Ledger(state.db), trail=journal
    )
    keeping = asyncio.create_task(Keeper(state.settings, state.db, state.secrets, lambda: client).run())
    try:
        async with Worker(client, task_queue=FLOWS_QUEUE, **worker_options(environment)):
            yield client
    finally:
        await end(keeping)
        await journal.stop()
        await book.close()


async def until(what: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    loop = asyncio.get_running_loop()
    late = loop.time() + seconds
    while not (found := await what()):
        assert loop.time() < late, "it did not happen in time"
        await asyncio.sleep(0.2)
    return found


async def prepared(state: AppState, actor: Actor, event: Happening, flow: str, **more: Any) -> str:
    await save_calendar(state.db, actor, name="default", timezone="Asia/Shanghai", week=ALWAYS)
    document = json.loads((EXAMPLES / f"{flow.replace('-', '_')}.json").read_text(encoding="utf-8"))
    if "pause" in document["nodes"]:
        document["nodes"]["pause"]["config"]["seconds"] = "0.2"
    await import_flow(state.db, actor, document)
    await publish(state.db, actor, flow)
    row = await rules.save_rule(state.db, actor, name="r", event=event.value, flow=flow, enabled=True, **more)
    return row.id


async def abandoned(state: AppState, call_id: str) -> None:
    now = utcnow()
    async with write(state.db) as session:
        session.add(
            QueueEntry(
                business_id="main", key=call_id, queue="", call_id=call_id, state="done", outcome="abandoned",
                entered_at=now - timedelta(seconds=40), ended_at=now,
            )
        )  # fmt: skip
    await write_facts(
        state.db, [CallStarted(call_id, "main", "main", "+8613800000001", "100"), CallEnded(call_id, "normal")]
    )


async def open_task(state: AppState, actor: Actor) -> Task | None:
    return next(iter((await tasks.list_tasks(state.db, actor, tasks.TaskFilter(mine=False))).items), None)


async def test_an_abandoned_caller_is_called_back_until_reached(
    state: AppState, actor: Actor, server: TemporalDevServer
) -> None:
    line = Line(state, "no_answer", "busy", "answered")
    rule = await prepared(state, actor, Happening.ABANDONED, "abandoned-callback")
    async with product(state, server, line):
        await abandoned(state, "c1")
        run_id = rules.run_of(rule, "abandoned-c1")

        async def over() -> bool:
            found = await rules.list_starts(state.db, "main")
            return (
                bool(found.items)
                and found.items[0].state == "started"
                and ((await get_run(state.db, "main", run_id)).state != "running")
            )

        await until(over, 90)
        run = await get_run(state.db, "main", run_id)
        trail = await trail_of_run(state.db, "main", run_id)
    assert (run.state, run.reason) == ("completed", "reached")
    assert [step.port for step in trail if step.node_id == "dial"] == ["no_answer", "busy", "answered"]
    assert line.dialled == [("+8613800000001", "number:8001")] * 3
    assert (await tasks.list_tasks(state.db, actor, tasks.TaskFilter(mine=False, states=()))).items == []


async def test_a_person_does_what_the_rule_asks_and_the_flow_goes_on(
    state: AppState, actor: Actor, server: TemporalDevServer
) -> None:
    async with write(state.db) as session:
        user = User(business_id="main", name="ana", role=Role.AGENT, password_hash="x")
        session.add(user)
    ana = Actor("main", user.id, "ana", ROLES[Role.AGENT])
    rule = await prepared(state, actor, Happening.ABANDONED, "abandoned-callback", inputs={"automatic": False})
    async with product(state, server, Line(state)) as client:
        await abandoned(state, "c2")
        task = await until(lambda: open_task(state, actor), 60)
        assert (task.kind, task.number, task.origin, task.call_id) == ("callback", "+8613800000001", "flow", "c2")
        assert task.expires_at is not None and task.expires_at > utcnow() + timedelta(hours=7)
        await tasks.take(state.db, ana, task.id)
        await tasks.finish(state.db, ana, task.id, state="done", result="reached")
        run_id = rules.run_of(rule, "abandoned-c2")
        result = await asyncio.wait_for(client.get_workflow_handle(run_id).result(), 60)
        assert result["reason"] == "reached"
        assert await tasks.untold(state.db) == []
        trail = await trail_of_run(state.db, "main", run_id)
    assert next(step for step in trail if step.node_id == "person").outputs["by"] == user.id
