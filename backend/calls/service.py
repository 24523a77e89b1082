"""Writing and reading calls, runs and trails.

Every write is idempotent: the gateway repeats it after a crash and nothing is counted twice.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Executable, or_
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import not_found
from backend.events import record
from backend.paging import Page, page, starts_with
from flows.task import FlowResult, FlowStart, TrailStep

log = logging.getLogger(__name__)

Direction = Literal["inbound", "outbound", "internal"]
CallState = Literal["ringing", "up", "ended"]

# --------------------------------------------------------------------------- writing


async def start_call(
    db: Database,
    *,
    call_id: str,
    business_id: str,
    gateway: str,
    caller: str,
    called: str,
    direction: Direction = "inbound",
    caller_name: str = "",
    anonymous: bool = False,
    trunk: str = "",
    sip_call_id: str = "",
    language: str = "",
    run: FlowStart | None = None,
    started_at: datetime | None = None,
) -> Call:
    """A call begins; its caller's leg has the call's id. With `run` the flow's run is recorded in the same act."""
    async with write(db) as session:
        call = await session.get(Call, call_id)
        if call is None:
            at = started_at or utcnow()
            call = Call(
                id=call_id,
                business_id=business_id,
                direction=direction,
                gateway=gateway,
                caller=caller,
                caller_name=caller_name,
                called=called,
                anonymous=anonymous,
                trunk=trunk,
                sip_call_id=sip_call_id,
                language=language,
                started_at=at,
            )
            session.add(call)
            await session.flush()
            session.add(
                Leg(
                    id=call_id,
                    business_id=business_id,
                    call_id=call_id,
                    kind="caller" if direction == "inbound" else "dialled",
                    number=caller if direction == "inbound" else called,
                    started_at=at,
                )
            )
            record(session, business_id, "call.started", call_id, caller=caller, called=called)
        if run is not None:
            await _start_run(session, run)
    return call


async def call_answered(db: Database, call_id: str, *, at: datetime | None = None) -> None:
    """The call is up."""
    async with write(db) as session:
        call = await locked(session, Call, call_id)
        if call is None or call.state != "ringing":
            return
        call.state = "up"
        call.answered_at = at or utcnow()
        leg = await session.get(Leg, call_id)
        if leg is not None and leg.state == "ringing":
            leg.state, leg.answered_at = "up", call.answered_at
        record(session, call.business_id, "call.answered", call_id)


async def call_ended(
    db: Database, call_id: str, *, cause: str, sip_code: int = 0, outcome: str = "", at: datetime | None = None
) -> None:
    """The call is over, with all its legs. The first cause that is told stays."""
    async with write(db) as session:
        call = await locked(session, Call, call_id)
        if call is None:
            return
        if outcome:
            call.outcome = outcome
        if call.state == "ended":
            return
        await _end(session, [call], cause, sip_code, at or utcnow())


async def close_open_calls(
    db: Database, cause: str, *, gateway: str | None = None, keep: Collection[str] = (), at: datetime | None = None
) -> list[str]:
    """End every open call of a gateway (of all, for None) but those in `keep`; returns their ids.

    Used when the engine is gone: the records tell the true cause (``engine_lost``).
    """
    async with write(db) as session:
        wanted = select(Call).where(Call.state != "ended")
        if gateway is not None:
            wanted = wanted.where(Call.gateway == gateway)
        kept = set(keep)
        calls = [call for call in await session.exec(wanted.with_for_update()) if call.id not in kept]
        await _end(session, calls, cause, 0, at or utcnow())
        return [call.id for call in calls]


async def _end(session: AsyncSession, calls: Sequence[Call], cause: str, sip_code: int, at: datetime) -> None:
    for call in calls:
        call.state, call.cause, call.sip_code, call.ended_at = "ended", cause, sip_code, max(at, call.started_at)
        record(session, call.business_id, "call.ended", call.id, cause=cause)
    for start in range(0, len(calls), 500):
        ids = [call.id for call in calls[start : start + 500]]
        for leg in await session.exec(select(Leg).where(col(Leg.call_id).in_(ids), Leg.state != "ended")):
            leg.state, leg.cause, leg.ended_at = "ended", cause, max(at, leg.started_at)
            if leg.id in ids:
                leg.sip_code = sip_code


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


