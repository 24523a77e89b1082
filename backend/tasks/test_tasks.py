"""Tasks: made once, taken by one, told to whoever waits."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.agents.models import Agent
from backend.database import utcnow, write
from backend.errors import ConflictError, ForbiddenError, NotFoundError
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.queues.members import memberships_of
from backend.queues.models import Queue, QueueMember
from backend.state import AppState
from backend.tasks import service
from backend.tasks.models import Task
from backend.tasks.service import NewTask, TaskFilter
from backend.testing import ApiClient

HOUR = timedelta(hours=1)
YEARS = (datetime(2020, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - hypothesis adds the zone


async def person(state: AppState, name: str, role: Role = Role.AGENT) -> Actor:
    async with write(state.db) as session:
        user = User(business_id="main", name=name, display_name=name.title(), role=role, password_hash="x")
        session.add(user)
    return Actor("main", user.id, name, ROLES[role])


@pytest.fixture(autouse=True)
def real_memberships() -> None:
    service.use_memberships(memberships_of)


@pytest.fixture
async def ana(state: AppState) -> Actor:
    return await person(state, "ana")


@pytest.fixture
async def bo(state: AppState) -> Actor:
    return await person(state, "bo")


@pytest.fixture
async def boss(state: AppState) -> Actor:
    return await person(state, "boss", Role.SUPERVISOR)


async def serves(state: AppState, queue: str, *people: Actor) -> None:
    async with write(state.db) as session:
        row = Queue(business_id="main", name=queue, label_zh=queue, label_en=queue)
        session.add(row)
        await session.flush()
        for one in people:
            assert one.user_id is not None
            if await session.get(Agent, one.user_id) is None:
                session.add(Agent(user_id=one.user_id, business_id="main"))
            session.add(QueueMember(queue_id=row.id, user_id=one.user_id, business_id="main"))


async def ids(state: AppState, actor: Actor, **wanted: Any) -> list[str]:
    return [row.id for row in (await service.list_tasks(state.db, actor, TaskFilter(**wanted))).items]


async def test_the_same_key_makes_one_task(state: AppState, boss: Actor) -> None:
    made = await asyncio.gather(*(service.create_task(state.db, boss, NewTask("k", title="call")) for _ in range(4)))
    assert len({row.id for row in made}) == 1
    assert len(await ids(state, boss, mine=False)) == 1


async def test_of_two_who_take_a_task_at_once_one_gets_it(state: AppState, ana: Actor, bo: Actor, boss: Actor) -> None:
    await serves(state, "sales", ana, bo)
    row = await service.create_task(state.db, boss, NewTask("k", queue="sales"))
    results = await asyncio.gather(*(service.take(state.db, who, row.id) for who in (ana, bo)), return_exceptions=True)
    winners = [one for one in results if isinstance(one, Task)]
    losers = [one for one in results if isinstance(one, ConflictError | NotFoundError)]
    assert len(winners) == len(losers) == 1
    again = ana if winners[0].assignee == ana.user_id else bo
    assert (await service.take(state.db, again, row.id)).state == "taken"


async def test_people_see_their_own_and_the_common_tasks_of_their_queues(
    state: AppState, ana: Actor, bo: Actor, boss: Actor
) -> None:
    await serves(state, "sales", ana)
    await serves(state, "repair", bo)
    sales = await service.create_task(state.db, boss, NewTask("a", queue="sales"))
    repair = await service.create_task(state.db, boss, NewTask("b", queue="repair"))
    own = await service.create_task(state.db, boss, NewTask("c", assignee=ana.user_id, queue="repair"))
    free = await service.create_task(state.db, boss, NewTask("d"))
    assert set(await ids(state, ana)) == {sales.id, own.id, free.id}
    assert set(await ids(state, bo, mine=False)) == {repair.id, free.id}
    assert set(await ids(state, boss, mine=False)) == {sales.id, repair.id, own.id, free.id}
    with pytest.raises(NotFoundError):
        await service.take(state.db, bo, own.id)
    with pytest.raises(ForbiddenError):
        await service.create_task(state.db, ana, NewTask("e", assignee=bo.user_id))
    with pytest.raises(NotFoundError):
        await service.get_task(state.db, Actor("other", None, "x", ROLES[Role.ADMIN]), own.id)


async def test_counters_move_as_work_is_done(state: AppState, ana: Actor, boss: Actor) -> None:
    now = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)  # noon in Shanghai

    async def due(key: str, hours: float) -> Task:
        row = await service.create_task(state.db, boss, NewTask(key, assignee=ana.user_id, kind="callback"))
        async with write(state.db) as session:
            stored = await session.get(Task, row.id)
            assert stored is not None
            stored.due_at = now + hours * HOUR
        return row

    late, today, tomorrow = await due("late", -5), await due("today", 6), await due("tomorrow", 20)
    await due("far", 100)
    board = await service.board(state.db, ana, now=now)
    assert (board.done, board.left, board.overdue, board.tomorrow) == (0, 2, 1, 1)
    assert board.left_by_kind == {"callback": 2}
    await service.finish(state.db, ana, today.id, state="done", result="reached")
    await service.finish(state.db, ana, today.id, state="done")
    now_real = await service.board(state.db, ana)
    assert now_real.done == 1
    assert await ids(state, ana, due_until=board.ends) == [late.id]
    assert await ids(state, ana, due_from=board.ends, due_until=board.ends + 24 * HOUR) == [tomorrow.id]
    with pytest.raises(ConflictError):
        await service.take(state.db, ana, today.id)


async def test_put_off_handed_on_and_given_up(state: AppState, ana: Actor, bo: Actor, boss: Actor) -> None:
    row = await service.create_task(state.db, boss, NewTask("k", assignee=ana.user_id, number="+8613800000001"))
    later = await service.postpone(state.db, ana, row.id, utcnow() + HOUR, words="no answer", attempt=True)
    assert (later.attempts, later.state, later.note) == (1, "open", "no answer")
    given = await service.hand_on(state.db, ana, row.id, assignee=bo.user_id, words="you know her")
    assert given.assignee == bo.user_id and given.note == "no answer\nyou know her"
    with pytest.raises(NotFoundError):
        await service.take(state.db, ana, row.id)
    over = await service.finish(state.db, bo, row.id, state="given_up", result="wrong_number")
    assert (over.state, over.done_by, over.result) == ("given_up", bo.user_id, "wrong_number")


async def test_reminders_come_once_when_they_are_due(state: AppState, boss: Actor) -> None:
    due = utcnow() + HOUR
    await service.create_task(state.db, boss, NewTask("k", due_at=due, remind_minutes=10))
    heard: list[str] = []
    state.db.listeners.append(lambda events: heard.extend(str(e.data.get("what")) for e in events))
    assert await service.remind(state.db, due - timedelta(minutes=11)) == 0
    assert await service.remind(state.db, due - timedelta(minutes=10)) == 1
    assert await service.remind(state.db, due) == 0
    assert heard == ["due"]


async def test_a_task_that_nobody_does_expires_and_its_flow_is_told_once(state: AppState, ana: Actor) -> None:
    now = utcnow()
    async with write(state.db) as session:
        row = await service.add_task(
            session, "main", NewTask("k", run_id="rule-1", expires_at=now + HOUR, origin="flow")
        )
    assert row.told and await service.expire(state.db, now) == 0
    assert await service.expire(state.db, now + HOUR) == 1
    (waiting,) = await service.untold(state.db)
    assert service.news_of(waiting)["state"] == "expired"
    await service.told(state.db, waiting.id)
    assert await service.untold(state.db) == []
    with pytest.raises(ConflictError):
        await service.finish(state.db, ana, row.id, state="done")


@settings(deadline=None)
@given(
    at=st.datetimes(YEARS[0], YEARS[1], timezones=st.just(UTC)),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_every_moment_lies_in_its_day_and_days_meet(at: datetime, zone: str) -> None:
    begins, ends = service.day_of(at, zone)
    assert begins <= at < ends
    assert timedelta(hours=22) <= ends - begins <= timedelta(hours=26)
    assert service.day_of(ends, zone)[0] == ends


async def test_tasks_over_the_api(client: ApiClient, new_client: Callable[[], ApiClient]) -> None:
    create = "mutation($i: TaskInput!) { createTask(input: $i) { value { id number overdue assignee { name } } errors { code } } }"  # noqa: E501
    made = await client.change(create, i={"kind": "callback", "number": "13800000001", "key": "x"})
    assert made["number"] == "13800000001" and made["assignee"] is None
    assert (await client.change(create, i={"kind": "callback", "key": "x"}))["id"] == made["id"]
    assert (await client.refusal(create, i={"kind": "nonsense"}))["code"] == "invalid"
    await client.change("mutation($i: String!) { takeTask(id: $i) { value { id } errors { code } } }", i=made["id"])
    done = await client.change(
        'mutation($i: String!) { completeTask(id: $i, result: "ok") { value { state doneBy { name } } '
        "errors { code } } }",
        i=made["id"],
    )
    assert done["state"] == "done" and done["doneBy"]["name"]
    board = await client.ask("{ taskBoard { done left overdue tomorrow leftByKind { kind count } } }")
    assert board["taskBoard"]["done"] == 1
    found = await client.ask("{ tasks(filter: {mine: false, states: []}) { nodes { id state } hasNext } }")
    assert found["tasks"]["nodes"] == [{"id": made["id"], "state": "done"}]
    nobody = new_client()
    assert (await nobody.refusal("{ taskBoard { done } }"))["code"] == "unauthenticated"
