"""Whose call it is, who may do what with it, and how calls stand for the people in them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlmodel import col, select

from backend.calls.models import Call, Leg, LiveTalk
from backend.calls.service import get_call
from backend.customers.models import Customer
from backend.database import AsyncSession, Database, read
from backend.errors import ForbiddenError, InvalidError, NotFoundError
from backend.flows.models import Flow, FlowAlias
from backend.identity.models import User
from backend.identity.permissions import Actor, Permission
from backend.numbers.models import Extension
from nodes.sdk.text import text
from telephony.asterisk.config import WEB

Role = Literal["agent", "third", "supervisor"]


@dataclass(frozen=True, slots=True)
class PartyState:
    """Somebody in a call. ``number`` is an extension or an outside number, ``name`` whose it is."""

    channel: str
    role: str
    number: str
    name: str
    up: bool
    hears: str
    muted: bool
    watching: str | None
    away: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class OwnCall:
    """A live call as it stands for one person in it."""

    call_id: str
    leg_id: str
    role: str
    state: str
    direction: str
    number: str
    name: str
    customer_id: str | None
    called: str
    flow_key: str
    started_at: datetime
    answered_at: datetime | None
    since: datetime
    recording: str
    third_result: str
    parties: list[PartyState]


def word_of(op: str) -> str:
    """A client's id of an order as a short word that may be part of a channel's id."""
    if not 1 <= len(op) <= 200:
        raise InvalidError(
            text("操作编号应为 1 到 200 个字符", "an operation's id has 1 to 200 characters"),
            field="op",
            remedy=text("每次操作使用一个新的随机编号。", "Make a new random id for each operation."),
        )
    return hashlib.sha256(op.encode()).hexdigest()[:12]


# --------------------------------------------------------------------------- who may


async def own_leg(db: Database, actor: Actor, call_id: str, *, supervising: bool = False) -> Leg | None:
    """The live leg of a person in a call: their part in the talk, or the one by which they supervise it."""
    async with read(db) as session:
        found = select(Leg).where(
            Leg.business_id == actor.business_id,
            Leg.call_id == call_id,
            Leg.user_id == actor.user_id,
            Leg.state != "ended",
            (Leg.kind == "supervisor") if supervising else (Leg.kind != "supervisor"),
        )
        return (await session.exec(found.order_by(col(Leg.started_at).desc()).limit(1))).first()


async def may_steer(db: Database, actor: Actor, call_id: str) -> Call:
    """The call, when a person may steer it: their own, or they supervise. Raises NotFoundError, ForbiddenError."""
    call = await get_call(db, actor.business_id, call_id, people=actor.people)
    if call.state == "ended" and not await _somebody_stays(db, call_id):
        raise NotFoundError(text("通话已结束", "the call is over"), field="call_id", code="no_call")
    if actor.may(Permission.SUPERVISE):
        return call
    if actor.user_id is not None and await own_leg(db, actor, call_id) is not None:
        return call
    raise ForbiddenError(
        text("这不是您的通话", "this is not your call"),
        field="call_id",
        remedy=text("只能操作自己参与的通话。", "Steer calls that you take part in."),
    )


async def _somebody_stays(db: Database, call_id: str) -> bool:
    """Whether a phone that is hung up by hand is still up after the end of a call."""
    async with read(db) as session:
        found = select(Leg.id).where(Leg.call_id == call_id, Leg.state == "up").limit(1)
        return (await session.exec(found)).first() is not None


async def phone_of(db: Database, actor: Actor) -> str:
    """The destination of a person's own phone. Raises NotFoundError when they have none."""
    async with read(db) as session:
        found = select(Extension.number).where(
            Extension.business_id == actor.business_id,
            Extension.user_id == actor.user_id,
            col(Extension.enabled).is_(True),
        )
        number = (await session.exec(found.order_by(col(Extension.number)).limit(1))).first()
    if number is None or actor.user_id is None:
        raise NotFoundError(
            text("您还没有分机", "you have no extension yet"),
            code="no_extension",
            remedy=text("请联系管理员分配分机。", "Ask an administrator for an extension."),
        )
    return f"extension:{number}"


# --------------------------------------------------------------------------- how calls stand


async def own_calls(db: Database, actor: Actor) -> list[OwnCall]:
    """The live calls in which a person's phone rings or talks, oldest first."""
    if actor.user_id is None:
        return []
    async with read(db) as session:
        found = await session.exec(
            select(Leg, Call)
            .join(Call, col(Call.id) == col(Leg.call_id))
            .where(
                Leg.business_id == actor.business_id,
                Leg.user_id == actor.user_id,
                Leg.state != "ended",
                (col(Call.state) != "ended") | (col(Leg.state) == "up"),
            )
            .order_by(col(Leg.started_at))
        )
        rows = list(found)
        ids = [call.id for _, call in rows]
        talks = {
            talk.call_id: talk for talk in await session.exec(select(LiveTalk).where(col(LiveTalk.call_id).in_(ids)))
        }
        customers = {
            one.id: one.name
            for one in await session.exec(
                select(Customer).where(col(Customer.id).in_([c.customer_id for _, c in rows if c.customer_id]))
            )
        }
        people = await _people(session, actor.business_id, [talk.state for talk in talks.values()])
    return [_own(leg, call, talks.get(call.id), customers, people, actor) for leg, call in rows]


