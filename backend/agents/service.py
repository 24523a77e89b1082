"""Agents: profiles, teams, reasons; their own wishes and those of supervisors."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, delete, select

from backend.agents.live import happen, help_over, tell
from backend.agents.machine import (
    Event,
    GoNotReady,
    GoReady,
    SignIn,
    SignOut,
    State,
    WrapUpDone,
    WrongStateError,
)
from backend.agents.models import Agent, AgentReason, AgentStateLog, Team
from backend.audit.service import changed, note
from backend.calls.models import Call
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ConflictError, Faults, ForbiddenError, InvalidError, NotFoundError, not_found
from backend.identity.models import User
from backend.identity.permissions import Actor
from backend.identity.rights import rights_changed
from backend.identity.scope import People, only, sees
from backend.numbers.models import Extension
from backend.paging import Page, page
from backend.queues.dispatch import floor
from backend.queues.models import Queue, QueueMember
from nodes.sdk.text import Text, text

PHONES = ("browser", "sip", "outside")
SEATS = ("ordinary", "expert", "supervisor")
KEY = re.compile(r"[\w.-]{1,64}")

STATE_NAMES: dict[str, Text] = {
    "signed_out": text("未签入", "Signed out"),
    "ready": text("示闲", "Ready"),
    "not_ready": text("示忙", "Not ready"),
    "offered": text("振铃", "Ringing"),
    "talking": text("通话中", "Talking"),
    "wrap_up": text("事后处理", "Wrap-up"),
    "busy": text("自拨通话", "Own call"),
}


@dataclass(frozen=True, slots=True)
class AgentInput:
    """A profile, as an administrator writes it. ``queues`` None leaves them."""

    extension: str = ""
    phone_kind: str = "browser"
    outside_number: str = ""
    seat: str = "ordinary"
    skills: dict[str, int] = field(default_factory=dict)
    team: str = ""
    auto_answer: bool = False
    auto_release: bool = True
    wrap_up_seconds: int | None = None
    wrap_up_by_hand: bool = False
    max_misses: int = 2
    enabled: bool = True
    queues: list[str] | None = None


def refuse(
    name: str, zh: str, en: str, remedy_zh: str = "请修改后再试。", remedy_en: str = "Change it."
) -> InvalidError:
    """An input that cannot be."""
    return InvalidError(text(zh, en), field=name, remedy=text(remedy_zh, remedy_en))


def check_skills(skills: dict[str, Any]) -> dict[str, int]:
    """Levels 1 to 9 by name."""
    for name, value in skills.items():
        if not name.strip() or len(name) > 64 or not isinstance(value, int) or not 1 <= value <= 9:
            raise refuse(
                "skills",
                f"技能“{name}”不可用",
                f"the skill '{name}' cannot be",
                "等级为 1 到 9。",
                "A level is from 1 to 9.",
            )
    return {name.strip(): int(value) for name, value in skills.items()}


def _faults(profile: AgentInput) -> Iterator[InvalidError]:
    """What is wrong with a profile as it was given."""
    if profile.phone_kind not in PHONES:
        yield refuse(
            "phone_kind",
            f"没有话机类型“{profile.phone_kind}”",
            f"there is no phone kind '{profile.phone_kind}'",
            "可选 browser、sip、outside。",
            "Choose browser, sip or outside.",
        )
    if profile.seat not in SEATS:
        yield refuse(
            "seat",
            f"没有坐席类别“{profile.seat}”",
            f"there is no seat '{profile.seat}'",
            "可选 ordinary、expert、supervisor。",
            "Choose ordinary, expert or supervisor.",
        )
    if profile.phone_kind == "outside" and not profile.outside_number.strip():
        yield refuse(
            "outside_number", "请填写外线号码", "an outside phone needs a number", "填写号码。", "Give the number."
        )
    if profile.phone_kind != "outside" and not re.fullmatch(r"\d{3,6}", profile.extension):
        yield refuse(
            "extension",
            "请填写 3 到 6 位分机号",
            "an extension has 3 to 6 digits",
            "填写分机号。",
            "Give the extension.",
        )
    if profile.wrap_up_seconds is not None and not 0 <= profile.wrap_up_seconds <= 3600:
        yield refuse("wrap_up_seconds", "事后处理时间不可用", "wrap-up takes 0 to 3600 seconds")
    if not 0 <= profile.max_misses <= 20:
        yield refuse("max_misses", "未接次数不可用", "give 0 to 20 misses; 0 is no limit")


PROFILE = (
    "extension", "phone_kind", "seat", "team", "auto_answer", "auto_release", "wrap_up_seconds", "wrap_up_by_hand",
    "max_misses", "enabled",
)  # fmt: skip


async def save_agent(db: Database, actor: Actor, user_id: str, profile: AgentInput) -> Agent:
    """Make somebody an agent, or change the profile. Their extension becomes theirs."""
    faults = Faults()
    for fault in _faults(profile):
        faults.add(fault)
    skills: dict[str, int] = {}
    with faults.gathered():
        skills = check_skills(profile.skills)
    async with floor(db, actor.business_id) as session:
        user = await session.get(User, user_id)
        if user is None or user.business_id != actor.business_id:
            raise not_found("用户", "user", user_id, "userId")
        if profile.team:
            with faults.gathered():
                await _team(session, actor.business_id, profile.team)
        if profile.phone_kind != "outside":
            with faults.gathered():
                await _bind_extension(session, actor, user_id, profile.extension)
        faults.tell()
        row = await locked(session, Agent, user_id)
        if row is None:
            row = Agent(user_id=user_id, business_id=actor.business_id)
            session.add(row)
        if row.team != profile.team:
            rights_changed(session, actor.business_id)
        for name in PROFILE:
            setattr(row, name, getattr(profile, name))
        row.outside_number = profile.outside_number.strip()
        row.skills = skills
        said = changed(row, *PROFILE, "outside_number", "skills")
        await session.flush()
        if profile.queues is not None:
            await _set_queues(session, actor, user_id, profile.queues)
        if not row.enabled and row.state != "signed_out":
            await happen(session, row, SignOut(), by=actor.name)
        tell(session, row)
        await note(session, actor, "agent.saved", user.name, **said)
        return row


async def _bind_extension(session: AsyncSession, actor: Actor, user_id: str, number: str) -> None:
    found = select(Extension).where(Extension.business_id == actor.business_id, Extension.number == number)
    extension = (await session.exec(found)).first()
    if extension is None:
        raise not_found("分机", "extension", number, "extension")
    if extension.user_id not in (None, user_id):
        raise ConflictError(
            text(f"分机 {number} 属于他人", f"the extension {number} is somebody else's"),
            field="extension",
            remedy=text("请选择另一分机。", "Choose another extension."),
        )
    extension.user_id = user_id


async def _set_queues(session: AsyncSession, actor: Actor, user_id: str, names: Sequence[str]) -> None:
    rows = {row.name: row for row in await session.exec(select(Queue).where(Queue.business_id == actor.business_id))}
    for name in names:
        if name not in rows:
            raise not_found("队列", "queue", name, "queues")
    have = {
        member.queue_id: member
        for member in await session.exec(
            select(QueueMember).where(QueueMember.user_id == user_id, QueueMember.business_id == actor.business_id)
        )
    }
    wanted = {rows[name].id for name in names}
    for queue_id, member in have.items():
        if queue_id not in wanted:
            await session.delete(member)
    for queue_id in wanted - have.keys():
        session.add(QueueMember(queue_id=queue_id, user_id=user_id, business_id=actor.business_id))


async def delete_agent(db: Database, actor: Actor, user_id: str) -> None:
    """Somebody is no agent any more; refused in the middle of a call."""
    async with floor(db, actor.business_id) as session:
        row = await _agent(session, actor.business_id, user_id)
        if row.state in ("offered", "talking", "busy"):
            raise ConflictError(
                text("坐席正在通话", "this agent is on a call"),
                field="userId",
                remedy=text("请在通话结束后再试。", "Try again after the call."),
            )
        if row.state != "signed_out":
            await happen(session, row, SignOut(), by=actor.name)
        await session.exec(delete(QueueMember).where(col(QueueMember.user_id) == user_id))
        if row.team:
            rights_changed(session, actor.business_id)
        await session.delete(row)
        await note(session, actor, "agent.deleted", user_id)


async def _agent(session: AsyncSession, business_id: str, user_id: str) -> Agent:
    row = await locked(session, Agent, user_id)
    if row is None or row.business_id != business_id:
        raise not_found("坐席", "agent", user_id, "userId")
    return row


async def _agent_for(session: AsyncSession, actor: Actor, user_id: str) -> Agent:
    """An agent within the reach of a supervisor, locked. Raises NotFoundError."""
    if not sees(actor.people, user_id):
        raise not_found("坐席", "agent", user_id, "userId")
    return await _agent(session, actor.business_id, user_id)


async def list_agents(
    db: Database, business_id: str, ids: Sequence[str] | None = None, *, people: People = None
) -> list[tuple[Agent, User]]:
    """Agents with their people, by name; only those among `people`."""
    statement = (
        select(Agent, User)
        .join(User, col(User.id) == col(Agent.user_id))
        .where(Agent.business_id == business_id, only(people, Agent.user_id))
    )
    if ids is not None:
        statement = statement.where(col(Agent.user_id).in_(ids))
    async with read(db) as session:
        return [(agent, user) for agent, user in await session.exec(statement.order_by(col(User.name)))]


async def outside_phone(db: Database, business_id: str, extension: str) -> Agent | None:
    """The agent of an extension who is signed in at a phone outside: calls to the extension go there."""
    if not re.fullmatch(r"\d{3,6}", extension):
        return None
    found = select(Agent).where(
        Agent.business_id == business_id,
        Agent.extension == extension,
        Agent.phone_kind == "outside",
        Agent.outside_number != "",
        Agent.state != "signed_out",
    )
    async with read(db) as session:
        return (await session.exec(found.limit(1))).first()


async def releases_by_hand(db: Database, business_id: str, user_id: str, extension: str) -> bool:
    """Whether the agent at a phone (a user, else an extension) hangs it up themselves when the other side has gone."""
    who = Agent.user_id == user_id if user_id else Agent.extension == extension
    found = select(Agent.auto_release).where(Agent.business_id == business_id, who, Agent.state != "signed_out")
    async with read(db) as session:
        return (await session.exec(found.limit(1))).first() is False


async def queues_of(db: Database, business_id: str, ids: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Names of queues by agent: of all, or of these."""
    statement = (
        select(QueueMember.user_id, Queue.name)
        .join(Queue, col(Queue.id) == col(QueueMember.queue_id))
        .where(QueueMember.business_id == business_id)
        .order_by(col(Queue.position), col(Queue.name))
    )
    if ids is not None:
        statement = statement.where(col(QueueMember.user_id).in_(ids))
    found: dict[str, list[str]] = {}
    async with read(db) as session:
        for user, name in await session.exec(statement):
            found.setdefault(user, []).append(name)
    return found


