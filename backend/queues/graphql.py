"""Queues: administration, who waits, and the live floor."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from backend.agents.graphql import AgentLive, live_agents
from backend.agents.live import CHANGED
from backend.agents.service import refuse
from backend.agents.talks import in_calls
from backend.customers.masking import home_of, masks
from backend.database import read, utcnow
from backend.events import Event, at_once, in_batches
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query, subscription
from backend.identity.permissions import Permission
from backend.identity.scope import sees
from backend.queues import service
from backend.queues.dispatch import ENTRY
from backend.queues.glance import Glance
from backend.queues.models import Queue, QueueEntry
from backend.state import AppState

TALK = "talk.changed"
PAUSE = 0.3
"""Changes within so many seconds make one message to a wall."""
EVERY = 5.0
"""Figures that change by time alone are told so often."""


@strawberry.type(name="QueueOverflow")
class OverflowType:
    queue: str
    after_seconds: int
    when: str = strawberry.field(description="always, or no_agents: only while the own queue has none signed in.")


@strawberry.type(name="Queue", description="A queue and its rules.")
class QueueType:
    name: str
    label: Words
    strategy: str
    last_agent: bool
    last_agent_seconds: int
    skills: JSON
    seats: list[str]
    priority: int
    age_seconds: int
    ring_seconds: int
    again_seconds: int
    overflow: list[OverflowType]
    outside_number: str
    outside_after: int
    max_waiting: int
    music: str
    wrap_up_seconds: int
    service_level_seconds: int
    service_level_target: int
    thresholds: JSON
    script: str
    pop_url: str
    record: bool
    enabled: bool
    position: int
    members: list[str] = strawberry.field(description="Ids of its agents, in ring order.")


@strawberry.type(description="What everybody in the house may know of a queue.")
class QueueName:
    name: str
    label: Words
    enabled: bool


@strawberry.input
class QueueOverflowInput:
    queue: str
    after_seconds: int = 60
    when: str = "always"


@strawberry.input(
    description="strategy: longest_idle, fewest_calls, even_share, skill, ring_order, last_agent. wrapUpSeconds -1: by "
    "hand. thresholds: waiting, longest, service_level, expected. popUrl may hold {caller} {called} {call} {customer} "
    "{queue}."
)
class QueueInput:
    name: str
    label_zh: str
    label_en: str
    strategy: str = "longest_idle"
    last_agent: bool = False
    last_agent_seconds: int = 0
    skills: JSON | None = None
    seats: list[str] = strawberry.field(default_factory=list)
    priority: int = 0
    age_seconds: int = 60
    ring_seconds: int = 20
    again_seconds: int = 20
    overflow: list[QueueOverflowInput] = strawberry.field(default_factory=list)
    outside_number: str = ""
    outside_after: int = 3
    max_waiting: int = 0
    music: str = ""
    wrap_up_seconds: int = 15
    service_level_seconds: int = 20
    service_level_target: int = 80
    thresholds: JSON | None = None
    script: str = ""
    pop_url: str = ""
    record: bool = True
    enabled: bool = True
    position: int = 0


@masks("caller", "called", "number")
@strawberry.type(description="A caller in line. place 1 is the next of the queue.")
class WaitingCaller:
    entry_id: str
    call_id: str
    queue: str
    place: int
    level: int = strawberry.field(description="Priority with VIP, transfer and age; higher goes first.")
    state: str = strawberry.field(description="waiting, or offered: it rings at agentId, or outside.")
    kind: str
    caller: str
    called: str
    number: str
    customer_id: str | None
    customer_name: str
    language: str
    priority: int
    vip: bool
    transferred: bool
    wanted: str | None = strawberry.field(description="The one agent who is to have this caller.")
    agent_id: str | None
    since: datetime = strawberry.field(description="The place in line counts from here.")
    entered_at: datetime
    offers: int

    @query(Permission.SIGNED_IN, "Where their number belongs to, in a few words.")
    async def region(self, info: Info) -> Words | None:
        return await home_of(info, self.number or self.caller)


@strawberry.type(description="A queue now and today; seconds and percent.")
class QueueLive:
    name: str
    label: Words
    waiting: int
    longest: float
    longest_since: datetime | None
    expected: float | None = strawberry.field(description="For a caller who comes now; null when nobody works.")
    talking: int
    ready: int
    signed_in: int
    offered: int
    answered: int
    abandoned: int
    service_level: float | None
    service_level_target: int
    average_wait: float | None
    alerts: list[str] = strawberry.field(description="Thresholds that are passed.")
    callers: list[WaitingCaller]


@strawberry.type(description="What has changed on the floor. The first message is full: everything there is.")
class FloorChange:
    full: bool
    agents: list[AgentLive]
    removed_agents: list[str]
    queues: list[QueueLive]
    at: datetime


@strawberry.type(description="The queues of an agent, for the light that shows callers waiting.")
class MyQueue:
    name: str
    label: Words
    waiting: int = strawberry.field(description="Callers in line, without those who are ringing at somebody.")
    longest_since: datetime | None
    ready: int
    all_busy: bool = strawberry.field(description="Callers wait and nobody is ready.")


@masks("caller", "called", "number", "outside")
@strawberry.type(name="QueueStay", description="A past or present stay in a queue.")
class QueueStay(FromRow):
    id: str
    kind: str
    queue: str
    call_id: str
    caller: str
    called: str
    number: str
    customer_id: str | None
    customer_name: str
    priority: int
    vip: bool
    transferred: bool
    flow: str
    entered_at: datetime
    place_at: datetime
    state: str
    agent_id: str | None
    outside: str
    offer: int
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str


def _queue(row: Queue, members: list[str]) -> QueueType:
    same = {
        name: getattr(row, name)
        for name in QueueType.__annotations__
        if name not in ("label", "skills", "overflow", "thresholds", "members")
    }
    return QueueType(
        label=Words(zh=row.label_zh, en=row.label_en),
        skills=JSON(row.skills),
        thresholds=JSON(row.thresholds),
        overflow=[
            OverflowType(queue=one["queue"], after_seconds=one.get("after_seconds", 0), when=one.get("when", "always"))
            for one in row.overflow
        ],
        members=members,
        **same,
    )


def _caller(one: service.InLine) -> WaitingCaller:
    entry = one.entry
    return WaitingCaller(
        entry_id=entry.id, call_id=entry.call_id, queue=entry.queue, place=one.place, level=one.level,
        state=entry.state, kind=entry.kind, caller=entry.caller, called=entry.called, number=entry.number,
        customer_id=entry.customer_id, customer_name=entry.customer_name, language=entry.language,
        priority=entry.priority, vip=entry.vip, transferred=entry.transferred, wanted=entry.wanted,
        agent_id=entry.agent_id, since=entry.place_at, entered_at=entry.entered_at, offers=entry.offer,
    )  # fmt: skip


async def live_queues(state: AppState, business_id: str, names: set[str] | None = None) -> list[QueueLive]:
    """Queues as they stand, with their lines."""
    found = await service.figures(state.db, business_id, sorted(names) if names is not None else None)
    async with read(state.db) as session:
        line = await service.line(session, business_id)
    callers: dict[str, list[WaitingCaller]] = {}
    for one in line:
        callers.setdefault(one.entry.queue, []).append(_caller(one))
    return [
        QueueLive(
            name=one.queue.name,
            label=Words(zh=one.queue.label_zh, en=one.queue.label_en),
            waiting=one.waiting,
            longest=one.longest,
            longest_since=min((caller.since for caller in callers.get(one.queue.name, [])), default=None),
            expected=one.expected,
            talking=one.talking,
            ready=one.ready,
            signed_in=one.signed_in,
            offered=one.offered,
            answered=one.answered,
            abandoned=one.abandoned,
            service_level=one.service_level,
            service_level_target=one.queue.service_level_target,
            average_wait=one.average_wait,
            alerts=one.alerts,
            callers=callers.get(one.queue.name, []),
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The queues of a business, and the agents of each."""

    queues: list[QueueLive]
    members: dict[str, list[str]]


