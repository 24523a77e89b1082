"""Reading calls, runs and trails, and what people change of them. `backend.calls.facts` writes what happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, true
from sqlmodel import col, select

from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.database import Database, locked, read, write
from backend.errors import InvalidError, not_found
from backend.events import record
from backend.identity.models import Business
from backend.identity.scope import People, only
from backend.paging import Page, page, starts_with
from nodes.sdk.text import text

# --------------------------------------------------------------------------- changing


@dataclass(frozen=True, slots=True)
class CallChanges:
    """Facts learnt during a call. None leaves a fact as it is."""

    language: str | None = None
    customer_id: str | None = None
    recording_id: str | None = None
    outcome: str | None = None
    note: str | None = None


async def update_call(db: Database, call_id: str, changes: CallChanges, *, business_id: str | None = None) -> Call:
    """Set facts of a call. Raises NotFoundError."""
    async with write(db) as session:
        call = await locked(session, Call, call_id)
        if call is None or (business_id is not None and call.business_id != business_id):
            raise not_found("通话", "call", call_id)
        for name in CallChanges.__slots__:
            value = getattr(changes, name)
            if value is not None:
                setattr(call, name, value)
        record(session, call.business_id, "call.changed", call_id)
        return call


# --------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list of calls can be narrowed by. ``number`` matches the start of caller or called number.

    With ``node_id`` those are meant whose path through the flow ``flow_key`` passed the node (left it by ``port``, or
    stand there now with ``standing``) between ``since`` and ``until``.
    """

    state: str | None = None
    direction: str | None = None
    number: str | None = None
    flow_key: str | None = None
    customer_id: str | None = None
    cause: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    node_id: str | None = None
    port: str | None = None
    standing: bool = False


def _passed(business_id: str, wanted: CallFilter) -> Any:
    """Ids of calls that came to a node."""
    found = select(TrailEntry.call_id).where(
        TrailEntry.business_id == business_id,
        TrailEntry.flow_key == (wanted.flow_key or ""),
        TrailEntry.node_id == wanted.node_id,
        col(TrailEntry.call_id).is_not(None),
    )
    if wanted.port is not None:
        found = found.where(TrailEntry.port == wanted.port)
    if wanted.standing:
        found = found.where(col(TrailEntry.left).is_(None))
    if wanted.since is not None:
        found = found.where(TrailEntry.entered >= wanted.since)
    if wanted.until is not None:
        found = found.where(TrailEntry.entered < wanted.until)
    return found


def with_people(people: People, call_id: Any = Call.id) -> Any:
    """A condition on calls, or on what names its call in `call_id`: one of these people has or had a part in it.

    What has no call is nobody's own.
    """
    if people is None:
        return true()
    return col(call_id).in_(select(Leg.call_id).where(only(people, Leg.user_id)))


async def list_calls(
    db: Database,
    business_id: str,
    wanted: CallFilter | None = None,
    *,
    people: People = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Call]:
    """Calls of `people`, newest first."""
    wanted = wanted or CallFilter()
    statement = select(Call).where(Call.business_id == business_id, with_people(people))
    by_node = wanted.node_id is not None
    for name in ("state", "direction", "flow_key", "customer_id", "cause"):
        value = None if by_node and name == "flow_key" else getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(Call, name) == value)
    if by_node:
        statement = statement.where(col(Call.id).in_(_passed(business_id, wanted)))
        if wanted.standing:
            statement = statement.where(Call.state != "ended")
    elif wanted.port is not None or wanted.standing:
        raise InvalidError(
            text("缺少节点", "a node is missing"),
            field="filter.nodeId",
            remedy=text("请同时给出流程和节点。", "Give the flow and the node as well."),
        )
    if wanted.since is not None and not by_node:
        statement = statement.where(Call.started_at >= wanted.since)
    if wanted.until is not None and not by_node:
        statement = statement.where(Call.started_at < wanted.until)
    async with read(db) as session:
        if wanted.number:
            found = [
                select(Call.id).where(Call.business_id == business_id, starts_with(session, column, wanted.number))
                for column in (col(Call.caller), col(Call.called))
            ]
            statement = statement.where(or_(*(col(Call.id).in_(ids) for ids in found)))
        return await page(
            session,
            statement,
            by=(col(Call.started_at), col(Call.id)),
            keys=lambda call: (call.started_at, call.id),
            first=first,
            after=after,
        )


