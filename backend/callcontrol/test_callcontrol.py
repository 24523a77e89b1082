"""Whose call it is and how it stands, and that every refusal has words in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest

from backend.callcontrol import service
from backend.callcontrol.words import WORDS, refusal
from backend.calls.facts import CallEnded, CallStarted, LegAnswered, LegBegan, LegEnded, TalkChanged, write_facts
from backend.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from backend.flows import service as flows
from backend.identity.permissions import ROLES, Actor, Role
from backend.identity.service import create_user
from backend.numbers.service import save_extension
from backend.state import AppState
from telephony import conversation
from telephony.conversation import ControlError


async def person(state: AppState, actor: Actor, name: str, role: Role, extension: str) -> Actor:
    user = await create_user(state.db, actor, name=name, password="orbit-lantern-4711", role=role, display_name=name)
    await save_extension(state.db, state.secrets, actor, number=extension, user_id=user.id)
    return Actor(actor.business_id, user.id, name, ROLES[role])


def party(channel: str, role: str, destination: str, **more: Any) -> dict[str, Any]:
    found = {"channel": channel, "role": role, "destination": destination, "up": True, "hears": "talk"}
    return {**found, "muted": False, "watching": None, **more}


TALK = {
    "mode": "held",
    "since": "2026-11-25T09:00:05+00:00",
    "began": "2026-11-25T09:00:00+00:00",
    "recording": "on",
    "third_result": "",
    "parties": [
        party("c1", "customer", "13800138000", hears="music"),
        party("c1-leg", "agent", "extension:8501", muted=True),
    ],
}


async def test_a_call_stands_for_its_agent_as_it_is(state: AppState, actor: Actor) -> None:
    ann = await person(state, actor, "ann", Role.AGENT, "8501")
    bob = await person(state, actor, "bob", Role.AGENT, "8502")
    start = CallStarted("c1", actor.business_id, "main", "13800138000", "100", trunk="t")
    await write_facts(state.db, [start, LegBegan("c1-leg", "c1", "8501", "extension:8501")])
    (ringing,) = await service.own_calls(state.db, ann)
    assert (ringing.state, ringing.number, ringing.role, ringing.leg_id) == (
        "ringing",
        "13800138000",
        "agent",
        "c1-leg",
    )
    assert await service.own_calls(state.db, bob) == []
    await write_facts(state.db, [LegAnswered("c1-leg"), TalkChanged("c1", TALK)])
    (held,) = await service.own_calls(state.db, ann)
    assert held.state == "held" and held.since.isoformat() == TALK["since"] and held.recording == "on"
    customer, agent = held.parties
    assert (customer.number, customer.hears) == ("13800138000", "music")
    assert (agent.number, agent.name, agent.muted, agent.mine) == ("8501", "ann", True, True)
    assert (await service.parties_of(state.db, actor.business_id, "c1"))[0] == "held"
    assert (await service.parties_of(state.db, "another-business", "c1")) == ("", [])
    await write_facts(state.db, [LegEnded("c1-leg", "normal"), TalkChanged("c1", None)])
    assert await service.own_calls(state.db, ann) == []
    assert (await service.parties_of(state.db, actor.business_id, "c1")) == ("", [])


async def test_the_row_of_a_talk_goes_with_its_call(state: AppState, actor: Actor) -> None:
    await write_facts(state.db, [CallStarted("c1", actor.business_id, "main", "1", "100"), TalkChanged("c1", TALK)])
    await write_facts(state.db, [CallEnded("c1", "normal"), TalkChanged("c1", TALK)])
    assert (await service.parties_of(state.db, actor.business_id, "c1")) == ("", [])


async def dials_a_colleague(state: AppState, actor: Actor) -> None:
    """Extension 8501 calls 8502."""
    await write_facts(
        state.db,
        [
            CallStarted("out-1", actor.business_id, "main", "8501", "8502", direction="internal"),
            LegBegan("agent-out-1", "out-1", "8501", "extension:8501"),
        ],
    )


async def test_colleagues_who_call_each_other_both_see_the_call(state: AppState, actor: Actor) -> None:
    ann = await person(state, actor, "ann", Role.AGENT, "8501")
    bob = await person(state, actor, "bob", Role.AGENT, "8502")
    await dials_a_colleague(state, actor)
    (hers,), (his,) = await service.own_calls(state.db, ann), await service.own_calls(state.db, bob)
    assert (hers.number, his.number) == ("8502", "8501") and hers.direction == his.direction == "internal"


async def test_who_dialled_is_told_why_nobody_came(state: AppState, actor: Actor) -> None:
    ann = await person(state, actor, "ann", Role.AGENT, "8501")
    eva = await person(state, actor, "eva", Role.AGENT, "8503")
    await dials_a_colleague(state, actor)
    assert await service.dialled_end(state.db, ann, "out-1") == ""
    await write_facts(state.db, [CallEnded("out-1", "rejected")])
    assert await service.dialled_end(state.db, ann, "out-1") == "rejected"
    assert await service.dialled_end(state.db, eva, "out-1") == await service.dialled_end(state.db, ann, "no") == ""


async def test_who_may_steer_a_call(state: AppState, actor: Actor) -> None:
    ann = await person(state, actor, "ann", Role.AGENT, "8501")
    bob = await person(state, actor, "bob", Role.AGENT, "8502")
    boss = await person(state, actor, "eva", Role.SUPERVISOR, "8503")
    await write_facts(
        state.db,
        [
            CallStarted("c1", actor.business_id, "main", "1", "100"),
            LegBegan("c1-leg", "c1", "8501", "extension:8501"),
            LegBegan("c1-watch-1", "c1", "8502", "extension:8502", kind="supervisor"),
        ],
    )
    for allowed in (ann, boss, actor):
        assert (await service.may_steer(state.db, allowed, "c1")).id == "c1"
    with pytest.raises(ForbiddenError):
        # Whoever only listens has no hand in the talk.
        await service.may_steer(state.db, bob, "c1")
    stranger = Actor("another-business", boss.user_id, "eva", ROLES[Role.SUPERVISOR])
    with pytest.raises(NotFoundError):
        await service.may_steer(state.db, stranger, "c1")
    await write_facts(state.db, [CallEnded("c1", "normal")])
    with pytest.raises(NotFoundError):
        await service.may_steer(state.db, ann, "c1")


def test_an_operation_s_id_becomes_a_short_word() -> None:
    assert service.word_of("a" * 200) != service.word_of("b") and re.fullmatch(r"[0-9a-f]{12}", service.word_of("日"))
    for bad in ("", "x" * 201):
        with pytest.raises(InvalidError):
            service.word_of(bad)


def test_every_refusal_of_a_conversation_has_chinese_words() -> None:
    source = Path(conversation.__file__).read_text()
    said = set(re.findall(r'ControlError\(\s*"[a-z_]+",\s*"([^"]+)"', source))
    said |= set(re.findall(r'_needs\([^"]*(?:"[a-z]+"[^"]*)?"([^"]{6,})"\)', source))
    # An order's id is made by the product itself.
    said = {words for words in said if not words.startswith("an order's id")}
    assert len(said) > 8 and said <= set(WORDS), said - set(WORDS)
    assert isinstance(refusal(ControlError("wrong_state", next(iter(said)))), ConflictError)
    assert refusal(ControlError("no_talk", "the talk is over")).code == "no_talk"


async def test_a_call_is_given_to_flows_that_are_live(state: AppState, actor: Actor) -> None:
    nodes = {
        "answer": {"type": "voice.answer", "name": "", "config": {}},
        "bye": {"type": "voice.hangup", "name": "", "config": {}},
    }
    edges = [{"from": "answer", "port": "next", "to": "bye"}]
    for key in ("menu", "draft-only"):
        await flows.create_flow(
            state.db,
            actor,
            {"id": key, "kind": "ivr", "name": key, "entry": "answer", "nodes": nodes, "edges": edges},
        )
    await flows.publish(state.db, actor, "menu")
    assert await service.transfer_flows(state.db, actor.business_id) == [("menu", "menu")]
    assert await service.transfer_flows(state.db, "another-business") == []