async def add_leg(
    db: Database,
    *,
    leg_id: str,
    call_id: str,
    number: str,
    destination: str = "",
    kind: str = "dialled",
    started_at: datetime | None = None,
) -> Leg:
    """Another party is dialled for a call."""
    async with write(db) as session:
        leg = await session.get(Leg, leg_id)
        if leg is not None:
            return leg
        call = await session.get(Call, call_id)
        if call is None:
            raise not_found("通话", "call", call_id, "call_id")
        leg = Leg(
            id=leg_id,
            business_id=call.business_id,
            call_id=call_id,
            kind=kind,
            number=number,
            destination=destination,
            started_at=started_at or utcnow(),
        )
        session.add(leg)
        record(session, call.business_id, "call.changed", call_id, leg=leg_id)
        return leg


async def leg_answered(db: Database, leg_id: str, *, at: datetime | None = None) -> None:
    """A dialled party answered."""
    async with write(db) as session:
        leg = await locked(session, Leg, leg_id)
        if leg is not None and leg.state == "ringing":
            leg.state, leg.answered_at = "up", at or utcnow()
            record(session, leg.business_id, "call.changed", leg.call_id, leg=leg_id)


async def leg_ended(db: Database, leg_id: str, *, cause: str, sip_code: int = 0, at: datetime | None = None) -> None:
    """A party is gone. The first cause stays."""
    async with write(db) as session:
        leg = await locked(session, Leg, leg_id)
        if leg is not None and leg.state != "ended":
            leg.state, leg.cause, leg.sip_code, leg.ended_at = "ended", cause, sip_code, at or utcnow()
            record(session, leg.business_id, "call.changed", leg.call_id, leg=leg_id)


async def start_run(db: Database, start: FlowStart) -> None:
    """A run of a flow begins."""
    async with write(db) as session:
        await _start_run(session, start)


async def _start_run(session: AsyncSession, start: FlowStart) -> None:
    if await session.get(Run, start.run_id) is not None:
        return
    session.add(
        Run(
            id=start.run_id,
            business_id=start.business_id,
            flow_key=start.flow_id,
            flow_version=start.version,
            plan_hash=start.plan,
            alias=start.alias,
            kind=start.kind,
            call_id=start.call.id if start.call else None,
            campaign=start.campaign,
            inputs=start.inputs,
        )
    )
    if start.call is not None:
        call = await session.get(Call, start.call.id)
        if call is not None:
            call.run_id, call.flow_key, call.flow_version = start.run_id, start.flow_id, start.version
    record(session, start.business_id, "run.started", start.run_id, flow=start.flow_id)


async def finish_run(
    db: Database, start: FlowStart, result: FlowResult, steps: Sequence[TrailStep] = (), *, at: datetime | None = None
) -> None:
    """A run is over; its last steps are written in the same act."""
    async with write(db) as session:
        await _start_run(session, start)
        await session.flush()
        await _save_trail(session, {start.run_id: steps})
        run = await locked(session, Run, start.run_id)
        assert run is not None
        if run.state == "running":
            run.state, run.reason, run.outputs = result.outcome, result.reason[:500], result.outputs
            run.steps, run.ended_at = result.steps, at or utcnow()
            record(session, run.business_id, "run.finished", run.id, outcome=result.outcome)
        if run.call_id is not None:
            call = await locked(session, Call, run.call_id)
            if call is not None and call.run_id == run.id:
                call.outcome = run.state


@cache
def _trail_upsert(sqlite: bool) -> Executable:
    """Insert steps or complete them; a completed step is never replaced by its incomplete self."""
    table: Any = TrailEntry.__table__  # type: ignore[attr-defined]
    insert: Any = sqlite_insert(table) if sqlite else postgres_insert(table)
    new = insert.excluded
    upsert: Executable = insert.on_conflict_do_update(
        index_elements=["run_id", "seq"],
        set_={column.name: new[column.name] for column in table.columns if column.name not in ("run_id", "seq")},
        where=or_(new["left"].is_not(None), table.c.left.is_(None)),
    )
    return upsert


