"""Messages in the house: to a person, a team, everybody; unread counts; announcements for a while."""

from datetime import timedelta

import pytest

from backend.agents.models import Agent
from backend.chat import service
from backend.chat.service import ALL, channel_with, may_read
from backend.database import utcnow, write
from backend.errors import InvalidError, NotFoundError
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.queues.members import memberships_of
from backend.state import AppState
from backend.tasks.service import use_memberships
from backend.testing import ApiClient


@pytest.fixture(autouse=True)
def real_memberships() -> None:
    use_memberships(memberships_of)


async def person(state: AppState, name: str, team: str = "") -> Actor:
    async with write(state.db) as session:
        user = User(business_id="main", name=name, display_name=name.title(), role=Role.AGENT, password_hash="x")
        session.add(user)
        await session.flush()
        session.add(Agent(user_id=user.id, business_id="main", team=team))
    return Actor("main", user.id, name, ROLES[Role.AGENT])


async def unread(state: AppState, actor: Actor) -> dict[str, int]:
    return {one.name: one.unread for one in await service.channels(state.db, actor) if one.unread}


async def test_two_people_write_to_each_other(state: AppState) -> None:
    ana, bo, cy = [await person(state, name) for name in ("ana", "bo", "cy")]
    assert ana.user_id and bo.user_id
    channel = channel_with(ana.user_id, bo.user_id)
    await service.send(state.db, ana, to=bo.user_id, words="lunch?")
    await service.send(state.db, ana, to=bo.user_id, words="12:30")
    assert await unread(state, bo) == {channel: 2} and await unread(state, ana) == {}
    await service.mark_read(state.db, bo, channel)
    answer = await service.send(state.db, bo, to=ana.user_id, words="yes")
    assert await unread(state, bo) == {} and await unread(state, ana) == {channel: 1}
    said = await service.history(state.db, ana, channel)
    assert [row.text for row in said.items] == ["yes", "12:30", "lunch?"]
    with pytest.raises(NotFoundError):
        await service.history(state.db, cy, channel)
    assert await service.get_message(state.db, cy, answer.id) is None
    with pytest.raises(NotFoundError):
        await service.send(state.db, ana, to=ana.user_id, words="me")


async def test_teams_and_everybody(state: AppState) -> None:
    ana, bo, cy = await person(state, "ana", "red"), await person(state, "bo", "red"), await person(state, "cy", "blue")
    await service.send(state.db, ana, channel="team:red", words="red only")
    await service.send(state.db, cy, channel=ALL, words="hello all", urgent=True)
    assert await unread(state, bo) == {"team:red": 1, "all": 1}
    assert await unread(state, cy) == {}
    with pytest.raises(NotFoundError):
        await service.send(state.db, cy, channel="team:red", words="hi")
    for words in ("", " " * 9, "x" * 4001):
        with pytest.raises(InvalidError):
            await service.send(state.db, ana, channel=ALL, words=words)
    newcomer = await person(state, "dee", "red")
    assert await unread(state, newcomer) == {}


def test_channels_are_read_by_who_is_in_them() -> None:
    assert may_read("all", "a", frozenset()) and not may_read("all:x", "a", None)
    assert may_read("person:a:b", "a", None) and not may_read("person:a:b", "c", None)
    assert may_read("team:x", "a", None) and not may_read("team:", "a", None)
    assert not may_read("", "a", None) and not may_read("other:a", "a", None)


async def test_announcements_last_for_a_while(state: AppState, actor: Actor) -> None:
    ana, cy = await person(state, "ana", "red"), await person(state, "cy", "blue")
    now = utcnow()
    soon = now + timedelta(hours=1)
    shown = await service.save_announcement(state.db, actor, title="News", words="All good", until_at=soon)
    await service.save_announcement(state.db, actor, words="later", from_at=soon, until_at=soon + timedelta(hours=1))
    await service.save_announcement(state.db, actor, words="red", team="red", until_at=soon)
    await service.save_announcement(state.db, actor, kind="line", words="Great day!", until_at=soon)
    assert {row.text for row, _ in await service.current(state.db, ana, "announcement")} == {"All good", "red"}
    assert [row.text for row, _ in await service.current(state.db, cy, "announcement")] == ["All good"]
    assert [row.text for row, _ in await service.current(state.db, cy, "line")] == ["Great day!"]
    for _ in range(2):
        await service.confirm(state.db, cy, shown.id)
    assert [seen for _, seen in await service.current(state.db, cy, "announcement")] == [True]
    assert await service.seen_by(state.db, "main", [shown.id]) == {shown.id: 1}
    await service.delete_announcement(state.db, actor, shown.id)
    assert await service.current(state.db, cy, "announcement") == []
    for bad in ({"kind": "shout"}, {"until_at": now - timedelta(hours=1)}, {"words": ""}):
        with pytest.raises(InvalidError):
            await service.save_announcement(state.db, actor, **({"words": "x", "until_at": soon} | bad))  # type: ignore[arg-type]


async def test_the_house_over_the_api(client: ApiClient, state: AppState) -> None:
    ana = await person(state, "ana")
    send = "mutation($t: String!, $o: String) { sendChatMessage(text: $t, to: $o) { value { id channel sender { name } } errors { code } } }"  # noqa: E501
    sent = await client.change(send, t="hi", o=ana.user_id)
    assert sent["sender"]["name"]
    asked = await client.ask("{ chatChannels { name other { name } unread last { text } } }")
    assert {"name": sent["channel"], "other": {"name": "Ana"}, "unread": 0, "last": {"text": "hi"}} in asked[
        "chatChannels"
    ]
    until = (utcnow() + timedelta(hours=1)).isoformat()
    save = "mutation($i: AnnouncementInput!) { saveAnnouncement(input: $i) { value { id seenBy } errors { code } } }"
    await client.change(save, i={"text": "go", "kind": "line", "untilAt": until})
    asked = await client.ask(
        "{ runningLines { text } currentAnnouncements { confirmed } announcements { nodes { kind } } }"
    )
    assert asked["runningLines"] == [{"text": "go"}] and asked["announcements"]["nodes"] == [{"kind": "line"}]
