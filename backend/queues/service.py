"""Queues: their rules and members, who waits now, and the figures of the day."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from backend.agents.models import Agent
from backend.agents.service import SEATS, check_skills, refuse
from backend.audit.service import changed, note
from backend.database import AsyncSession, Database, locked, read, utcnow
from backend.errors import ConflictError, Faults, InvalidError, not_found
from backend.identity.models import Business
from backend.identity.permissions import Actor
from backend.identity.scope import People, only
from backend.paging import Page, page
from backend.queues.dispatch import all_rules, floor, take_back, tell, waiting_of
from backend.queues.estimate import USUAL_HANDLE, expected_wait
from backend.queues.match import Strategy, in_order, level
from backend.queues.models import LIVE, Queue, QueueEntry, QueueMember
from nodes.sdk.text import text

NAME = re.compile(r"[\w.-]{1,64}")
THRESHOLDS = ("waiting", "longest", "service_level", "expected")
TOLD = 50
"""The average handling time is that of so many calls."""

STRATEGY_NAMES = {
    Strategy.LONGEST_IDLE: text("空闲最久", "Longest idle"),
    Strategy.FEWEST_CALLS: text("接听最少", "Fewest calls"),
    Strategy.EVEN_SHARE: text("平均分配", "Even share"),
    Strategy.SKILL: text("技能优先", "Best skill"),
    Strategy.RING_ORDER: text("按顺序", "Ring order"),
    Strategy.LAST_AGENT: text("上次服务坐席", "Last agent"),
}


@dataclass(frozen=True, slots=True)
class OverflowInput:
    queue: str
    after_seconds: int = 60
    when: str = "always"


@dataclass(frozen=True, slots=True)
class QueueInput:
    """The rules of a queue, as an administrator writes them. See `backend.queues.models.Queue`."""

    name: str
    label_zh: str
    label_en: str
    strategy: str = "longest_idle"
    last_agent: bool = False
    last_agent_seconds: int = 0
    skills: dict[str, int] = field(default_factory=dict)
    seats: list[str] = field(default_factory=list)
    priority: int = 0
    age_seconds: int = 60
    ring_seconds: int = 20
    again_seconds: int = 20
    overflow: list[OverflowInput] = field(default_factory=list)
    outside_number: str = ""
    outside_after: int = 3
    max_waiting: int = 0
    music: str = ""
    wrap_up_seconds: int = 15
    service_level_seconds: int = 20
    service_level_target: int = 80
    thresholds: dict[str, int] = field(default_factory=dict)
    script: str = ""
    pop_url: str = ""
    record: bool = True
    enabled: bool = True
    position: int = 0


TOLD_FIELDS = tuple(name for name in QueueInput.__dataclass_fields__ if name not in ("name", "overflow", "thresholds"))
"""What the audit trail says of a queue that was changed."""
_RANGES = {
    "last_agent_seconds": (0, 3600), "priority": (-100, 100), "age_seconds": (0, 3600), "ring_seconds": (5, 120),
    "again_seconds": (1, 3600), "outside_after": (1, 50), "max_waiting": (0, 10_000), "wrap_up_seconds": (-1, 3600),
    "service_level_seconds": (1, 3600), "service_level_target": (1, 100),
}  # fmt: skip


def _faults(given: QueueInput) -> Iterator[InvalidError]:
    """What is wrong with a queue as it was given."""
    if not NAME.fullmatch(given.name):
        yield refuse(
            "name",
            f"队列名“{given.name}”不可用",
            f"'{given.name}' cannot be the name of a queue",
            "请用字母、数字、点、下划线或连字符。",
            "Use letters, digits, dots, _ or hyphens.",
        )
    for place, label in (("label_zh", given.label_zh), ("label_en", given.label_en)):
        if not label.strip():
            yield refuse(place, "请填写中英文名称", "a queue needs a name in Chinese and English")
    if given.strategy not in list(Strategy):
        yield refuse(
            "strategy",
            f"没有策略“{given.strategy}”",
            f"there is no strategy '{given.strategy}'",
            "可选 " + "、".join(Strategy),
            "Choose one of " + ", ".join(Strategy),
        )
    for name, (low, high) in _RANGES.items():
        if not low <= getattr(given, name) <= high:
            yield refuse(name, f"应在 {low} 到 {high} 之间", f"it is from {low} to {high}")
    if bad := set(given.seats) - set(SEATS):
        yield refuse("seats", f"没有坐席类别 {bad}", f"there is no seat {sorted(bad)}")
    if bad := set(given.thresholds) - set(THRESHOLDS):
        yield refuse("thresholds", f"没有阈值 {bad}", f"there is no threshold {sorted(bad)}")
    if any(not isinstance(value, int) or value < 0 for value in given.thresholds.values()):
        yield refuse("thresholds", "阈值应为非负整数", "a threshold is a whole number from 0")
    for one in given.overflow:
        if one.when not in ("always", "no_agents") or not 0 <= one.after_seconds <= 7200 or one.queue == given.name:
            yield refuse(
                "overflow",
                "溢出规则不可用",
                "this overflow cannot be",
                "时间 0 到 7200 秒，且不能溢出到自己。",
                "After 0 to 7200 seconds, into another queue.",
            )
    if given.pop_url and not re.match(r"https?://", given.pop_url):
        yield refuse("pop_url", "弹屏地址应以 http(s):// 开头", "the address begins with http:// or https://")


async def list_queues(db: Database, business_id: str) -> list[Queue]:
    """All queues, in order."""
    async with read(db) as session:
        found = select(Queue).where(Queue.business_id == business_id)
        return list(await session.exec(found.order_by(col(Queue.position), col(Queue.name))))


async def get_queue(session: AsyncSession, business_id: str, name: str, field: str = "name") -> Queue:
    """Raises NotFoundError."""
    found = select(Queue).where(Queue.business_id == business_id, Queue.name == name)
    row = (await session.exec(found)).first()
    if row is None:
        raise not_found("队列", "queue", name, field)
    return row


async def save_queue(db: Database, actor: Actor, given: QueueInput) -> Queue:
    """Create or change a queue by its name."""
    faults = Faults()
    for fault in _faults(given):
        faults.add(fault)
    skills: dict[str, int] = {}
    with faults.gathered():
        skills = check_skills(given.skills)
    async with floor(db, actor.business_id) as session:
        names = set(await session.exec(select(Queue.name).where(Queue.business_id == actor.business_id)))
        for one in given.overflow:
            if one.queue not in names:
                faults.add(not_found("队列", "queue", one.queue, "overflow"))
        faults.tell()
        found = select(Queue).where(Queue.business_id == actor.business_id, Queue.name == given.name)
        row = (await session.exec(found)).first()
        if row is None:
            row = Queue(business_id=actor.business_id, name=given.name, label_zh="", label_en="")
            session.add(row)
        for name in QueueInput.__dataclass_fields__:
            if name not in ("name", "skills", "overflow"):
                setattr(row, name, getattr(given, name))
        row.skills = skills
        row.overflow = [
            {"queue": one.queue, "after_seconds": one.after_seconds, "when": one.when} for one in given.overflow
        ]
        await note(session, actor, "queue.saved", given.name, **changed(row, *TOLD_FIELDS))
        return row


async def delete_queue(db: Database, actor: Actor, name: str) -> None:
    """Remove a queue; refused while callers are in it or other queues flow over into it."""
    async with floor(db, actor.business_id) as session:
        row = await get_queue(session, actor.business_id, name)
        live = await session.exec(
            select(QueueEntry.id).where(
                QueueEntry.business_id == actor.business_id,
                QueueEntry.queue == name,
                col(QueueEntry.state).in_(LIVE),
            )
        )
        others = await session.exec(select(Queue).where(Queue.business_id == actor.business_id))
        using = [one for one in others if any(rule["queue"] == name for rule in one.overflow)]
        if live.first() is not None:
            raise ConflictError(
                text("队列中还有来电者", "callers are still in this queue"),
                field="name",
                remedy=text("请先停用，等来电离开后再删除。", "Switch it off and wait until they have left."),
            )
        if using:
            raise ConflictError(
                text(
                    f"这些队列会溢出到该队列：{'、'.join(one.label_zh for one in using)}",
                    f"these queues overflow into it: {', '.join(one.label_en for one in using)}",
                ),
                field="name",
                remedy=text("请先去掉它们的溢出规则。", "Remove their overflows to it first."),
                details={"queues": [one.name for one in using]},
            )
        for member in await session.exec(select(QueueMember).where(QueueMember.queue_id == row.id)):
            await session.delete(member)
        await session.flush()
        await session.delete(row)
        await note(session, actor, "queue.deleted", name)


async def set_members(db: Database, actor: Actor, name: str, user_ids: Sequence[str]) -> list[str]:
    """The agents of a queue, in ring order."""
    async with floor(db, actor.business_id) as session:
        row = await get_queue(session, actor.business_id, name)
        wanted = list(dict.fromkeys(user_ids))
        known = set(await session.exec(select(Agent.user_id).where(Agent.business_id == actor.business_id)))
        for user_id in wanted:
            if user_id not in known:
                raise not_found("坐席", "agent", user_id, "userIds")
        before = []
        members = select(QueueMember).where(QueueMember.queue_id == row.id).order_by(col(QueueMember.position))
        for member in await session.exec(members):
            before.append(member.user_id)
            await session.delete(member)
        await session.flush()
        for position, user_id in enumerate(wanted):
            session.add(QueueMember(queue_id=row.id, user_id=user_id, business_id=actor.business_id, position=position))
        await note(session, actor, "queue.members", name, members=wanted, was={"members": before})
        return wanted


async def members_of(db: Database, business_id: str) -> dict[str, list[str]]:
    """Agents in ring order by queue name."""
    statement = (
        select(Queue.name, QueueMember.user_id)
        .join(Queue, col(Queue.id) == col(QueueMember.queue_id))
        .where(QueueMember.business_id == business_id)
        .order_by(col(QueueMember.position), col(QueueMember.user_id))
    )
    found: dict[str, list[str]] = {}
    async with read(db) as session:
        for name, user in await session.exec(statement):
            found.setdefault(name, []).append(user)
    return found


# --------------------------------------------------------------------------- the line


@dataclass(frozen=True, slots=True)
class InLine:
    """A caller in line. ``place`` 1 is the next one of the queue; ``level`` is what orders the line."""

    entry: QueueEntry
    place: int
    level: int


async def line(session: AsyncSession, business_id: str, queue: str | None = None) -> list[InLine]:
    """Who waits, in the order in which they are served; callers who are being offered stand first."""
    entries = list(
        await session.exec(
            select(QueueEntry).where(
                QueueEntry.business_id == business_id, col(QueueEntry.state).in_(("waiting", "offered"))
            )
        )
    )
    rules, _ = await all_rules(session, business_id)
    now = utcnow().timestamp()
    by_id = {entry.id: entry for entry in entries}
    ordered = in_order((waiting_of(entry) for entry in entries), rules, now)
    ordered.sort(key=lambda one: by_id[one.id].state != "offered")
    places: dict[str, int] = {}
    found: list[InLine] = []
    for one in ordered:
        places[one.queue] = places.get(one.queue, 0) + 1
        if queue in (None, one.queue):
            height = level(one, rules[one.queue], now) if one.queue in rules else 0
            found.append(InLine(by_id[one.id], places[one.queue], height))
    return found


async def handle_seconds(session: AsyncSession, business_id: str, queue: Queue) -> float:
    """How long a call of a queue keeps an agent, on average of the last ones."""
    entry: Any = QueueEntry.__table__  # type: ignore[attr-defined]
    last = (
        sql_select(_seconds(session, entry.c.answered_at, entry.c.ended_at).label("talked"))
        .where(
            entry.c.business_id == business_id,
            entry.c.queue == queue.name,
            entry.c.state == "done",
            entry.c.outcome == "served",
        )
        .order_by(entry.c.entered_at.desc())
        .limit(TOLD)
        .subquery()
    )
    talked = (await (await session.connection()).execute(sql_select(func.avg(last.c.talked)))).scalar()
    return (float(talked) if talked is not None else USUAL_HANDLE) + max(0, queue.wrap_up_seconds)


def _seconds(session: AsyncSession, begin: Any, end: Any) -> Any:
    """The time between two columns, in the database's own words."""
    if session.info["database"].sqlite:
        return (func.julianday(end) - func.julianday(begin)) * 86400
    return func.extract("epoch", end - begin)