# --------------------------------------------------------------------------- states


def _own(actor: Actor) -> str:
    if actor.user_id is None:
        raise ForbiddenError(
            text("只有坐席本人可以这样做", "only an agent may do this"),
            remedy=text("请以坐席账号登录。", "Sign in as an agent."),
        )
    return actor.user_id


def wrong_state(problem: WrongStateError) -> ConflictError:
    """What people read when something cannot happen now."""
    return not_while(problem.state)


def not_while(state: State) -> ConflictError:
    """The same, by the state that does not allow it."""
    name = STATE_NAMES[state.value]
    return ConflictError(
        text(f"当前状态“{name.zh}”下不能这样做", f"this cannot be done while {name.en.lower()}"),
        field="state",
        code="wrong_state",
        remedy=text("请先改变状态。", "Change the state first."),
        details={"state": state.value},
    )


async def change_own_state(db: Database, actor: Actor, event: Event) -> Agent:
    """What an agent wants for themselves."""
    return await _change(db, actor, _own(actor), event)


async def _change(db: Database, actor: Actor, user_id: str, event: Event) -> Agent:
    try:
        async with floor(db, actor.business_id) as session:
            row = await _agent(session, actor.business_id, user_id)
            if isinstance(event, SignIn) and not row.enabled:
                raise ForbiddenError(
                    text("坐席已停用", "this agent is switched off"),
                    remedy=text("请联系管理员。", "Ask an administrator."),
                )
            if isinstance(event, GoNotReady) and event.reason:
                await _reason(session, actor.business_id, event.reason)
            await happen(session, row, event, by="" if actor.user_id == user_id else actor.name)
            return row
    except WrongStateError as problem:
        raise wrong_state(problem) from problem
    except NotFoundError as problem:
        if problem.field == "userId" and actor.user_id == user_id:
            raise no_agent() from problem
        raise


