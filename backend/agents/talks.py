"""How the talk stands in which an agent is, in the few words that the wall has room for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from backend.agents.live import ON_A_CALL
from backend.agents.models import Agent
from backend.calls.models import Leg, LiveTalk
from backend.database import Database, read
from backend.identity.models import User
from telephony.asterisk.config import WEB


@dataclass(frozen=True, slots=True)
class TalkNow:
    """``mode`` is empty without a talk; ``away`` tells whose sound has stopped: ``own``, ``other`` or nobody's.

    ``guest`` tells how somebody is in a talk that is another agent's: ``listen``, ``whisper``, ``barge``, or ``third``
    for who was asked by them; ``host`` is that agent by name, or the number of a phone that is nobody's.
    """

    mode: str = ""
    away: str = ""
    guest: str = ""
    host: str = ""


NO_TALK = TalkNow()


def talk_now(state: Mapping[str, Any], own: Collection[str], names: Mapping[str, str]) -> TalkNow:
    """A talk as it stands for whoever is at the channels `own`; `names` are those of people, by their channels.

    A supervisor who joins makes no conference of it.
    """
    host = next((_name(one, names) for one in state["parties"] if one["role"] == "agent"), "")
    for one in state["parties"]:
        if one["role"] == "supervisor" and one["channel"] in own and one["up"]:
            return TalkNow(guest=one.get("watching") or "listen", host=host)
    parties = [one for one in state["parties"] if one["role"] != "supervisor"]
    mine = next((one for one in parties if one["channel"] in own), None)
    if mine is None:
        return NO_TALK
    mode = state["mode"]
    if mode == "conference" and not any(one["role"] == "third" for one in parties):
        held = any(one["role"] == "customer" and one.get("hears") == "music" for one in parties)
        mode = "held" if held else "talking"
    gone = [one["channel"] in own for one in parties if one.get("away") and one["up"]]
    away = "own" if any(gone) else "other" if gone else ""
    asked = mine["role"] == "third" and host != ""
    return TalkNow(mode, away, "third" if asked else "", host if asked else "")


def _name(party: Mapping[str, Any], names: Mapping[str, str]) -> str:
    number: str = party.get("destination", "").rpartition(":")[2]
    return names.get(party["channel"]) or number.removeprefix(WEB)


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
        legs = (
            select(Leg.id, Leg.call_id, User)
            .join(User, col(User.id) == col(Leg.user_id))
            .where(col(Leg.call_id).in_(sorted(states)), Leg.state != "ended")
        )
        channels: dict[tuple[str, str], set[str]] = {}
        names: dict[str, str] = {}
        for leg, call, user in await session.exec(legs):
            channels.setdefault((call, user.id), set()).add(leg)
            names[leg] = user.display_name or user.name
    return {
        one.user_id: talk_now(states[one.call_id], channels.get((one.call_id, one.user_id), ()), names)
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
