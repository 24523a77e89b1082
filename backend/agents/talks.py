"""How the talk stands in which an agent is, in the few words that the wall has room for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from backend.agents.live import ON_A_CALL
from backend.agents.models import Agent
from backend.calls.models import Leg, LiveTalk
from backend.database import Database, read


@dataclass(frozen=True, slots=True)
class TalkNow:
    """``mode`` is empty without a talk; ``away`` tells whose sound has stopped: ``own``, ``other`` or nobody's."""

    mode: str = ""
    away: str = ""


NO_TALK = TalkNow()


def talk_now(state: Mapping[str, Any], own: Collection[str]) -> TalkNow:
    """A talk as it stands for whoever is at the channels `own`. A supervisor who joins makes no conference of it."""
    parties = [one for one in state["parties"] if one["role"] != "supervisor"]
    if not any(one["channel"] in own for one in parties):
        return NO_TALK
    mode = state["mode"]
    if mode == "conference" and not any(one["role"] == "third" for one in parties):
        held = any(one["role"] == "customer" and one.get("hears") == "music" for one in parties)
        mode = "held" if held else "talking"
    gone = [one["channel"] in own for one in parties if one.get("away") and one["up"]]
    return TalkNow(mode, "own" if any(gone) else "other" if gone else "")


async def talks_of(db: Database, business_id: str, agents: Sequence[Agent]) -> dict[str, TalkNow]:
    """The talks of those who are in one, by the agent's id."""
    calls = sorted({one.call_id for one in agents if one.call_id and one.state in ON_A_CALL})
    if not calls:
        return {}
    async with read(db) as session:
        talks = await session.exec(
            select(LiveTalk).where(col(LiveTalk.call_id).in_(calls), LiveTalk.business_id == business_id)
        )
        states = {talk.call_id: talk.state for talk in talks}
        legs = select(Leg.id, Leg.call_id, Leg.user_id).where(
            col(Leg.call_id).in_(sorted(states)), col(Leg.user_id).is_not(None), Leg.state != "ended"
        )
        channels: dict[tuple[str, str | None], set[str]] = {}
        for leg, call, user in await session.exec(legs):
            channels.setdefault((call, user), set()).add(leg)
    return {
        one.user_id: talk_now(states[one.call_id], channels.get((one.call_id, one.user_id), ()))
        for one in agents
        if one.call_id in states
    }


async def in_calls(db: Database, business_id: str, calls: Sequence[str]) -> list[str]:
    """Ids of the agents who are in one of these calls."""
    if not calls:
        return []
    found = select(Agent.user_id).where(
        Agent.business_id == business_id, col(Agent.call_id).in_(calls), col(Agent.state).in_(ON_A_CALL)
    )
    async with read(db) as session:
        return list(await session.exec(found))