async def team_states(session: AsyncSession, business_id: str, name: str | None = None) -> dict[str, dict[str, int]]:
    """How many agents of each queue, or of one, are in each state."""
    statement = (
        select(Queue.name, Agent.state, func.count())
        .join(QueueMember, col(QueueMember.queue_id) == col(Queue.id))
        .join(Agent, col(Agent.user_id) == col(QueueMember.user_id))
        .where(
            Queue.business_id == business_id,
            col(Queue.enabled).is_(True),
            Agent.business_id == business_id,
            col(Agent.enabled).is_(True),
        )
        .group_by(col(Queue.name), col(Agent.state))
    )
    if name is not None:
        statement = statement.where(Queue.name == name)
    found: dict[str, dict[str, int]] = {}
    for queue, state, count in await session.exec(statement):
        found.setdefault(queue, {})[state] = count
    return found


AWAY = ("signed_out", "not_ready")


@dataclass(frozen=True, slots=True)
class Figures:
    """A queue now and today. Seconds; ``service_level`` in percent of those answered in time, None before any call."""

    queue: Queue
    waiting: int
    longest: float
    expected: float | None
    talking: int
    ready: int
    signed_in: int
    offered: int
    answered: int
    abandoned: int
    service_level: float | None
    average_wait: float | None
    alerts: list[str]