async def parties_of(db: Database, business_id: str, call_id: str) -> tuple[str, list[PartyState]]:
    """The mode of a call's talk and who is in it; an empty mode when nobody talks."""
    async with read(db) as session:
        talk = await session.get(LiveTalk, call_id)
        if talk is None or talk.business_id != business_id:
            return "", []
        people = await _people(session, business_id, [talk.state])
        call = await session.get(Call, call_id)
    return talk.state["mode"], _parties(talk.state, call, people, None)


async def _people(
    session: AsyncSession, business_id: str, states: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[str, str | None]]:
    """Name and user of each extension that takes part."""
    numbers = {
        party["destination"].rpartition(":")[2]
        for state in states
        for party in state["parties"]
        if party["destination"]
    }
    if not numbers:
        return {}
    found = await session.exec(
        select(Extension.number, Extension.name, Extension.user_id, User.display_name)
        .outerjoin(User, col(User.id) == col(Extension.user_id))
        .where(Extension.business_id == business_id, col(Extension.number).in_(sorted(numbers)))
    )
    return {number: (shown or name, user_id) for number, name, user_id, shown in found}


def _parties(
    state: Mapping[str, Any], call: Call | None, people: Mapping[str, tuple[str, str | None]], user_id: str | None
) -> list[PartyState]:
    found = []
    for party in state["parties"]:
        number = party["destination"].rpartition(":")[2].removeprefix(WEB)
        if call is not None and party["channel"] == call.id:
            number = call.called if call.direction != "inbound" else call.caller
        name, owner = people.get(number, ("", None))
        found.append(
            PartyState(
                channel=party["channel"],
                role=party["role"],
                number=number,
                name=name,
                up=party["up"],
                hears=party["hears"],
                muted=party["muted"],
                watching=party["watching"],
                away=party.get("away", False),
                mine=user_id is not None and owner == user_id,
            )
        )
    return found


def _own(
    leg: Leg,
    call: Call,
    talk: LiveTalk | None,
    customers: Mapping[str, str],
    people: Mapping[str, tuple[str, str | None]],
    actor: Actor,
) -> OwnCall:
    placed = leg.id == call.id and call.direction == "inbound"
    called = leg.id == call.id and call.direction == "internal"
    outward = placed or (call.direction != "inbound" and not called)
    state = talk.state if talk is not None else None
    parties = _parties(state, call, people, actor.user_id) if state is not None else []
    if any(one.channel == leg.id and one.role == "customer" for one in parties):
        # Two of the house: each is the agent of their own call, and the other one is who they talk with.
        turned = {"customer": "agent", "agent": "customer"}
        parties = [replace(one, role=turned.get(one.role, one.role)) for one in parties]
    role = next(
        (one.role for one in parties if one.channel == leg.id), "supervisor" if leg.kind == "supervisor" else "agent"
    )
    mode = leg.state if leg.state == "ringing" else state["mode"] if state is not None else "connecting"
    since = leg.started_at if leg.state == "ringing" else leg.answered_at or leg.started_at
    if state is not None and leg.state != "ringing":
        since = datetime.fromisoformat(state["since"])
    if call.state == "ended":
        # A phone that is hung up by hand, and has not been yet.
        mode, since = "over", call.ended_at or since
    return OwnCall(
        call_id=call.id,
        leg_id=leg.id,
        role=role,
        state=mode,
        direction="outbound" if placed else call.direction,
        number=call.called if outward else call.caller,
        name=customers.get(call.customer_id or "", call.caller_name),
        customer_id=call.customer_id,
        called=call.called,
        flow_key=call.flow_key,
        started_at=leg.started_at,
        answered_at=leg.answered_at,
        since=since,
        recording=state["recording"] if state is not None else "off",
        third_result=state["third_result"] if state is not None else "",
        parties=parties,
    )


async def dialled_end(db: Database, actor: Actor, call_id: str) -> str:
    """Why a call that this person dialled did not come about; empty while it is up or when it was answered."""
    mine = select(Leg.id).where(Leg.call_id == call_id, Leg.user_id == actor.user_id)
    async with read(db) as session:
        call = await session.get(Call, call_id)
        if call is None or call.business_id != actor.business_id or (await session.exec(mine)).first() is None:
            return ""
        return call.cause if call.state == "ended" and call.answered_at is None else ""


async def transfer_flows(db: Database, business_id: str) -> list[tuple[str, str]]:
    """Keys and names of the voice flows that are live, by name."""
    live = select(FlowAlias.flow_id).where(FlowAlias.business_id == business_id, FlowAlias.name == "live")
    found = (
        select(Flow.key, Flow.name)
        .where(
            Flow.business_id == business_id,
            Flow.kind == "ivr",
            col(Flow.archived).is_(False),
            col(Flow.id).in_(live),
        )
        .order_by(col(Flow.name), col(Flow.key))
    )
    async with read(db) as session:
        return [(key, name) for key, name in await session.exec(found)]