def no_agent() -> ForbiddenError:
    """What people read who are no agents."""
    return ForbiddenError(
        text("您不是坐席", "you are no agent"),
        code="no_agent",
        remedy=text("请管理员为您建立坐席。", "Ask an administrator to make you an agent."),
    )


async def _reason(session: AsyncSession, business_id: str, key: str) -> None:
    found = select(AgentReason).where(
        AgentReason.business_id == business_id, AgentReason.key == key, col(AgentReason.enabled).is_(True)
    )
    if (await session.exec(found)).first() is None:
        raise not_found("示忙原因", "reason", key, "reason")


def wished(state: str, reason: str) -> Event:
    """The event that brings an agent to a state."""
    match state:
        case State.READY:
            return GoReady()
        case State.NOT_READY:
            return GoNotReady(reason)
        case State.SIGNED_OUT:
            return SignOut()
        case _:
            raise refuse(
                "state",
                f"不能设为“{state}”",
                f"nobody can be set to '{state}'",
                "可选 ready、not_ready、signed_out。",
                "Choose ready, not_ready or signed_out.",
            )


async def force_state(db: Database, actor: Actor, user_id: str, state: str, reason: str = "") -> Agent:
    """What a supervisor decides: at once, or after the call that goes on. Somebody signed out is signed in first."""
    event = wished(state, reason)
    try:
        async with floor(db, actor.business_id) as session:
            row = await _agent_for(session, actor, user_id)
            if reason and state == State.NOT_READY:
                await _reason(session, actor.business_id, reason)
            if row.state == State.SIGNED_OUT and state != State.SIGNED_OUT:
                await happen(session, row, SignIn(), by=actor.name)
            if row.state != state or row.reason != reason:
                await happen(session, row, event, by=actor.name)
            await note(session, actor, "agent.forced", user_id, state=state, reason=reason)
            return row
    except WrongStateError as problem:
        raise wrong_state(problem) from problem