async def figures(db: Database, business_id: str, names: Sequence[str] | None = None) -> list[Figures]:
    """Every queue, or those named, as they stand."""
    now = utcnow()
    async with read(db) as session:
        business = await session.get(Business, business_id)
        zone = ZoneInfo(business.timezone if business is not None else "UTC")
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        queues = list(
            await session.exec(
                select(Queue).where(Queue.business_id == business_id).order_by(col(Queue.position), col(Queue.name))
            )
        )
        teams = await team_states(session, business_id)
        live: dict[str, list[QueueEntry]] = {}
        for entry in await session.exec(
            select(QueueEntry).where(QueueEntry.business_id == business_id, col(QueueEntry.state).in_(LIVE))
        ):
            live.setdefault(entry.queue, []).append(entry)
        found: list[Figures] = []
        for queue in queues:
            if names is not None and queue.name not in names:
                continue
            today = await _today(session, business_id, queue, midnight)
            team = teams.get(queue.name, {})
            waiting = [one for one in live.get(queue.name, []) if one.state != "talking"]
            signed_in = sum(team.values()) - team.get("signed_out", 0)
            working = sum(team.values()) - sum(team.get(state, 0) for state in AWAY)
            ready = team.get("ready", 0)
            expected = expected_wait(
                len(waiting) + 1, working, await handle_seconds(session, business_id, queue), free=ready
            )
            longest = max(((now - one.place_at).total_seconds() for one in waiting), default=0.0)
            one = Figures(
                queue=queue,
                waiting=len(waiting),
                longest=longest,
                expected=expected,
                talking=sum(one.state == "talking" for one in live.get(queue.name, [])),
                ready=ready,
                signed_in=signed_in,
                alerts=[],
                **today,
            )
            one.alerts.extend(_alerts(one))
            found.append(one)
        return found


