"""Past runs: one in full, and one walked again on another version (FL6)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.calls.service import get_run, trail_of_run
from backend.database import Database, read
from backend.errors import ConflictError, NotFoundError
from backend.flows.models import FlowVersion
from backend.flows.service import compiled_on
from backend.identity.models import Business
from backend.identity.scope import People
from backend.messages.models import OutboxMessage
from backend.recordings.models import Recording
from flows.plan import Plan, plan_from_bytes
from flows.rerun import Comparison, RecordedRun, Walked, compare, walk_again
from flows.task import CallFacts, FlowStart, TrailStep
from nodes.sdk.registry import registry
from nodes.sdk.text import text


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run with its path, what each node was given, and all that belongs to its call.

    ``inputs`` is by step number; None when the version or its records no longer allow to work them out.
    """

    run: Run
    trail: list[TrailEntry]
    inputs: dict[int, dict[str, object]] | None
    call: Call | None
    legs: list[Leg]
    recordings: list[Recording]
    messages: list[OutboxMessage]


async def past_run(db: Database, business_id: str, run_id: str, *, people: People = None) -> PastRun:
    """One run in full, for a call of `people`. Raises NotFoundError."""
    run = await get_run(db, business_id, run_id, people=people)
    trail = await trail_of_run(db, business_id, run_id)
    async with read(db) as session:
        call = await session.get(Call, run.call_id) if run.call_id else None
        of_call = run.call_id or ""
        legs = list(await session.exec(select(Leg).where(Leg.call_id == of_call).order_by(col(Leg.started_at))))
        recordings = list(await session.exec(select(Recording).where(Recording.call_id == of_call)))
        prefix = f"{run_id}-"
        messages = list(
            await session.exec(
                select(OutboxMessage).where(
                    OutboxMessage.business_id == business_id, col(OutboxMessage.key).startswith(prefix, autoescape=True)
                )
            )
        )
    return PastRun(run, trail, await _inputs(db, run, call, trail), call, legs, recordings, messages)


async def _inputs(
    db: Database, run: Run, call: Call | None, trail: Sequence[TrailEntry]
) -> dict[int, dict[str, object]] | None:
    """What each node was given: worked out by walking the run again, so that no call pays for storing it."""
    plan = await _plan(db, run)
    if plan is None:
        return None
    walked = await _walk(await _recorded(db, run, call, trail), plan, {})
    path = [(step.node_id, step.port) for step in walked.steps]
    if path[: len(trail)] != [(entry.node_id, entry.port) for entry in trail][: len(path)]:
        return None
    return {
        entry.seq: dict(step.inputs)
        for entry, step in zip(trail, walked.steps, strict=False)
        if step.inputs is not None
    }


async def replay_run(
    db: Database,
    business_id: str,
    run_id: str,
    *,
    on: str = "draft",
    assume: Mapping[str, str] | None = None,
    people: People = None,
) -> Comparison:
    """Walk an old run on the draft, an alias or a version of its flow, and compare it with its own version.

    Raises NotFoundError, InvalidFlowError, and ConflictError while the run still goes on.
    """
    run = await get_run(db, business_id, run_id, people=people)
    if run.state == "running":
        raise ConflictError(
            text("此运行尚未结束", "this run still goes on"),
            field="id",
            remedy=text("请等它结束。", "Wait for its end."),
        )
    trail = await trail_of_run(db, business_id, run_id)
    plan = await _plan(db, run)
    if plan is None:
        raise NotFoundError(
            text("当时的版本已不存在", "the version of that time is gone"),
            field="id",
            remedy=text("请选择较新的运行。", "Choose a newer run."),
        )
    async with read(db) as session:
        call = await session.get(Call, run.call_id) if run.call_id else None
    recorded = await _recorded(db, run, call, trail)
    other = await compiled_on(db, business_id, run.flow_key, on)
    return compare(await _walk(recorded, plan, {}), await _walk(recorded, other.plan, assume or {}))


async def _walk(recorded: RecordedRun, plan: Plan, assume: Mapping[str, str]) -> Walked:
    return await asyncio.to_thread(walk_again, recorded, plan, registry(), assume=assume)


async def _plan(db: Database, run: Run) -> Plan | None:
    async with read(db) as session:
        found = await session.exec(select(FlowVersion.plan).where(FlowVersion.plan_hash == run.plan_hash).limit(1))
        data = found.first()
    return plan_from_bytes(data) if data is not None else None


async def _recorded(db: Database, run: Run, call: Call | None, trail: Sequence[TrailEntry]) -> RecordedRun:
    async with read(db) as session:
        business = await session.get(Business, run.business_id)
    facts = None
    if call is not None:
        facts = CallFacts(
            id=call.id,
            gateway=call.gateway,
            caller=call.caller,
            called=call.called,
            language=call.language,
            anonymous=call.anonymous,
        )
    start = FlowStart(
        run_id=run.id,
        business_id=run.business_id,
        flow_id=run.flow_key,
        version=run.flow_version,
        plan=run.plan_hash,
        kind=run.kind,
        inputs=run.inputs,
        call=facts,
        alias=run.alias,
        campaign=run.campaign,
        timezone=business.timezone if business is not None else "UTC",
    )
    known = set(TrailStep.model_fields)
    steps = [entry.model_dump(include=known) | {"flow_id": entry.flow_key} for entry in trail]
    return RecordedRun(start, [TrailStep.model_validate(step) for step in steps])