async def end_wrap_up(db: Database, actor: Actor) -> Agent:
    """The agent has finished the work after the call."""
    return await _change(db, actor, _own(actor), WrapUpDone())


# --------------------------------------------------------------------------- help


async def call_for_help(db: Database, actor: Actor, call_id: str = "", words: str = "") -> Agent:
    """An agent wants a supervisor, in the call that goes on unless another one is named. Once more changes the note."""
    if len(words) > 500:
        raise refuse("note", "说明最多 500 字", "a note has 500 signs at most")
    async with write(db) as session:
        row = await _own_row(session, actor)
        if call_id and call_id != row.call_id:
            call = await session.get(Call, call_id)
            if call is None or call.business_id != actor.business_id:
                raise not_found("通话", "call", call_id, "callId")
        if row.state == State.SIGNED_OUT:
            raise not_while(State.SIGNED_OUT)
        row.help_since = row.help_since or utcnow()
        row.help_note, row.help_call = words.strip(), call_id or row.call_id
        tell(session, row)
        await note(session, actor, "agent.help", row.user_id, call_id=row.help_call)
        return row


async def end_help(db: Database, actor: Actor) -> Agent:
    """The agent needs nobody any more."""
    async with write(db) as session:
        row = await _own_row(session, actor)
        help_over(row)
        tell(session, row)
        return row