async def _glance(state: AppState, business_id: str) -> _Seen:
    """The queues as they stand, looked at once for everybody who follows them."""

    async def look(business: str) -> _Seen:
        return _Seen(await live_queues(state, business), await service.members_of(state.db, business))

    shared: Glance[_Seen] = state.shared.setdefault("queues", Glance(state.bus, look))
    return await shared.at(business_id)


async def _caller_of(info: Info, entry: QueueEntry) -> WaitingCaller:
    """The caller as they stand in line now; place 0 for one who waits no longer."""
    async with read(info.context.state.db) as session:
        line = await service.line(session, info.context.actor.business_id)
    return next((_caller(one) for one in line if one.entry.id == entry.id), _caller(service.InLine(entry, 0, 0)))


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(name, "应为对象", "an object is needed")
    return value


@strawberry.type
class QueuesQuery:
    @query(Permission.QUEUES_READ, "All queues with their rules, in order.")
    async def queues(self, info: Info) -> list[QueueType]:
        db, business = info.context.state.db, info.context.actor.business_id
        members = await service.members_of(db, business)
        return [_queue(row, members.get(row.name, [])) for row in await service.list_queues(db, business)]

    @query(Permission.SIGNED_IN, "Names of queues: where callers may be transferred to.")
    async def queue_names(self, info: Info) -> list[QueueName]:
        rows = await service.list_queues(info.context.state.db, info.context.actor.business_id)
        return [
            QueueName(name=row.name, label=Words(zh=row.label_zh, en=row.label_en), enabled=row.enabled) for row in rows
        ]

    @query(Permission.FLOOR, "Every queue now and today.")
    async def queues_live(self, info: Info) -> list[QueueLive]:
        return await live_queues(info.context.state, info.context.actor.business_id)

    @query(
        Permission.AGENT,
        "Callers in line for the asker: those of the own queues, and those given to them. Who rings already is in line "
        "no more.",
    )
    async def my_waiting(self, info: Info) -> list[WaitingCaller]:
        actor = info.context.actor
        members = await service.members_of(info.context.state.db, actor.business_id)
        own = {name for name, users in members.items() if actor.user_id in users}
        async with read(info.context.state.db) as session:
            line = await service.line(session, actor.business_id)
        return [
            _caller(one)
            for one in line
            if one.entry.state == "waiting"
            and ((one.entry.queue in own and one.entry.wanted is None) or one.entry.wanted == actor.user_id)
        ]

    @query(Permission.FLOOR, "Stays in queues, the newest first.")
    async def queue_history(
        self,
        info: Info,
        queue: str | None = None,
        agent_id: str | None = None,
        outcome: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> Connection[QueueStay]:
        found = await service.history(
            info.context.state.db, info.context.actor.business_id, queue=queue, agent_id=agent_id, outcome=outcome,
            people=info.context.actor.people, since=since, until=until, first=first, after=after,
        )  # fmt: skip
        return connection(found, QueueStay)


@strawberry.type
class QueuesMutation:
    @mutation(Permission.QUEUES, "Create or change a queue by its name.")
    async def save_queue(self, info: Info, queue: QueueInput) -> QueueType:
        db, actor = info.context.state.db, info.context.actor
        given = vars(queue) | {
            "skills": _object(queue.skills, "skills"),
            "thresholds": _object(queue.thresholds, "thresholds"),
            "overflow": [service.OverflowInput(**vars(one)) for one in queue.overflow],
        }
        row = await service.save_queue(db, actor, service.QueueInput(**given))
        members = await service.members_of(db, actor.business_id)
        return _queue(row, members.get(row.name, []))

    @mutation(Permission.QUEUES, "Remove a queue that nobody uses.")
    async def delete_queue(self, info: Info, name: str) -> Done:
        await service.delete_queue(info.context.state.db, info.context.actor, name)
        return Done()

    @mutation(Permission.FLOOR_ACT, "The agents of a queue, in ring order; returns their ids.")
    async def set_queue_members(self, info: Info, name: str, user_ids: list[str]) -> list[str]:
        return await service.set_members(info.context.state.db, info.context.actor, name, user_ids)

    @mutation(
        Permission.FLOOR_ACT,
        "Give a waiting caller to one agent (userId), to another queue, or with neither back to everybody. The caller "
        "keeps the place.",
    )
    async def give_waiting(
        self, info: Info, entry_id: str, user_id: str | None = None, queue: str | None = None
    ) -> WaitingCaller:
        entry = await service.give_waiting(
            info.context.state.db, info.context.actor, entry_id, user_id=user_id, queue=queue
        )
        return await _caller_of(info, entry)

    @mutation(Permission.FLOOR_ACT, "Move a waiting caller up or down the line, -100 to 100.")
    async def set_waiting_priority(self, info: Info, entry_id: str, priority: int) -> WaitingCaller:
        entry = await service.set_priority(info.context.state.db, info.context.actor, entry_id, priority)
        return await _caller_of(info, entry)


@strawberry.type
class QueuesSubscription:
    @subscription(Permission.FLOOR)
    async def floor(self, info: Info) -> AsyncIterator[FloorChange]:
        """The wall: everything first, then whoever and whatever has changed, several times a second at most."""
        state, business, people = info.context.state, info.context.actor.business_id, info.context.actor.people
        with state.bus.subscribe(lambda event: _on_the_wall(event, business)) as events:
            agents = await live_agents(state, business, people=people)
            queues = (await _glance(state, business)).queues
            yield FloorChange(full=True, agents=agents, removed_agents=[], queues=queues, at=utcnow())
            async for changed in in_batches(events, PAUSE, EVERY):
                ids = {event.subject for event in changed if event.topic == CHANGED}
                talks = sorted({event.subject for event in changed if event.topic == TALK})
                ids.update(await in_calls(state.db, business, talks))
                ids = {one for one in ids if sees(people, one)}
                agents = await live_agents(state, business, sorted(ids)) if ids else []
                gone = sorted(ids - {one.user_id for one in agents})
                queues = (await _glance(state, business)).queues
                yield FloorChange(full=False, agents=agents, removed_agents=gone, queues=queues, at=utcnow())

    @subscription(Permission.AGENT)
    async def my_queues(self, info: Info) -> AsyncIterator[list[MyQueue]]:
        """The asker's own queues: how many wait, and whether all are busy."""
        state, actor = info.context.state, info.context.actor
        with state.bus.subscribe(lambda event: _on_the_floor(event, actor.business_id)) as events:
            last: list[MyQueue] | None = None
            async for _ in at_once(in_batches(events, PAUSE, EVERY)):
                found = await _my_queues(state, actor.business_id, actor.user_id or "")
                if found != last:
                    last = found
                    yield found


async def _my_queues(state: AppState, business_id: str, user_id: str) -> list[MyQueue]:
    seen = await _glance(state, business_id)
    return [_my_queue(one) for one in seen.queues if user_id in seen.members.get(one.name, ())]


def _my_queue(queue: QueueLive) -> MyQueue:
    """A queue as its agents see it: who is ringing at one of them is being served."""
    since = [one.since for one in queue.callers if one.state == "waiting"]
    return MyQueue(
        name=queue.name,
        label=queue.label,
        waiting=len(since),
        longest_since=min(since, default=None),
        ready=queue.ready,
        all_busy=bool(since) and queue.ready == 0,
    )


def _on_the_floor(event: Event, business_id: str) -> bool:
    return event.business_id == business_id and event.topic in (CHANGED, ENTRY)


def _on_the_wall(event: Event, business_id: str) -> bool:
    """What the floor is told of: also that a caller is put on hold, or that a phone has fallen silent."""
    return _on_the_floor(event, business_id) or (event.business_id == business_id and event.topic == TALK)