async def open_calls(
    db: Database, business_id: str | None = None, *, gateway: str | None = None, people: People = None
) -> list[Call]:
    """Calls of `people` that are not over."""
    statement = select(Call).where(Call.state != "ended", with_people(people)).order_by(col(Call.started_at))
    if business_id is not None:
        statement = statement.where(Call.business_id == business_id)
    if gateway is not None:
        statement = statement.where(Call.gateway == gateway)
    async with read(db) as session:
        return list(await session.exec(statement))


async def people_in(db: Database, call_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Whose phones the live legs of calls are: users by channel, by call."""
    found: dict[str, dict[str, str]] = {}
    async with read(db) as session:
        legs = select(Leg.call_id, Leg.id, Leg.user_id).where(
            col(Leg.call_id).in_(call_ids), col(Leg.user_id).is_not(None), Leg.state != "ended", Leg.id != Leg.call_id
        )
        for call_id, leg_id, user_id in await session.exec(legs):
            found.setdefault(call_id, {})[leg_id] = user_id or ""
    return found


async def staying_legs(db: Database, gateway: str) -> list[str]:
    """Phones that have not been hung up after calls of a gateway that are over."""
    async with read(db) as session:
        found = select(Leg.id).join(Call, col(Call.id) == col(Leg.call_id))
        return list(
            await session.exec(
                found.where(col(Leg.user_id).is_not(None), Leg.state == "up").where(
                    Call.state == "ended", Call.gateway == gateway
                )
            )
        )


async def untold_ends(db: Database, gateway: str) -> list[tuple[str, str]]:
    """Calls of a gateway that are over while a run of theirs still goes on, with the run: its process may have died
    before telling it."""
    async with read(db) as session:
        found = await session.exec(
            select(Call.id, Run.id)
            .join(Run, col(Run.call_id) == Call.id)
            .where(col(Run.business_id).in_(select(Business.id)), Run.state == "running")
            .where(Call.state == "ended", Call.gateway == gateway)
        )
        return list(found)


async def get_call(db: Database, business_id: str, call_id: str, *, people: People = None) -> Call:
    """A call of `people`. Raises NotFoundError."""
    async with read(db) as session:
        found = select(Call).where(Call.id == call_id, Call.business_id == business_id, with_people(people))
        call = (await session.exec(found)).first()
    if call is None:
        raise not_found("通话", "call", call_id)
    return call


async def get_run(db: Database, business_id: str, run_id: str, *, people: People = None) -> Run:
    """A run for a call of `people`. Raises NotFoundError."""
    async with read(db) as session:
        found = select(Run).where(Run.id == run_id, Run.business_id == business_id, with_people(people, Run.call_id))
        run = (await session.exec(found)).first()
    if run is None:
        raise not_found("运行", "run", run_id)
    return run


async def list_runs(
    db: Database,
    business_id: str,
    *,
    flow_key: str | None = None,
    state: str | None = None,
    people: People = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Run]:
    """Runs for calls of `people`, newest first."""
    statement = select(Run).where(Run.business_id == business_id, with_people(people, Run.call_id))
    if flow_key is not None:
        statement = statement.where(Run.flow_key == flow_key)
    if state is not None:
        statement = statement.where(Run.state == state)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(Run.started_at), col(Run.id)),
            keys=lambda run: (run.started_at, run.id),
            first=first,
            after=after,
        )


async def trail_of_run(
    db: Database, business_id: str, run_id: str, *, seqs: Sequence[int] | None = None
) -> list[TrailEntry]:
    """The path of a run, in order; only the steps `seqs` when they are given."""
    statement = (
        select(TrailEntry)
        .where(TrailEntry.run_id == run_id, TrailEntry.business_id == business_id)
        .order_by(col(TrailEntry.seq))
    )
    if seqs is not None:
        statement = statement.where(col(TrailEntry.seq).in_(seqs))
    async with read(db) as session:
        return list(await session.exec(statement))


async def trail_of_call(db: Database, business_id: str, call_id: str) -> list[TrailEntry]:
    """The path of a call through all its runs, in order of time (VO10)."""
    async with read(db) as session:
        found = await session.exec(
            select(TrailEntry)
            .where(TrailEntry.call_id == call_id, TrailEntry.business_id == business_id)
            .order_by(col(TrailEntry.entered), col(TrailEntry.run_id), col(TrailEntry.seq))
        )
        return list(found)