async def answer_help(db: Database, actor: Actor, user_id: str) -> Agent:
    """A supervisor comes: of two who do so at once one does."""
    async with write(db) as session:
        row = await _agent_for(session, actor, user_id)
        if row.help_since is None:
            raise ConflictError(
                text("坐席没有求助", "this agent does not call for help"),
                field="userId",
                code="no_help",
                remedy=text("无需处理。", "There is nothing to do."),
            )
        if user_id == actor.user_id:
            raise ConflictError(
                text("这是您自己的求助", "this is your own call for help"),
                field="userId",
                code="own_help",
                remedy=text("请等待其他班长，或取消求助。", "Wait for another supervisor, or withdraw it."),
            )
        if row.help_by not in (None, actor.user_id):
            raise ConflictError(
                text("已有人前去协助", "somebody else is helping already"),
                field="userId",
                code="taken",
                remedy=text("请处理其他求助。", "Answer another one."),
            )
        row.help_by = actor.user_id
        tell(session, row)
        await note(session, actor, "agent.helped", user_id, call_id=row.help_call)
        return row


async def _own_row(session: AsyncSession, actor: Actor) -> Agent:
    row = await locked(session, Agent, _own(actor))
    if row is None or row.business_id != actor.business_id:
        raise no_agent()
    return row


async def move_agents(
    db: Database, actor: Actor, user_ids: Sequence[str], team: str, queues: Sequence[str] | None = None
) -> int:
    """Put agents into a team, and into exactly these queues when they are given; returns how many there were."""
    async with floor(db, actor.business_id) as session:
        if team:
            await _team(session, actor.business_id, team)
        for user_id in dict.fromkeys(user_ids):
            row = await _agent_for(session, actor, user_id)
            row.team = team
            if queues is not None:
                await _set_queues(session, actor, user_id, queues)
            tell(session, row)
        rights_changed(session, actor.business_id)
        await note(session, actor, "agents.moved", team, agents=len(set(user_ids)), queues=list(queues or ()))
    return len(set(user_ids))


async def state_log(
    db: Database,
    business_id: str,
    *,
    user_id: str | None,
    since: datetime | None,
    until: datetime | None,
    people: People = None,
    first: int = 50,
    after: str | None = None,
) -> Page[AgentStateLog]:
    """Stretches of states of `people`, the newest first."""
    statement = select(AgentStateLog).where(
        AgentStateLog.business_id == business_id, only(people, AgentStateLog.user_id)
    )
    if user_id is not None:
        statement = statement.where(AgentStateLog.user_id == user_id)
    if since is not None:
        statement = statement.where(col(AgentStateLog.began_at) >= since)
    if until is not None:
        statement = statement.where(col(AgentStateLog.began_at) < until)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(AgentStateLog.began_at), col(AgentStateLog.id)),
            keys=lambda row: (row.began_at, row.id),
            first=first,
            after=after,
        )


# --------------------------------------------------------------------------- teams and reasons


async def _team(session: AsyncSession, business_id: str, key: str) -> Team:
    row = (await session.exec(select(Team).where(Team.business_id == business_id, Team.key == key))).first()
    if row is None:
        raise not_found("班组", "team", key, "team")
    return row