def _alerts(one: Figures) -> list[str]:
    """Which thresholds are passed."""
    limits = one.queue.thresholds
    passed = {
        "waiting": one.waiting,
        "longest": one.longest,
        "expected": one.expected or 0.0,
    }
    found = [name for name, value in passed.items() if limits.get(name) and value >= limits[name]]
    if limits.get("service_level") and one.service_level is not None and one.service_level < limits["service_level"]:
        found.append("service_level")
    return found


async def _today(session: AsyncSession, business_id: str, queue: Queue, midnight: datetime) -> dict[str, Any]:
    """Counts since midnight. Who left within the service level time counts as neither kept nor lost."""
    entry: Any = QueueEntry.__table__  # type: ignore[attr-defined]
    waited = _seconds(session, entry.c.entered_at, entry.c.answered_at)
    answered = entry.c.answered_at.is_not(None)
    lost = and_(entry.c.outcome == "abandoned", entry.c.answered_at.is_(None))
    statement = (
        sql_select(
            func.count(),
            func.sum(case((answered, 1), else_=0)),
            func.sum(case((lost, 1), else_=0)),
            func.sum(case((and_(answered, waited <= queue.service_level_seconds), 1), else_=0)),
            func.avg(case((answered, waited))),
        )
        .select_from(entry)
        .where(
            entry.c.business_id == business_id,
            entry.c.queue == queue.name,
            entry.c.entered_at >= midnight,
        )
    )
    offered, taken, abandoned, in_time, average = (await (await session.connection()).execute(statement)).one()
    counted = (taken or 0) + (abandoned or 0)
    return {
        "offered": offered or 0,
        "answered": taken or 0,
        "abandoned": abandoned or 0,
        "service_level": round(100 * (in_time or 0) / counted, 1) if counted else None,
        "average_wait": float(average) if average is not None else None,
    }


