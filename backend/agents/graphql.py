"""Agents: their own states, and what supervisors see and decide."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import strawberry
from sqlmodel import col, select
from strawberry.scalars import JSON

from backend.agents import service
from backend.agents.live import CHANGED
from backend.agents.machine import GoNotReady, GoReady, SignIn, SignOut
from backend.agents.models import Agent, AgentReason
from backend.agents.talks import NO_TALK, TalkNow, talks_of
from backend.calls.models import Call
from backend.customers.masking import home_of, masks
from backend.customers.models import Customer
from backend.database import read
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query, subscription
from backend.identity.models import User
from backend.identity.permissions import Permission
from backend.identity.scope import People
from backend.queues.models import Queue, QueueEntry
from backend.state import AppState


@masks("caller", "called")
@strawberry.type(description="The caller an agent is offered or serves: all that the console pops while it rings.")
class AgentCall:
    entry_id: str = strawberry.field(description="The stay in the queue; empty for a call of the agent's own.")
    call_id: str
    queue: str
    queue_label: Words | None
    caller: str = strawberry.field(description="The customer's number.")
    called: str = strawberry.field(description="The number that the customer called.")
    customer_id: str | None
    customer_name: str
    vip: bool
    transferred: bool
    flow: str
    waited_seconds: float = strawberry.field(description="How long the caller had waited when it rang.")
    since: datetime
    ring_seconds: int
    kind: str = strawberry.field(description="call, or callback: the agent's phone rings first, then the customer's.")
    script: str
    pop_url: str
    wrap_up_seconds: int = strawberry.field(description="-1 when it is ended by hand.")

    @query(Permission.SIGNED_IN, "Where the customer's number belongs to, in a few words.")
    async def region(self, info: Info) -> Words | None:
        return await home_of(info, self.caller)


@strawberry.type(description="An agent now. Times run from since; the client counts.")
class AgentLive:
    user_id: str
    name: str
    display_name: str
    team: str
    extension: str
    phone_kind: str
    seat: str
    auto_answer: bool
    auto_release: bool
    state: str = strawberry.field(
        description="signed_out, ready, not_ready, offered, talking, wrap_up, or busy with a call of their own."
    )
    reason: str
    since: datetime
    until: datetime | None = strawberry.field(description="When wrap-up ends by itself.")
    limit_at: datetime | None = strawberry.field(
        description="When being not ready for this reason becomes too long; from then on the console and the wall warn."
    )
    wish: str = strawberry.field(description="The state that follows the call, when it was chosen already.")
    wish_reason: str
    signed_in_at: datetime | None
    calls: int
    busy_seconds: float
    misses: int
    call: AgentCall | None
    talk: str = strawberry.field(
        description="How the talk stands in which they are: talking, held, consulting, conference or transferring; "
        "empty without one."
    )
    away: str = strawberry.field(description="Whose sound has stopped coming in that talk: own, other, or empty.")
    guest: str = strawberry.field(
        description="How they are in a call that is somebody else's: listen, whisper, barge, or third for who was "
        "asked; empty in a call of their own."
    )
    host_name: str = strawberry.field(description="The agent whose call that is.")
    queues: list[str]
    help_since: datetime | None = strawberry.field(description="Since when they call for a supervisor's help.")
    help_note: str
    help_call_id: str
    help_by: str | None = strawberry.field(description="Id of the supervisor who has answered the call for help.")
    help_by_name: str


@strawberry.type(description="A profile of an agent.")
class AgentProfile:
    user_id: str
    name: str
    display_name: str
    extension: str
    phone_kind: str
    outside_number: str
    seat: str
    skills: JSON
    team: str
    auto_answer: bool
    auto_release: bool
    wrap_up_seconds: int | None
    wrap_up_by_hand: bool
    max_misses: int
    enabled: bool
    state: str
    queues: list[str]


@strawberry.input(description="phoneKind is browser, sip or outside; skills are levels 1 to 9 by name.")
class AgentInput:
    extension: str = ""
    phone_kind: str = "browser"
    outside_number: str = ""
    seat: str = "ordinary"
    skills: JSON | None = None
    team: str = ""
    auto_answer: bool = False
    auto_release: bool = True
    wrap_up_seconds: int | None = None
    wrap_up_by_hand: bool = False
    max_misses: int = 2
    enabled: bool = True
    queues: list[str] | None = None


@strawberry.type(name="AgentReason", description="A reason for not being ready.")
class AgentReasonType(FromRow):
    key: str
    label_zh: str
    label_en: str
    paid: bool
    limit_minutes: int
    position: int
    enabled: bool


@strawberry.input
class AgentReasonInput:
    key: str
    label_zh: str
    label_en: str
    paid: bool = True
    limit_minutes: int = 0
    position: int = 0
    enabled: bool = True


@strawberry.type(name="Team")
class TeamType(FromRow):
    key: str
    name: str


@strawberry.type(name="AgentStretch", description="One stretch of one state of one agent.")
class AgentStretch(FromRow):
    id: str
    user_id: str
    state: str
    reason: str
    team: str
    queue: str
    call_id: str
    by: str
    began_at: datetime
    ended_at: datetime | None
    seconds: float


@strawberry.type(description="Somebody to transfer to or write to.")
class AgentName:
    user_id: str
    name: str
    display_name: str
    extension: str
    team: str
    seat: str
    state: str


async def live_agents(
    state: AppState, business_id: str, ids: Sequence[str] | None = None, *, people: People = None
) -> list[AgentLive]:
    """Agents as they stand, with their callers; only those among `people`."""
    rows = await service.list_agents(state.db, business_id, ids, people=people)
    queues = await service.queues_of(state.db, business_id, ids)
    wanted = [agent.entry_id for agent, _ in rows if agent.entry_id]
    entries: dict[str, QueueEntry] = {}
    rules: dict[str, Queue] = {}
    helpers = {agent.help_by for agent, _ in rows if agent.help_by}
    names: dict[str, str] = {}
    if helpers:
        async with read(state.db) as session:
            answering = await session.exec(select(User).where(col(User.id).in_(helpers)))
            names = {user.id: user.display_name or user.name for user in answering}
    if wanted:
        async with read(state.db) as session:
            found = select(QueueEntry).where(col(QueueEntry.id).in_(wanted), QueueEntry.business_id == business_id)
            entries = {row.id: row for row in await session.exec(found)}
            known = {row.queue for row in entries.values()}
            chosen = select(Queue).where(Queue.business_id == business_id, col(Queue.name).in_(known))
            rules = {row.name: row for row in await session.exec(chosen)}
    reasons: dict[str, AgentReason] = {}
    if any(agent.state == "not_ready" and agent.reason for agent, _ in rows):
        reasons = {row.key: row for row in await service.list_reasons(state.db, business_id)}
    talks = await talks_of(state.db, business_id, [agent for agent, _ in rows])
    calls: dict[str, Call] = {}
    customers: dict[str, str] = {}
    if own := [agent.call_id for agent, _ in rows if agent.call_id and not agent.entry_id]:
        async with read(state.db) as session:
            wanted_calls = select(Call).where(col(Call.id).in_(own), Call.business_id == business_id)
            calls = {row.id: row for row in await session.exec(wanted_calls)}
            known_ids = [row.customer_id for row in calls.values() if row.customer_id]
            if known_ids:
                of_them = await session.exec(select(Customer).where(col(Customer.id).in_(known_ids)))
                customers = {row.id: row.name for row in of_them}
    return [
        _live(
            agent,
            user,
            queues.get(agent.user_id, []),
            entries,
            rules,
            names.get(agent.help_by or "", ""),
            calls,
            customers,
            reasons,
            talks.get(agent.user_id, NO_TALK),
        )
        for agent, user in rows
    ]


def _live(
    agent: Agent,
    user: User,
    queues: list[str],
    entries: dict[str, QueueEntry],
    rules: dict[str, Queue],
    helper: str,
    calls: dict[str, Call],
    customers: dict[str, str],
    reasons: dict[str, AgentReason],
    talk: TalkNow,
) -> AgentLive:
    entry = entries.get(agent.entry_id)
    call = None
    if entry is not None and agent.state in ("offered", "talking", "wrap_up", "busy"):
        call = _call(agent, entry, rules.get(entry.queue))
    elif agent.call_id:
        found = calls.get(agent.call_id)
        call = _own_call(agent, found, customers.get((found.customer_id if found else "") or "", ""))
    return AgentLive(
        user_id=agent.user_id,
        name=user.name,
        display_name=user.display_name or user.name,
        team=agent.team,
        extension=agent.extension,
        phone_kind=agent.phone_kind,
        seat=agent.seat,
        auto_answer=agent.auto_answer,
        auto_release=agent.auto_release,
        state=agent.state,
        reason=agent.reason,
        since=agent.since,
        until=agent.until,
        limit_at=limit_of(agent, reasons.get(agent.reason)),
        wish=agent.wish,
        wish_reason=agent.wish_reason,
        signed_in_at=agent.signed_in_at,
        calls=agent.calls,
        busy_seconds=agent.busy_seconds,
        misses=agent.misses,
        call=call,
        talk=talk.mode,
        away=talk.away,
        guest=talk.guest,
        host_name=talk.host,
        queues=queues,
        help_since=agent.help_since,
        help_note=agent.help_note,
        help_call_id=agent.help_call,
        help_by=agent.help_by,
        help_by_name=helper,
    )


def limit_of(agent: Agent, reason: AgentReason | None) -> datetime | None:
    """When somebody who is not ready has been so for longer than the reason allows."""
    if agent.state != "not_ready" or reason is None or not reason.limit_minutes:
        return None
    return agent.since + timedelta(minutes=reason.limit_minutes)


def _call(agent: Agent, entry: QueueEntry, queue: Queue | None) -> AgentCall:
    wrap_up = agent.wrap_up_seconds if agent.wrap_up_seconds is not None else queue.wrap_up_seconds if queue else 0
    return AgentCall(
        entry_id=entry.id,
        call_id=entry.call_id,
        queue=entry.queue,
        queue_label=Words(zh=queue.label_zh, en=queue.label_en) if queue else None,
        caller=entry.number or entry.caller,
        called=entry.called,
        customer_id=entry.customer_id,
        customer_name=entry.customer_name,
        vip=entry.vip,
        transferred=entry.transferred,
        flow=entry.flow,
        waited_seconds=((entry.offered_at or entry.entered_at) - entry.place_at).total_seconds(),
        since=entry.answered_at or entry.offered_at or entry.entered_at,
        ring_seconds=queue.ring_seconds if queue else 20,
        kind=entry.kind,
        script=queue.script if queue else "",
        pop_url=queue.pop_url if queue else "",
        wrap_up_seconds=-1 if agent.wrap_up_by_hand else wrap_up,
    )


def _own_call(agent: Agent, call: Call | None, customer: str) -> AgentCall:
    """A call that no queue gave: one's own, or a colleague's."""
    outward = call is not None and call.direction != "inbound"
    here, there = (call.called, call.caller) if call is not None else ("", "")
    return AgentCall(
        entry_id="", call_id=agent.call_id, queue="", queue_label=None, caller=here if outward else there,
        called=there if outward else here, customer_id=call.customer_id if call is not None else None,
        customer_name=customer, vip=False, transferred=agent.state == "offered",
        flow=call.flow_key if call is not None else "", waited_seconds=0.0, since=agent.since,
        ring_seconds=40 if agent.state == "offered" else 0, kind="call", script="", pop_url="", wrap_up_seconds=0,
    )  # fmt: skip


async def _mine(info: Info) -> AgentLive:
    actor = info.context.actor
    found = await live_agents(info.context.state, actor.business_id, [actor.user_id or ""])
    if not found:
        raise service.no_agent()
    return found[0]


async def _one(info: Info, user_id: str) -> AgentLive:
    return (await live_agents(info.context.state, info.context.actor.business_id, [user_id]))[0]


def _profile(agent: Agent, user: User, queues: list[str]) -> AgentProfile:
    return AgentProfile(
        user_id=agent.user_id,
        name=user.name,
        display_name=user.display_name or user.name,
        skills=JSON(agent.skills),
        queues=queues,
        **{
            name: getattr(agent, name)
            for name in ("extension", "phone_kind", "outside_number", "seat", "team", "auto_answer", "auto_release",
                         "wrap_up_seconds", "wrap_up_by_hand", "max_misses", "enabled", "state")
        },
    )  # fmt: skip


@strawberry.type
class AgentsQuery:
    @query(Permission.AGENT, "The asker's own agent; null for somebody who is none.")
    async def my_agent(self, info: Info) -> AgentLive | None:
        actor = info.context.actor
        found = await live_agents(info.context.state, actor.business_id, [actor.user_id or ""])
        return found[0] if found else None

    @query(Permission.FLOOR, "Every agent in the asker's reach as they stand.")
    async def agents_live(self, info: Info) -> list[AgentLive]:
        actor = info.context.actor
        return await live_agents(info.context.state, actor.business_id, people=actor.people)

    @query(Permission.FLOOR, "Profiles of all agents in the asker's reach.")
    async def agents(self, info: Info) -> list[AgentProfile]:
        db, actor = info.context.state.db, info.context.actor
        queues = await service.queues_of(db, actor.business_id)
        return [
            _profile(agent, user, queues.get(agent.user_id, []))
            for agent, user in await service.list_agents(db, actor.business_id, people=actor.people)
        ]

    @query(Permission.AGENT, "Whom an agent may transfer to: all agents with their states.")
    async def agent_directory(self, info: Info) -> list[AgentName]:
        rows = await service.list_agents(info.context.state.db, info.context.actor.business_id)
        return [
            AgentName(
                user_id=agent.user_id,
                name=user.name,
                display_name=user.display_name or user.name,
                extension=agent.extension,
                team=agent.team,
                seat=agent.seat,
                state=agent.state,
            )
            for agent, user in rows
            if agent.enabled
        ]

    @query(Permission.AGENT, "Reasons for not being ready, in order.")
    async def agent_reasons(self, info: Info) -> list[AgentReasonType]:
        rows = await service.list_reasons(info.context.state.db, info.context.actor.business_id)
        return [AgentReasonType.of(row) for row in rows]

    @query(Permission.AGENT, "Groups of agents by name.")
    async def teams(self, info: Info) -> list[TeamType]:
        rows = await service.list_teams(info.context.state.db, info.context.actor.business_id)
        return [TeamType.of(row) for row in rows]

    @query(Permission.FLOOR, "What agents did, the newest first.")
    async def agent_state_log(
        self,
        info: Info,
        user_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> Connection[AgentStretch]:
        found = await service.state_log(
            info.context.state.db, info.context.actor.business_id, user_id=user_id, since=since, until=until,
            people=info.context.actor.people, first=first, after=after,
        )  # fmt: skip
        return connection(found, AgentStretch)


@strawberry.type
class AgentsMutation:
    @mutation(Permission.AGENT, "Begin work; nothing changes for who is signed in already.")
    async def agent_sign_in(self, info: Info, ready: bool = False, reason: str = "") -> AgentLive:
        await service.change_own_state(info.context.state.db, info.context.actor, SignIn(ready, reason))
        return await _mine(info)

    @mutation(Permission.AGENT, "End work, after the call when there is one.")
    async def agent_sign_out(self, info: Info) -> AgentLive:
        await service.change_own_state(info.context.state.db, info.context.actor, SignOut())
        return await _mine(info)

    @mutation(Permission.AGENT, "Ready for calls; in the middle of a call: after it.")
    async def agent_ready(self, info: Info) -> AgentLive:
        await service.change_own_state(info.context.state.db, info.context.actor, GoReady())
        return await _mine(info)

    @mutation(Permission.AGENT, "Not ready, for a reason; in the middle of a call: after it.")
    async def agent_not_ready(self, info: Info, reason: str = "") -> AgentLive:
        await service.change_own_state(info.context.state.db, info.context.actor, GoNotReady(reason))
        return await _mine(info)

    @mutation(Permission.AGENT, "The work after the call is done.")
    async def end_wrap_up(self, info: Info) -> AgentLive:
        await service.end_wrap_up(info.context.state.db, info.context.actor)
        return await _mine(info)

    @mutation(Permission.AGENT, "Call a supervisor for help, in the call that goes on unless another is named.")
    async def call_for_help(self, info: Info, call_id: str = "", note: str = "") -> AgentLive:
        await service.call_for_help(info.context.state.db, info.context.actor, call_id, note)
        return await _mine(info)

    @mutation(Permission.AGENT, "No help is needed any more; the end of the call says so too.")
    async def end_help(self, info: Info) -> AgentLive:
        await service.end_help(info.context.state.db, info.context.actor)
        return await _mine(info)

    @mutation(Permission.FLOOR_ACT, "Answer an agent's call for help; refused when somebody else has.")
    async def answer_help(self, info: Info, user_id: str) -> AgentLive:
        await service.answer_help(info.context.state.db, info.context.actor, user_id)
        return await _one(info, user_id)

    @mutation(Permission.FLOOR_ACT, "Set an agent ready, not_ready or signed_out; in the middle of a call: after it.")
    async def force_agent_state(self, info: Info, user_id: str, state: str, reason: str = "") -> AgentLive:
        await service.force_state(info.context.state.db, info.context.actor, user_id, state, reason)
        return await _one(info, user_id)

    @mutation(
        Permission.FLOOR_ACT, "Put agents into a team ('' for none), and into exactly these queues when they are given."
    )
    async def move_agents(self, info: Info, user_ids: list[str], team: str, queues: list[str] | None = None) -> int:
        return await service.move_agents(info.context.state.db, info.context.actor, user_ids, team, queues)

    @mutation(Permission.AGENTS, "Make a user an agent, or change the profile.")
    async def save_agent(self, info: Info, user_id: str, agent: AgentInput) -> AgentProfile:
        db, actor = info.context.state.db, info.context.actor
        given = vars(agent) | {"skills": agent.skills or {}}
        if not isinstance(given["skills"], dict):
            raise service.refuse("skills", "技能应为对象", "skills are levels by name")
        await service.save_agent(db, actor, user_id, service.AgentInput(**given))
        ((row, user),) = await service.list_agents(db, actor.business_id, [user_id])
        return _profile(row, user, (await service.queues_of(db, actor.business_id)).get(user_id, []))

    @mutation(Permission.AGENTS, "Somebody is no agent any more; the user stays.")
    async def delete_agent(self, info: Info, user_id: str) -> Done:
        await service.delete_agent(info.context.state.db, info.context.actor, user_id)
        return Done()

    @mutation(Permission.AGENTS, "Create or change a reason for not being ready.")
    async def save_agent_reason(self, info: Info, reason: AgentReasonInput) -> AgentReasonType:
        given = service.ReasonInput(**vars(reason))
        return AgentReasonType.of(await service.save_reason(info.context.state.db, info.context.actor, given))

    @mutation(Permission.AGENTS, "Remove a reason.")
    async def delete_agent_reason(self, info: Info, key: str) -> Done:
        await service.delete_reason(info.context.state.db, info.context.actor, key)
        return Done()

    @mutation(Permission.AGENTS, "Create or rename a team.")
    async def save_team(self, info: Info, key: str, name: str) -> TeamType:
        return TeamType.of(await service.save_team(info.context.state.db, info.context.actor, key, name))

    @mutation(Permission.AGENTS, "Remove a team; its agents stay.")
    async def delete_team(self, info: Info, key: str) -> Done:
        await service.delete_team(info.context.state.db, info.context.actor, key)
        return Done()


@strawberry.type
class AgentsSubscription:
    @subscription(Permission.AGENT)
    async def my_agent_changes(self, info: Info) -> AsyncIterator[AgentLive]:
        """The asker's own agent: now, and at every change. An offer arrives here with all that the screen shows."""
        state, actor = info.context.state, info.context.actor
        with state.bus.subscribe(lambda event: event.topic == CHANGED and event.subject == actor.user_id) as events:
            yield await _mine(info)
            async for _ in events:
                yield await _mine(info)
