"""Queues and agents over the API and the database: states, the line, offers, supervisors."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.agents import service as agents
from backend.agents.graphql import live_agents
from backend.agents.live import CHANGED
from backend.agents.machine import GoNotReady, GoReady, SignIn, SignOut
from backend.agents.service import AgentInput
from backend.database import write
from backend.errors import ConflictError
from backend.identity import service as identity
from backend.identity.models import User
from backend.identity.permissions import ROLES, Actor, Role
from backend.numbers.models import Extension
from backend.queues import service
from backend.queues.desk import BusinessQueues, Watch
from backend.queues.service import OverflowInput, QueueInput
from backend.state import AppState
from backend.testing import ADMIN_PASSWORD, ApiClient
from nodes.sdk.services import QueueAsk


async def make_agent(state: AppState, actor: Actor, name: str, extension: str, **profile: Any) -> Actor:
    """A user who is an agent, as an actor."""
    user = await identity.create_user(
        state.db, actor, name=name, display_name=name.title(), role="agent", password=ADMIN_PASSWORD
    )
    async with write(state.db) as session:
        row = await session.get(User, user.id)
        assert row is not None
        row.must_change_password = False
        session.add(
            Extension(business_id=actor.business_id, number=extension, password=state.secrets.seal("secret-1234"))
        )
    await agents.save_agent(state.db, actor, user.id, AgentInput(extension=extension, **profile))
    return Actor(actor.business_id, user.id, name, ROLES[Role.AGENT])


async def make_queue(state: AppState, actor: Actor, name: str, *members: Actor, **rules: Any) -> None:
    await service.save_queue(state.db, actor, QueueInput(name=name, label_zh="热线", label_en="Hotline", **rules))
    await service.set_members(state.db, actor, name, [member.user_id or "" for member in members])


async def test_an_agents_day_over_the_api(
    state: AppState, actor: Actor, client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    await client.change('mutation { saveTeam(key: "a", name: "Team A") { value { key } errors { code field } } }')
    ann = await make_agent(state, actor, "ann", "8011")
    await client.change(
        """mutation { saveAgentReason(reason: {key: "lunch", labelZh: "午餐", labelEn: "Lunch"})
           { value { key } errors { code field } } }"""
    )
    mine = new_client()
    await mine.sign_in("ann", ADMIN_PASSWORD)
    live = "{ value { state reason wish queues team call { callId } } errors { code field } }"
    assert (await mine.change(f"mutation {{ agentSignIn {live} }}"))["state"] == "not_ready"
    assert (await mine.change(f"mutation {{ agentReady {live} }}"))["state"] == "ready"
    refusal = await mine.refusal(f'mutation {{ agentNotReady(reason: "nap") {live} }}')
    assert refusal["field"] == "reason"
    away = await mine.change(f'mutation {{ agentNotReady(reason: "lunch") {live} }}')
    assert (away["state"], away["reason"]) == ("not_ready", "lunch")
    moved = await client.change(
        'mutation($ids: [String!]!) { moveAgents(userIds: $ids, team: "a") { value errors { code } } }',
        ids=[ann.user_id],
    )
    assert moved == 1
    forced = await client.change(
        f'mutation($id: String!) {{ forceAgentState(userId: $id, state: "ready") {live} }}', id=ann.user_id
    )
    assert forced["state"] == "ready" and forced["team"] == "a"
    log = await client.ask("{ agentStateLog { nodes { state reason by seconds endedAt } } }")
    stretches = log["agentStateLog"]["nodes"]
    assert [one["state"] for one in stretches] == ["ready", "not_ready", "ready", "not_ready"]
    assert stretches[0]["by"] == "admin" and stretches[0]["endedAt"] is None and stretches[1]["endedAt"] is not None
    nobody = await mine.refusal('mutation { forceAgentState(userId: "x", state: "ready") { errors { code } } }')
    assert nobody["code"] == "forbidden"


async def test_a_call_for_help_is_seen_and_answered_once(
    state: AppState, actor: Actor, client: ApiClient, new_client: Callable[[], ApiClient]
) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    mine = new_client()
    await mine.sign_in("ann", ADMIN_PASSWORD)
    live = "{ value { helpSince helpNote helpBy helpByName } errors { code field } }"
    call = f"mutation($n: String!) {{ callForHelp(note: $n) {live} }}"
    answer = f"mutation($id: String!) {{ answerHelp(userId: $id) {live} }}"
    assert (await mine.refusal(call, n="?"))["code"] == "wrong_state"
    await agents.change_own_state(state.db, ann, SignIn())
    assert (await client.refusal(answer, id=ann.user_id))["code"] == "no_help"
    with state.bus.subscribe(lambda event: event.topic == CHANGED and event.subject == ann.user_id) as events:
        called = await mine.change(call, n="angry caller")
        assert called["helpSince"] and called["helpNote"] == "angry caller" and called["helpBy"] is None
        await asyncio.wait_for(anext(aiter(events)), 30)
    assert (await mine.change(call, n="very angry"))["helpSince"] == called["helpSince"]
    assert (await mine.refusal(answer, id=ann.user_id))["code"] == "forbidden"
    assert (await client.change(answer, id=ann.user_id))["helpByName"]
    (seen,) = (await client.ask("{ agentsLive { helpSince helpNote helpBy } }"))["agentsLive"]
    assert seen["helpNote"] == "very angry" and seen["helpBy"]
    other = Actor(actor.business_id, "another", "another", ROLES[Role.SUPERVISOR])
    with pytest.raises(ConflictError):
        await agents.answer_help(state.db, other, ann.user_id or "")
    with pytest.raises(ConflictError, match="own call for help"):
        await agents.answer_help(state.db, ann, ann.user_id or "")
    ended = await mine.change(f"mutation {{ endHelp {live} }}")
    assert ended == {"helpSince": None, "helpNote": "", "helpBy": None, "helpByName": ""}
    await mine.change(call, n="again")
    await agents.change_own_state(state.db, ann, SignOut())
    (gone,) = (await client.ask("{ agentsLive { helpSince } }"))["agentsLive"]
    assert gone["helpSince"] is None


async def test_queues_are_made_checked_and_removed(state: AppState, actor: Actor, client: ApiClient) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    save = """mutation($q: QueueInput!) { saveQueue(queue: $q) {
        value { name strategy overflow { queue afterSeconds } members } errors { code field } } }"""
    base = {"name": "hotline", "labelZh": "热线", "labelEn": "Hotline"}
    assert (await client.change(save, q=base))["strategy"] == "longest_idle"
    for wrong, field in (
        ({"strategy": "fastest"}, "strategy"),
        ({"name": "no blanks"}, "name"),
        ({"ringSeconds": 1}, "ring_seconds"),
        ({"overflow": [{"queue": "nowhere"}]}, "overflow"),
        ({"popUrl": "ftp://x"}, "pop_url"),
        ({"skills": {"english": 12}}, "skills"),
    ):
        assert (await client.refusal(save, q=base | wrong))["field"] == field
    await make_queue(state, actor, "night", ann, overflow=[OverflowInput("hotline", 30)])
    assert (await client.refusal('mutation { deleteQueue(name: "hotline") { errors { code } } }'))["code"] == "conflict"
    await client.change('mutation { deleteQueue(name: "night") { errors { code } } }')
    await client.change('mutation { deleteQueue(name: "hotline") { errors { code } } }')
    assert (await client.ask("{ queues { name } }"))["queues"] == []


async def test_who_is_no_agent_is_told_so(state: AppState, actor: Actor, client: ApiClient) -> None:
    assert (await client.ask("{ myAgent { state } }"))["myAgent"] is None
    assert (await client.refusal("mutation { agentReady { errors { code } } }"))["code"] == "no_agent"


async def test_a_reason_has_a_limit_after_which_console_and_wall_warn(state: AppState, actor: Actor) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await agents.save_reason(state.db, actor, agents.ReasonInput("lunch", "午餐", "Lunch", limit_minutes=30))
    await agents.save_reason(state.db, actor, agents.ReasonInput("train", "培训", "Training"))
    await agents.change_own_state(state.db, ann, SignIn())
    for reason, limited in (("lunch", True), ("train", False), ("", False)):
        row = await agents.change_own_state(state.db, ann, GoNotReady(reason))
        (live,) = await live_agents(state, "main", [ann.user_id or ""])
        assert live.limit_at == (row.since + timedelta(minutes=30) if limited else None)
    await agents.change_own_state(state.db, ann, GoReady())
    (live,) = await live_agents(state, "main", [ann.user_id or ""])
    assert live.limit_at is None


async def test_the_music_of_a_queue_is_on_its_ticket_also_when_the_place_is_found_again(
    state: AppState, actor: Actor
) -> None:
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann, music="jazz")
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    for _ in range(2):
        assert (await desk.enter(QueueAsk(queue="hotline", patient=True), key="k1")).music == "jazz"