async def history(
    db: Database,
    business_id: str,
    *,
    queue: str | None = None,
    agent_id: str | None = None,
    outcome: str | None = None,
    people: People = None,
    since: datetime | None = None,
    until: datetime | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[QueueEntry]:
    """Stays in queues, the newest first; of `people` only those whom they served."""
    statement = select(QueueEntry).where(QueueEntry.business_id == business_id, only(people, QueueEntry.agent_id))
    for column, value in (("queue", queue), ("agent_id", agent_id), ("outcome", outcome)):
        if value is not None:
            statement = statement.where(getattr(QueueEntry, column) == value)
    if since is not None:
        statement = statement.where(col(QueueEntry.entered_at) >= since)
    if until is not None:
        statement = statement.where(col(QueueEntry.entered_at) < until)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(QueueEntry.entered_at), col(QueueEntry.id)),
            keys=lambda row: (row.entered_at, row.id),
            first=first,
            after=after,
        )


# --------------------------------------------------------------------------- supervisors


async def _live(session: AsyncSession, business_id: str, entry_id: str) -> QueueEntry:
    entry = await locked(session, QueueEntry, entry_id)
    if entry is None or entry.business_id != business_id:
        raise not_found("排队来电", "waiting caller", entry_id, "entryId")
    if entry.state not in ("waiting", "offered"):
        raise ConflictError(
            text("该来电已不在等待", "this caller waits no longer"),
            field="entryId",
            code="not_waiting",
            remedy=text("请刷新列表。", "Look at the list again."),
        )
    return entry


async def give_waiting(
    db: Database, actor: Actor, entry_id: str, *, user_id: str | None = None, queue: str | None = None
) -> QueueEntry:
    """Give a waiting caller to one agent, who gets them as soon as they are free, or to another queue.

    The caller keeps the place. Neither takes back what was given before.
    """
    async with floor(db, actor.business_id) as session:
        entry = await _live(session, actor.business_id, entry_id)
        if user_id is not None:
            agent = await session.get(Agent, user_id)
            if agent is None or agent.business_id != actor.business_id:
                raise not_found("坐席", "agent", user_id, "userId")
            if agent.state == "signed_out":
                raise ConflictError(
                    text("坐席未签入", "this agent is not signed in"),
                    field="userId",
                    remedy=text("请选择已签入的坐席。", "Choose one who is signed in."),
                )
        if queue is not None:
            await get_queue(session, actor.business_id, queue, "queue")
        if entry.state == "offered" and entry.agent_id != user_id:
            await take_back(session, entry, missed=False, again_seconds=0)
        entry.wanted = user_id
        entry.tried = {}
        entry.queue = queue or entry.queue
        tell(session, entry)
        await note(session, actor, "queue.given", entry.call_id or entry.id, agent=user_id, queue=queue)
        return entry


async def set_priority(db: Database, actor: Actor, entry_id: str, priority: int) -> QueueEntry:
    """Move a waiting caller up or down the line."""
    if not -100 <= priority <= 100:
        raise InvalidError(
            text("优先级应在 -100 到 100 之间", "a priority is from -100 to 100"),
            field="priority",
            remedy=text("请修改。", "Change it."),
        )
    async with floor(db, actor.business_id) as session:
        entry = await _live(session, actor.business_id, entry_id)
        entry.priority = priority
        tell(session, entry)
        await note(session, actor, "queue.priority", entry.call_id or entry.id, priority=priority)
        return entry
