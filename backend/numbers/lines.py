"""Trunks and lines as they stand: whether each trunk is there, and the calls that are up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import col, select

from backend.calls.models import Call, Leg
from backend.customers.models import Customer
from backend.database import Database, read, utcnow, write
from backend.events import record
from backend.identity.models import User
from backend.numbers.models import Trunk, TrunkState

CHANGED = "trunk.changed"
"""The event of a trunk that came, went, or was refused."""
AGAIN = timedelta(seconds=30)
"""A state that stays is written down again so often: it tells that somebody still looks."""
STALE = timedelta(seconds=90)
"""What a gateway found longer ago says nothing of now."""


class State(StrEnum):
    """How a trunk stands, the worst first."""

    REJECTED = "rejected"
    """The far end refuses the account."""
    DOWN = "down"
    """The far end does not answer."""
    UNKNOWN = "unknown"
    REACHABLE = "reachable"
    REGISTERED = "registered"
    OFF = "off"


_WORST = list(State)


def state_of(registration: str | None, answers: bool | None) -> State:
    """How a trunk stands: by its registration (registered, refused, silent), else as its far end answers."""
    if registration is not None:
        known = {"registered": State.REGISTERED, "refused": State.REJECTED, "silent": State.DOWN}
        return known.get(registration, State.UNKNOWN)
    return State.UNKNOWN if answers is None else State.REACHABLE if answers else State.DOWN


async def write_states(db: Database, gateway: str, trunks: Sequence[Trunk], found: Mapping[str, State]) -> None:
    """Keep how a gateway found trunks, by id; whoever follows the lines is told of changes."""
    now = utcnow()
    async with read(db) as session:
        rows = await session.exec(select(TrunkState).where(TrunkState.gateway == gateway))
        known = {row.trunk_id: row for row in rows}
    late = [
        trunk
        for trunk in trunks
        if trunk.id in found
        and ((row := known.get(trunk.id)) is None or row.state != found[trunk.id] or now - row.seen_at > AGAIN)
    ]
    if not late:
        return
    async with write(db) as session:
        for trunk in late:
            # Somebody may have removed the trunk meanwhile.
            if await session.get(Trunk, trunk.id) is None:
                continue
            state, row = found[trunk.id], await session.get(TrunkState, (trunk.id, gateway))
            if row is None:
                row = TrunkState(
                    trunk_id=trunk.id, gateway=gateway, business_id=trunk.business_id, state=state, since=now
                )
                session.add(row)
                record(session, trunk.business_id, CHANGED, trunk.id, state=state)
            elif row.state != state:
                row.state, row.since = state, now
                record(session, trunk.business_id, CHANGED, trunk.id, state=state)
            row.seen_at = now


@dataclass(frozen=True, slots=True)
class TrunkNow:
    """A trunk as the worst of its gateways found it, and its calls now."""

    trunk: Trunk
    state: State
    since: datetime | None
    calls: int


@dataclass(slots=True)
class Line:
    """A call that is up: who of the house talks in it, and every trunk that it uses."""

    call: Call
    customer: str = ""
    people: dict[str, str] = field(default_factory=dict)
    """Names by user id."""
    trunks: list[str] = field(default_factory=list)


def worst(states: Sequence[TrunkState], now: datetime) -> TrunkState | None:
    """What tells most of a trunk: the worst that was found lately."""
    fresh = [one for one in states if now - one.seen_at <= STALE]
    return min(fresh, key=lambda one: (_WORST.index(State(one.state)), one.since), default=None)


async def lines_now(db: Database, business_id: str) -> tuple[list[TrunkNow], list[Line]]:
    """Every trunk and every live call of a business, the oldest call first."""
    is_open = col(Call.state).in_(("ringing", "up"))
    async with read(db) as session:
        trunks = list(
            await session.exec(
                select(Trunk).where(Trunk.business_id == business_id).order_by(col(Trunk.priority), col(Trunk.name))
            )
        )
        states: dict[str, list[TrunkState]] = {}
        for state in await session.exec(select(TrunkState).where(TrunkState.business_id == business_id)):
            states.setdefault(state.trunk_id, []).append(state)
        found = (
            select(Call, Customer.name)
            .join(Customer, col(Customer.id) == col(Call.customer_id), isouter=True)
            .where(Call.business_id == business_id, is_open)
            .order_by(col(Call.started_at))
        )
        lines = {call.id: Line(call, name or "") for call, name in await session.exec(found)}
        legs = (
            select(Leg.call_id, Leg.destination, Leg.user_id, User.display_name)
            .join(Call, col(Call.id) == col(Leg.call_id))
            .join(User, col(User.id) == col(Leg.user_id), isouter=True)
            .where(Call.business_id == business_id, is_open, col(Leg.state) != "ended")
            .order_by(col(Leg.started_at))
        )
        for call_id, destination, user_id, name in await session.exec(legs):
            if call_id in lines:
                _add_leg(lines[call_id], destination, user_id, name)
    busy: dict[str, int] = {}
    for line in lines.values():
        used = [line.call.trunk, *line.trunks] if line.call.trunk else line.trunks
        for one in used:
            busy[one] = busy.get(one, 0) + 1
    now = utcnow()
    return [_trunk_now(trunk, states.get(trunk.id, []), busy.get(trunk.name, 0), now) for trunk in trunks], [
        *lines.values()
    ]


def _add_leg(line: Line, destination: str, user_id: str | None, name: str | None) -> None:
    if user_id is not None:
        line.people[user_id] = name or ""
    kind, _, rest = destination.partition(":")
    if kind == "trunk":
        line.trunks.append(rest.partition(":")[0])


def _trunk_now(trunk: Trunk, states: Sequence[TrunkState], calls: int, now: datetime) -> TrunkNow:
    seen = worst(states, now)
    state = State.OFF if not trunk.enabled else State(seen.state) if seen is not None else State.UNKNOWN
    return TrunkNow(trunk, state, seen.since if seen is not None and trunk.enabled else None, calls)