async def save_trail(db: Database, batches: Mapping[str, Sequence[TrailStep]]) -> list[str]:
    """Write steps of many runs in one transaction; returns the ids of runs that are not known here.

    A step may be written again at any time: a completed step is never replaced by its incomplete self.
    """
    async with write(db) as session:
        return await _save_trail(session, batches)


async def _save_trail(session: AsyncSession, batches: Mapping[str, Sequence[TrailStep]]) -> list[str]:
    wanted = {run_id: steps for run_id, steps in batches.items() if steps}
    if not wanted:
        return []
    found = {run.id: run for run in await session.exec(select(Run).where(col(Run.id).in_(list(wanted))))}
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for run_id, steps in wanted.items():
        run = found.get(run_id)
        if run is None:
            continue
        for step in steps:
            known = rows.get((run_id, step.seq))
            if known is not None and known["left"] is not None and step.left is None:
                continue
            rows[run_id, step.seq] = {
                "run_id": run_id,
                "seq": step.seq,
                "business_id": run.business_id,
                "call_id": run.call_id,
                "flow_key": step.flow_id or run.flow_key,
                "node_id": step.node_id,
                "node_type": step.node_type,
                "node_name": step.node_name[:200],
                "attempt": step.attempt,
                "entered": step.entered,
                "left": step.left,
                "port": step.port,
                "outputs": step.outputs,
                "said": step.said,
                "error": step.error,
                "error_message": step.error_message,
            }
        record(
            session,
            run.business_id,
            "trail.steps",
            run_id,
            kept=False,
            call_id=run.call_id,
            seqs=sorted({step.seq for step in steps}),
        )
    if rows:
        # Many rows under one statement that is compiled once; values inside it would be compiled each time.
        connection = await session.connection()
        await connection.execute(_trail_upsert(session.info["database"].sqlite), list(rows.values()))
    missing = sorted(set(wanted) - set(found))
    if missing:
        log.debug("trail steps of runs that are not recorded (yet): %s", ", ".join(missing))
    return missing


# --------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list of calls can be narrowed by. ``number`` matches the start of caller or called number."""

    state: str | None = None
    direction: str | None = None
    number: str | None = None
    flow_key: str | None = None
    customer_id: str | None = None
    cause: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_calls(
    db: Database,
    business_id: str,
    wanted: CallFilter | None = None,
    *,
    first: int = 50,
    after: str | None = None,
) -> Page[Call]:
    """Calls, newest first."""
    wanted = wanted or CallFilter()
    statement = select(Call).where(Call.business_id == business_id)
    for name in ("state", "direction", "flow_key", "customer_id", "cause"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(Call, name) == value)
    if wanted.since is not None:
        statement = statement.where(Call.started_at >= wanted.since)
    if wanted.until is not None:
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


async def open_calls(db: Database, business_id: str | None = None, *, gateway: str | None = None) -> list[Call]:
    """Calls that are not over."""
    statement = select(Call).where(Call.state != "ended").order_by(col(Call.started_at))
    if business_id is not None:
        statement = statement.where(Call.business_id == business_id)
    if gateway is not None:
        statement = statement.where(Call.gateway == gateway)
    async with read(db) as session:
        return list(await session.exec(statement))


async def get_call(db: Database, business_id: str, call_id: str) -> Call:
    """Raises NotFoundError."""
    async with read(db) as session:
        call = await session.get(Call, call_id)
    if call is None or call.business_id != business_id:
        raise not_found("通话", "call", call_id)
    return call


async def get_run(db: Database, business_id: str, run_id: str) -> Run:
    """Raises NotFoundError."""
    async with read(db) as session:
        run = await session.get(Run, run_id)
    if run is None or run.business_id != business_id:
        raise not_found("运行", "run", run_id)
    return run


async def list_runs(
    db: Database,
    business_id: str,
    *,
    flow_key: str | None = None,
    state: str | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Run]:
    """Runs, newest first."""
    statement = select(Run).where(Run.business_id == business_id)
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
