"""Wrap-ups: saved once however often, planned contacts follow, codes ask for what they need."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from backend.calls.facts import CallAnswered, CallEnded, CallStarted, write_facts
from backend.calls.service import get_call
from backend.customers.service import save_customer
from backend.database import read, utcnow, write
from backend.errors import ConflictError, InvalidError, NotFoundError
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.state import AppState
from backend.tasks import service as tasks
from backend.tasks.models import Task
from backend.testing import ApiClient
from backend.wrapup import service
from backend.wrapup.models import Disposition, WrapUp


@pytest.fixture
async def ana(state: AppState) -> Actor:
    async with write(state.db) as session:
        user = User(business_id="main", name="ana", role=Role.AGENT, password_hash="x")
        session.add(user)
    return Actor("main", user.id, "ana", ROLES[Role.AGENT])


@pytest.fixture
async def call(state: AppState) -> str:
    await write_facts(
        state.db, [CallStarted("c1", "main", "g", "13800000001", "100"), CallAnswered("c1"), CallEnded("c1", "normal")]
    )
    return "c1"


async def code(state: AppState, actor: Actor, name: str, **more: Any) -> Disposition:
    return await service.save_disposition(state.db, actor, code=name, label_zh=name, label_en=name, **more)


async def all_tasks(state: AppState) -> list[Task]:
    async with read(state.db) as session:
        return list(await session.exec(select(Task)))


async def test_saving_twice_is_saving_once(state: AppState, actor: Actor, ana: Actor, call: str) -> None:
    customer = await save_customer(state.db, actor, changes={"name": "王芳", "phones": ["13800000001"]})
    sold = await code(state, actor, "sold", success=True)
    later = utcnow() + timedelta(days=2)
    for _ in range(2):
        row = await service.save_wrap_up(
            state.db, ana, call, disposition_id=sold.id, words="likes blue", next_contact_at=later
        )
    assert len(await service.wrap_ups_of(state.db, "main", call)) == 1
    (task,) = await all_tasks(state)
    assert (task.kind, task.assignee, task.due_at, task.customer_id) == ("planned", ana.user_id, later, customer.id)
    assert row.task_id == task.id and row.code == "sold"
    stored = await get_call(state.db, "main", call)
    assert stored.note == "likes blue" and stored.customer_id == customer.id


async def test_the_planned_contact_follows_its_date(state: AppState, ana: Actor, call: str) -> None:
    first, second = utcnow() + timedelta(days=1), utcnow() + timedelta(days=3)
    await service.save_wrap_up(state.db, ana, call, next_contact_at=first)
    await service.save_wrap_up(state.db, ana, call, next_contact_at=second)
    (task,) = await all_tasks(state)
    assert task.due_at == second and task.state == "open"
    await service.save_wrap_up(state.db, ana, call)
    assert [one.state for one in await all_tasks(state)] == ["cancelled"]
    # A contact that was made stays made; a new date is a new task.
    await service.save_wrap_up(state.db, ana, call, next_contact_at=first)
    done = next(one for one in await all_tasks(state) if one.state == "open")
    await tasks.finish(state.db, ana, done.id, state="done")
    await service.save_wrap_up(state.db, ana, call, next_contact_at=second)
    assert sorted(one.state for one in await all_tasks(state)) == ["cancelled", "done", "open"]


async def test_each_agent_has_their_own(state: AppState, ana: Actor, call: str) -> None:
    async with write(state.db) as session:
        other = User(business_id="main", name="bo", role=Role.AGENT, password_hash="x")
        session.add(other)
    bo = Actor("main", other.id, "bo", ROLES[Role.AGENT])
    await service.save_wrap_up(state.db, ana, call, words="first")
    await service.save_wrap_up(state.db, bo, call, words="second")
    assert [row.note for row in await service.wrap_ups_of(state.db, "main", call)] == ["first", "second"]
    with pytest.raises(NotFoundError):
        await service.save_wrap_up(state.db, Actor("other", other.id, "x", bo.permissions), call)


async def test_codes_ask_for_what_they_need(state: AppState, actor: Actor, ana: Actor, call: str) -> None:
    group = await code(state, actor, "open")
    again = await code(state, actor, "again", parent_id=group.id, needs_next_contact=True)
    passed = await code(state, actor, "passed", needs_note=True)
    old = await code(state, actor, "old", enabled=False)
    for chosen, field in ((group, "dispositionId"), (again, "nextContactAt"), (passed, "note")):
        with pytest.raises(InvalidError) as refused:
            await service.save_wrap_up(state.db, ana, call, disposition_id=chosen.id)
        assert refused.value.field == field
    with pytest.raises(NotFoundError):
        await service.save_wrap_up(state.db, ana, call, disposition_id=old.id)
    with pytest.raises(InvalidError):
        await service.save_wrap_up(state.db, ana, call, next_contact_at=utcnow() - timedelta(hours=1))
    assert await service.wrap_ups_of(state.db, "main", call) == []


async def test_codes_are_a_tree_of_two_levels_for_each_queue(state: AppState, actor: Actor) -> None:
    top = await code(state, actor, "a")
    below = await code(state, actor, "b", parent_id=top.id, queue="sales")
    await code(state, actor, "a", queue="sales")
    with pytest.raises(ConflictError):
        await code(state, actor, "a")
    with pytest.raises(InvalidError):
        await code(state, actor, "c", parent_id=below.id)
    with pytest.raises(InvalidError):
        await service.save_disposition(
            state.db, actor, id=top.id, code="a", label_zh="a", label_en="a", parent_id=below.id
        )
    seen = {row.code for row in await service.list_dispositions(state.db, "main", queue="repair")}
    assert seen == {"a"}
    await service.delete_disposition(state.db, actor, top.id)
    assert [row.queue for row in await service.list_dispositions(state.db, "main")] == ["sales"]


async def test_wrap_ups_over_the_api(client: ApiClient, state: AppState, call: str) -> None:
    save = "mutation($c: String!, $i: WrapUpInput!) { saveWrapUp(callId: $c, input: $i) { value { code note agent { name } taskId } errors { code field } } }"  # noqa: E501
    made = await client.change(save, c=call, i={"note": "fine"})
    assert made["note"] == "fine" and made["agent"]["name"]
    assert (await client.refusal(save, c="none", i={}))["code"] == "not_found"
    asked = await client.ask(
        '{ wrapUpsOfCall(callId: "c1") { note } wrapUps { nodes { callId } } dispositions { code } }'
    )
    assert asked["wrapUpsOfCall"] == [{"note": "fine"}] and asked["wrapUps"]["nodes"] == [{"callId": "c1"}]
    async with read(state.db) as session:
        assert len(list(await session.exec(select(WrapUp)))) == 1
