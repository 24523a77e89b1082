"""Who gets a browser phone, its passwords, and what a test call keeps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.database import write
from backend.errors import ForbiddenError, NotFoundError
from backend.flows.service import InvalidFlowError, create_flow, publish
from backend.identity.permissions import ROLES, Actor, Role
from backend.identity.service import create_user
from backend.numbers.service import save_extension
from backend.phones import service
from backend.phones.models import TrialCall
from backend.runtime.plans import DatabasePlans
from backend.state import AppState

FLOW: dict[str, Any] = {
    "id": "tried",
    "kind": "ivr",
    "name": "tried",
    "languages": ["en"],
    "entry": "answer",
    "nodes": {
        "answer": {"type": "voice.answer", "name": "a", "config": {}},
        "bye": {"type": "voice.hangup", "name": "b", "config": {}},
    },
    "edges": [{"from": "answer", "port": "next", "to": "bye"}],
}


async def person(state: AppState, actor: Actor, name: str, role: Role) -> Actor:
    user = await create_user(
        state.db, actor, name=name, password="orbit-lantern-4711", role=role, display_name=f'{name} "the" Great'
    )
    return Actor(actor.business_id, user.id, name, ROLES[role])


async def test_an_agent_is_the_phone_of_their_extension(state: AppState, actor: Actor) -> None:
    agent = await person(state, actor, "ann", Role.AGENT)
    with pytest.raises(ForbiddenError) as refused:
        await service.browser_phone(state.db, agent)
    assert refused.value.code == "no_extension"
    await save_extension(state.db, state.secrets, actor, number="8801", name="", user_id=agent.user_id)
    phone = await service.browser_phone(state.db, agent)
    assert (phone.name, phone.number, phone.dials) == ("web-8801", "8801", True)
    # What would break out of a line of SIP is not in the name.
    assert phone.display == "ann the Great"


async def test_an_author_without_an_extension_makes_test_calls_only(state: AppState, actor: Actor) -> None:
    author = await person(state, actor, "boss", Role.SUPERVISOR)
    phone = await service.browser_phone(state.db, author)
    assert phone.name.startswith("user-") and phone.number == "" and not phone.dials
    inspector = await person(state, actor, "eva", Role.QUALITY)
    with pytest.raises(ForbiddenError):
        await service.browser_phone(state.db, inspector)


def test_passwords_change_with_the_period_and_the_name(state: AppState) -> None:
    now = datetime(2026, 11, 25, 16, 5, tzinfo=UTC)
    period = service.period_of(now)
    made = {
        service.password_of(state.secrets, name, when) for name in ("web-1", "web-2") for when in (period, period + 1)
    }
    assert len(made) == 4 and all(len(one) >= 32 for one in made)
    assert timedelta(minutes=30) < service.expires_at(period) - now <= timedelta(hours=1)
    assert service.period_of(now + service.PERIOD) == period + 1


def test_ice_servers_are_read_from_the_setting() -> None:
    assert service.ice_servers("") == []
    assert service.ice_servers("stun:s.example:3478, ann:secret@turn:t.example:3478") == [
        {"urls": "stun:s.example:3478", "username": "", "credential": ""},
        {"urls": "turn:t.example:3478", "username": "ann", "credential": "secret"},
    ]


async def test_the_plan_of_a_test_call_is_kept_and_dialled_once(state: AppState, actor: Actor) -> None:
    await create_flow(state.db, actor, FLOW)
    row, dial = await service.prepare_trial(state.db, actor, "tried", on="draft", caller="13800138000")
    assert dial.startswith("test-") and dial not in repr(row)
    assert await DatabasePlans(state.db).load(row.plan_hash) == row.plan
    assert await service.dialled_trial(state.db, "test-000000000000000000000000", "c1") is None
    found = await service.dialled_trial(state.db, dial, "c1")
    assert found is not None and found.call_id == "c1" and found.version == 0
    # The same call may ask again after a restart, another one may not.
    assert await service.dialled_trial(state.db, dial, "c1") is not None
    assert await service.dialled_trial(state.db, dial, "c2") is None
    with pytest.raises(NotFoundError):
        await service.get_trial(state.db, "another-business", row.id)


async def test_a_test_call_is_good_for_ten_minutes(state: AppState, actor: Actor) -> None:
    await create_flow(state.db, actor, FLOW)
    row, dial = await service.prepare_trial(state.db, actor, "tried", on="draft")
    async with write(state.db) as session:
        kept = await session.get(TrialCall, row.id)
        assert kept is not None
        kept.created_at -= timedelta(minutes=11)
    assert await service.dialled_trial(state.db, dial, "c1") is None


async def test_a_test_call_runs_a_version_or_tells_every_problem_of_a_draft(state: AppState, actor: Actor) -> None:
    await create_flow(state.db, actor, FLOW)
    await publish(state.db, actor, "tried")
    row, dial = await service.prepare_trial(state.db, actor, "tried", on="live", number="8001")
    assert row.version == 1 and dial == "" and row.number == "8001"
    await create_flow(state.db, actor, {**FLOW, "id": "broken", "edges": []})
    with pytest.raises(InvalidFlowError) as refused:
        await service.prepare_trial(state.db, actor, "broken", on="draft")
    assert refused.value.problems
