"""Voicemail: boxes open to their members, one person accepts, calls back, and it is deleted by right."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from backend.callbacks.models import FlowRule
from backend.customers.service import save_customer
from backend.database import read, write
from backend.errors import ConflictError, NotFoundError
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.state import AppState
from backend.tasks.models import Task
from backend.testing import ApiClient
from backend.voicemails import service
from backend.voicemails.models import Voicemail
from backend.voicemails.service import VoicemailFilter


async def person(state: AppState, name: str, role: Role = Role.AGENT) -> Actor:
    async with write(state.db) as session:
        user = User(business_id="main", name=name, role=role, password_hash="x")
        session.add(user)
    return Actor("main", user.id, name, ROLES[role])


async def left(state: AppState, key: str, box: str = "service", *, caller: str = "+8613800000001") -> Voicemail:
    source = state.settings.home / f"{key}.wav"
    source.write_bytes(b"RIFF" + bytes(400))
    return await service.save_voicemail(
        state.db, state.settings.recordings, business_id="main", key=key, box=box, call_id=None, caller=caller,
        source=source, seconds=5, callback_number=None, complete=True,
    )  # fmt: skip


async def ids(state: AppState, actor: Actor, **wanted: Any) -> set[str]:
    return {row.id for row in (await service.list_voicemails(state.db, actor, VoicemailFilter(**wanted))).items}


async def test_a_box_with_members_is_closed_to_others(state: AppState, actor: Actor) -> None:
    ana, bo = await person(state, "ana"), await person(state, "bo")
    boss = await person(state, "boss", Role.SUPERVISOR)
    assert ana.user_id is not None
    open_one, closed = await left(state, "a", "service"), await left(state, "b", "board")
    await service.save_box(state.db, actor, name="board", members=[ana.user_id])
    assert await ids(state, ana) == await ids(state, boss) == {open_one.id, closed.id}
    assert await ids(state, bo) == {open_one.id}
    for deed in (service.hear(state.db, bo, closed.id), service.set_state(state.db, bo, closed.id, "heard")):
        with pytest.raises(NotFoundError):
            await deed
    # What is given to somebody they may hear, whatever box it lies in.
    await service.assign(state.db, boss, closed.id, bo.user_id)
    assert await ids(state, bo) == {open_one.id, closed.id}
    assert [(one.name, one.new, one.total) for one in await service.boxes(state.db, bo)] == [("service", 1, 1)]
    assert [one.name for one in await service.boxes(state.db, ana)] == ["board", "service"]


async def test_of_two_who_accept_a_message_one_gets_it(state: AppState) -> None:
    ana, bo = await person(state, "ana"), await person(state, "bo")
    row = await left(state, "a")
    results = await asyncio.gather(
        *(service.set_state(state.db, who, row.id, "accepted") for who in (ana, bo)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["ConflictError", "Voicemail"]
    winner = next(one for one in results if isinstance(one, Voicemail))
    assert winner.handled_by in (ana.user_id, bo.user_id)
    assert (await service.set_state(state.db, ana, row.id, "heard")).state == "accepted"
    assert isinstance(next(one for one in results if not isinstance(one, Voicemail)), ConflictError)


async def test_messages_are_found_and_know_their_customer(state: AppState, actor: Actor) -> None:
    customer = await save_customer(state.db, actor, changes={"name": "王芳", "phones": ["13800000001"]})
    known, stranger = await left(state, "a"), await left(state, "b", "sales", caller="+8613900000002")
    await service.write_note(state.db, actor, stranger.id, "Wants a Quote")
    assert known.customer_id == customer.id and stranger.customer_id is None
    for wanted, expected in (
        ({"box": "sales"}, stranger), ({"number": "+86138"}, known), ({"search": "quote"}, stranger),
        ({"customer_id": customer.id}, known),
    ):  # fmt: skip
        assert await ids(state, actor, **wanted) == {expected.id}
    moved = await service.assign(state.db, actor, stranger.id, None, box="board")
    assert moved.box == "board"


async def tasks_of(state: AppState, row: Voicemail) -> list[Task]:
    async with read(state.db) as session:
        return list(await session.exec(select(Task).where(Task.voicemail_id == row.id)))


async def test_a_box_makes_one_task_of_a_message(state: AppState, actor: Actor) -> None:
    ana, bo = await person(state, "ana"), await person(state, "bo")
    await service.save_box(state.db, actor, name="service", queue="sales", create_task=True)
    await service.save_box(state.db, actor, name="own", members=[ana.user_id or "", bo.user_id or ""], create_task=True)
    row = await left(state, "a")
    await left(state, "a")
    (task,) = await tasks_of(state, row)
    assert (task.kind, task.queue, task.assignee, task.number) == ("voicemail", "sales", None, "+8613800000001")
    whose = {(await tasks_of(state, await left(state, key, "own")))[0].assignee for key in "bc"}
    assert whose == {ana.user_id, bo.user_id}
    assert await tasks_of(state, await left(state, "d", "another")) == []


@pytest.mark.parametrize(("enabled", "boxes", "expected"), [(True, [], 0), (True, ["own"], 1), (False, [], 1)])
async def test_a_callback_rule_does_it_instead(
    state: AppState, actor: Actor, enabled: bool, boxes: list[str], expected: int
) -> None:
    await service.save_box(state.db, actor, name="service", create_task=True)
    async with write(state.db) as session:
        session.add(
            FlowRule(
                business_id="main", name="r", event="voicemail.left", flow="f", filter={"boxes": boxes}, enabled=enabled
            )
        )
    assert len(await tasks_of(state, await left(state, "a"))) == expected


class _Gateway:
    """Stands for a running gateway: it notes what it is asked to dial."""

    def __init__(self) -> None:
        self.dialled: list[Mapping[str, Any]] = []

    async def place_call(self, actor: Actor, **wanted: Any) -> str:
        self.dialled.append(wanted)
        return "out-1"


async def test_voicemail_over_the_api(client: ApiClient, state: AppState) -> None:
    row = await left(state, "a")
    box = "mutation($i: VoicemailBoxInput!) { saveVoicemailBox(input: $i) { value { id new total label { zh } } errors { code } } }"  # noqa: E501
    assert (await client.change(box, i={"name": "service", "labelZh": "客服"}))["label"] == {"zh": "客服"}
    back = 'mutation($i: String!) { callBackVoicemail(id: $i, extension: "8001") { value { callId voicemail { state handledName } } errors { code } } }'  # noqa: E501
    assert (await client.refusal(back, i=row.id))["code"] == "unavailable"
    gateway = _Gateway()
    state.operations = gateway  # type: ignore[assignment]
    called = await client.change(back, i=row.id)
    assert called["callId"] == "out-1" and called["voicemail"]["state"] == "accepted"
    assert gateway.dialled[0]["number"] == "+8613800000001" and gateway.dialled[0]["flow"] == "number:8001"
    asked = await client.ask('{ voicemails(filter: {number: "+86138"}) { nodes { id caller url peaksUrl } } }')
    assert asked["voicemails"]["nodes"][0]["caller"] == "+8613800000001"
    assert (await client.get(asked["voicemails"]["nodes"][0]["url"])).status_code == 200
    gone = "mutation($i: String!) { deleteVoicemail(id: $i) { value { ok } errors { code } } }"
    await client.change(gone, i=row.id)
    assert (await client.get(f"/files/voicemails/{row.id}")).status_code == 404
    assert not list(Path(state.settings.recordings).rglob("*.wav"))
