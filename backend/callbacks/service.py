"""Rules that start flows: kept as data, each started once for each event (TK5)."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.callbacks.events import TOPICS, Happened, Happening, NotYetError, meets, worked_out
from backend.callbacks.models import EventMark, FlowRule, RuleStart
from backend.calls.facts import RunStarted, write_facts
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import DomainError, InvalidError, not_found
from backend.events import EventRow
from backend.flows.models import Flow
from backend.flows.service import version_behind
from backend.identity.models import Business
from backend.identity.permissions import Actor
from backend.paging import Page, page
from flows.plan import plan_from_bytes
from flows.task import FlowStart
from nodes.sdk.text import text

log = logging.getLogger(__name__)

KINDS = ("callback", "ticket")
READER = "flow-rules"
MARK_EVERY = timedelta(seconds=30)
OVERLAP = timedelta(minutes=1)
"""Events may be committed later than they happened; whatever was seen before is known again by its id."""
PATIENCE = timedelta(hours=6)
"""How long the end of a call is waited for."""
FILTERS = {"queues": list, "boxes": list, "numbers": list, "min_wait": (int, float)}


# --------------------------------------------------------------------------- rules


async def list_rules(db: Database, business_id: str) -> list[FlowRule]:
    """Rules by event and name."""
    async with read(db) as session:
        found = await session.exec(
            select(FlowRule)
            .where(FlowRule.business_id == business_id)
            .order_by(col(FlowRule.event), col(FlowRule.name))
        )
        return list(found)


async def save_rule(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    name: str,
    event: str,
    flow: str,
    alias: str = "live",
    filter: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    enabled: bool = False,
) -> FlowRule:
    """Create or change a rule. One that is switched on needs a published flow, and looks at new events only."""
    for field, given in (("filter", filter), ("inputs", inputs)):
        if not isinstance(given, Mapping | None):
            raise _bad(field, "需要一个对象", "It takes an object.")
    filter, inputs = dict(filter or {}), dict(inputs or {})
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise _bad("name", "请填写名称", "Give it a name.")
    if event not in set(Happening):
        raise _bad("event", f"可选：{'、'.join(Happening)}", f"Choose one of {', '.join(Happening)}.")
    for key, value in filter.items():
        kind: Any = FILTERS.get(key)
        if kind is None or not isinstance(value, kind) or isinstance(value, bool):
            raise _bad(f"filter.{key}", f"可用：{'、'.join(FILTERS)}", f"It takes {', '.join(FILTERS)}.")
    async with write(db) as session:
        known = await session.exec(select(Flow).where(Flow.business_id == actor.business_id, Flow.key == flow))
        target = known.first()
        if target is None:
            raise not_found("流程", "flow", flow, "flow")
        if target.kind not in KINDS:
            raise _bad("flow", "请选择回拨或工单流程", "Choose a callback or a ticket flow.")
        row = await locked(session, FlowRule, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("规则", "rule", id)
        if row is None:
            row = FlowRule(business_id=actor.business_id, name=name, event=event, flow=flow)
            session.add(row)
        if enabled and not row.enabled:
            row.enabled_at = utcnow()
        row.name, row.event, row.flow, row.alias, row.enabled = name, event, flow, alias, enabled
        row.filter, row.inputs = filter, inputs
        if enabled:
            await _check_inputs(db, actor.business_id, row)
        said = changed(row, "name", "event", "flow", "alias", "enabled")
        await session.flush()
        await note(session, actor, "flow_rule.saved", row.name, **said)
        return row


async def _check_inputs(db: Database, business_id: str, row: FlowRule) -> None:
    """Raises NotFoundError without a published version, InvalidError for inputs that it lacks."""
    declared = await _declared(db, business_id, row)
    if unknown := sorted(set(row.inputs) - declared.keys()):
        raise _bad(f"inputs.{unknown[0]}", f"流程没有此输入：{unknown[0]}", f"The flow has no input {unknown[0]}.")


async def _declared(db: Database, business_id: str, row: FlowRule) -> dict[str, Any]:
    version = await version_behind(db, business_id, row.flow, row.alias)
    plan = plan_from_bytes(version.plan)
    return {variable.name: variable.type for variable in plan.flows[plan.root].inputs}


async def switch_rule(db: Database, actor: Actor, id: str, enabled: bool) -> FlowRule:
    """Switch a rule on or off."""
    async with read(db) as session:
        row = await session.get(FlowRule, id)
    if row is None or row.business_id != actor.business_id:
        raise not_found("规则", "rule", id)
    return await save_rule(
        db,
        actor,
        id=id,
        name=row.name,
        event=row.event,
        flow=row.flow,
        alias=row.alias,
        filter=row.filter,
        inputs=row.inputs,
        enabled=enabled,
    )


async def delete_rule(db: Database, actor: Actor, id: str) -> None:
    """Remove a rule. What it started goes on."""
    async with write(db) as session:
        row = await locked(session, FlowRule, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("规则", "rule", id)
        for start in await session.exec(select(RuleStart).where(RuleStart.rule_id == id)):
            await session.delete(start)
        await session.flush()
        await session.delete(row)
        await note(session, actor, "flow_rule.deleted", row.name)


async def list_starts(
    db: Database, business_id: str, *, rule_id: str | None = None, first: int = 50, after: str | None = None
) -> Page[RuleStart]:
    """What rules have started, newest first."""
    statement = select(RuleStart).where(RuleStart.business_id == business_id)
    if rule_id is not None:
        statement = statement.where(RuleStart.rule_id == rule_id)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(RuleStart.at), col(RuleStart.run_id)),
            keys=lambda row: (row.at, row.run_id),
            first=first,
            after=after,
        )


def _bad(name: str, zh: str, en: str) -> InvalidError:
    return InvalidError(text("规则不正确", "the rule cannot be like this"), field=name, remedy=text(f"{zh}。", en))


# --------------------------------------------------------------------------- reading events


async def read_events(db: Database, now: datetime | None = None, seen: set[int] | None = None) -> int:
    """Meet the new events with the rules; returns how many starts were written down.

    An event whose call still goes on holds the mark back, so that it is looked at again. `seen` remembers, for a
    reader that comes often, which events are settled.
    """
    seen = set() if seen is None else seen
    now = now or utcnow()
    async with read(db) as session:
        rules = list(await session.exec(select(FlowRule).where(col(FlowRule.enabled))))
        mark = await session.get(EventMark, READER)
        if not rules:
            return 0
        begin = (mark.at if mark is not None else now - PATIENCE) - OVERLAP
        found = await session.exec(
            select(EventRow)
            .where(EventRow.at >= begin, col(EventRow.topic).in_(TOPICS), col(EventRow.passing).is_(False))
            .order_by(col(EventRow.at))
            .limit(5000)
        )
        events = list(found)
        seen &= {event.seq for event in events if event.seq is not None}
        happened: dict[str, tuple[Happened, datetime]] = {}
        reached = events[-1].at if len(events) == 5000 else now
        for event in events:
            assert event.seq is not None
            if event.seq in seen or not any(rule.business_id == event.business_id for rule in rules):
                continue
            try:
                for one in await worked_out(session, event):
                    happened.setdefault(one.id, (one, event.at))
                seen.add(event.seq)
            except NotYetError:
                if event.at > now - PATIENCE:
                    reached = min(reached, event.at)
    written = 0
    if not happened and mark is not None and reached - mark.at < MARK_EVERY:
        return 0
    async with write(db) as session:
        for one, at in happened.values():
            for rule in rules:
                written += await _begin(session, rule, one, at)
        stored = await locked(session, EventMark, READER)
        if stored is None:
            session.add(EventMark(name=READER, at=reached))
        else:
            stored.at = max(stored.at, reached)
    return written


async def _begin(session: AsyncSession, rule: FlowRule, one: Happened, at: datetime) -> int:
    if rule.business_id != one.business_id or rule.event != one.kind or not meets(rule.filter, one):
        return 0
    if rule.enabled_at is None or at < rule.enabled_at:
        return 0
    if await session.get(RuleStart, (rule.id, one.id)) is not None or await session.get(FlowRule, rule.id) is None:
        return 0
    session.add(
        RuleStart(
            rule_id=rule.id,
            event_id=one.id,
            business_id=rule.business_id,
            run_id=run_of(rule.id, one.id),
            inputs=one.inputs,
        )
    )
    return 1


def run_of(rule_id: str, event_id: str) -> str:
    """The id of the run that a rule starts for an event: the same for both, always."""
    return "rule-" + hashlib.sha256(f"{rule_id}\0{event_id}".encode()).hexdigest()[:32]


# --------------------------------------------------------------------------- starting


Start = Callable[[FlowStart], Awaitable[object]]


async def start_waiting(db: Database, start: Start, limit: int = 100) -> tuple[int, int]:
    """Start what waits; returns how many were started and how many cannot be.

    `start` is idempotent by the run's id and raises when Temporal is away: then the rest waits.
    """
    async with read(db) as session:
        found = await session.exec(
            select(RuleStart).where(RuleStart.state == "waiting").order_by(col(RuleStart.at)).limit(limit)
        )
        waiting: Sequence[RuleStart] = list(found)
    started = failed = 0
    for row in waiting:
        try:
            flow = await _flow_start(db, row)
        except DomainError as problem:
            failed += 1
            await _write_down(db, row, "failed", str(problem))
            continue
        await write_facts(db, [RunStarted(flow)])
        await start(flow)
        await _write_down(db, row, "started", "")
        started += 1
    return started, failed


async def _flow_start(db: Database, row: RuleStart) -> FlowStart:
    async with read(db) as session:
        rule = await session.get(FlowRule, row.rule_id)
        business = await session.get(Business, row.business_id)
    if rule is None or business is None:
        raise not_found("规则", "rule", row.rule_id)
    version = await version_behind(db, row.business_id, rule.flow, rule.alias)
    plan = plan_from_bytes(version.plan)
    root = plan.flows[plan.root]
    declared = {variable.name for variable in root.inputs}
    inputs = {name: value for name, value in {**row.inputs, **rule.inputs}.items() if name in declared}
    return FlowStart(
        run_id=row.run_id,
        business_id=row.business_id,
        flow_id=root.id,
        version=version.number,
        plan=version.plan_hash,
        kind=root.kind,
        alias=rule.alias,
        inputs=inputs,
        timezone=business.timezone,
    )


async def _write_down(db: Database, old: RuleStart, state: str, error: str) -> None:
    async with write(db) as session:
        row = await locked(session, RuleStart, (old.rule_id, old.event_id))
        if row is not None:
            row.state, row.error, row.tries = state, error[:500], row.tries + 1
    if error:
        log.warning("the rule %s cannot start for %s: %s", old.rule_id, old.event_id, error)