def _key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise refuse(
            "key",
            f"代码“{key}”不可用",
            f"'{key}' cannot be a key",
            "请用字母、数字、点、下划线或连字符。",
            "Use letters, digits, dots, _ or hyphens.",
        )
    return key


async def list_teams(db: Database, business_id: str) -> list[Team]:
    async with read(db) as session:
        return list(await session.exec(select(Team).where(Team.business_id == business_id).order_by(col(Team.name))))


async def save_team(db: Database, actor: Actor, key: str, name: str) -> Team:
    """Create or rename a team."""
    faults = Faults()
    with faults.gathered():
        _key(key)
    if not name.strip() or len(name) > 200:
        faults.add(refuse("name", "请填写名称", "a team needs a name"))
    faults.tell()
    async with write(db) as session:
        found = select(Team).where(Team.business_id == actor.business_id, Team.key == key)
        row = (await session.exec(found)).first()
        if row is None:
            row = Team(business_id=actor.business_id, key=key, name=name.strip())
            session.add(row)
        row.name = name.strip()
        await note(session, actor, "team.saved", key, **changed(row, "name"))
        return row


async def delete_team(db: Database, actor: Actor, key: str) -> None:
    """Remove a team; its agents have none then."""
    async with write(db) as session:
        row = await _team(session, actor.business_id, key)
        for agent in await session.exec(select(Agent).where(Agent.business_id == actor.business_id, Agent.team == key)):
            agent.team = ""
        rights_changed(session, actor.business_id)
        await session.delete(row)
        await note(session, actor, "team.deleted", key)


async def list_reasons(db: Database, business_id: str) -> list[AgentReason]:
    async with read(db) as session:
        found = select(AgentReason).where(AgentReason.business_id == business_id)
        return list(await session.exec(found.order_by(col(AgentReason.position), col(AgentReason.key))))


@dataclass(frozen=True, slots=True)
class ReasonInput:
    """A reason for not being ready."""

    key: str
    label_zh: str
    label_en: str
    paid: bool = True
    limit_minutes: int = 0
    position: int = 0
    enabled: bool = True


async def save_reason(db: Database, actor: Actor, given: ReasonInput) -> AgentReason:
    """Create or change a reason by its key."""
    faults = Faults()
    with faults.gathered():
        _key(given.key)
    for place, label in (("labelZh", given.label_zh), ("labelEn", given.label_en)):
        if not label.strip():
            faults.add(refuse(place, "请填写中英文名称", "a reason needs a name in Chinese and English"))
    if not 0 <= given.limit_minutes <= 1440:
        faults.add(refuse("limitMinutes", "时限不可用", "a limit is 0 to 1440 minutes"))
    faults.tell()
    async with write(db) as session:
        found = select(AgentReason).where(AgentReason.business_id == actor.business_id, AgentReason.key == given.key)
        row = (await session.exec(found)).first()
        if row is None:
            row = AgentReason(business_id=actor.business_id, key=given.key, label_zh="", label_en="")
            session.add(row)
        for name in ("label_zh", "label_en", "paid", "limit_minutes", "position", "enabled"):
            setattr(row, name, getattr(given, name))
        said = changed(row, "label_zh", "label_en", "paid", "limit_minutes", "position", "enabled")
        await note(session, actor, "agent_reason.saved", given.key, **said)
        return row


async def delete_reason(db: Database, actor: Actor, key: str) -> None:
    """Remove a reason; the log keeps its key."""
    async with write(db) as session:
        found = select(AgentReason).where(AgentReason.business_id == actor.business_id, AgentReason.key == key)
        row = (await session.exec(found)).first()
        if row is None:
            raise not_found("示忙原因", "reason", key, "key")
        await session.delete(row)
        await note(session, actor, "agent_reason.deleted", key)
