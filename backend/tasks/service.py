"""One list of what people have to do: made, taken, done, put off, handed on (AG4)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from backend.audit.service import note
from backend.customers.service import with_number
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ConflictError, ForbiddenError, InvalidError, not_found
from backend.events import record
from backend.identity.models import Business, User
from backend.identity.permissions import Actor, Permission
from backend.identity.scope import only, sees
from backend.paging import Page, page
from backend.recordings.files import id_of
from backend.tasks.models import ENDED, OPEN, Task
from backend.voicemails.models import Voicemail
from nodes.sdk.text import text

KINDS = ("callback", "voicemail", "missed", "planned", "work")
ORIGINS = ("person", "flow", "rule", "wrap_up")
MAX_AHEAD = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Memberships:
    """The queues and teams whose common tasks somebody sees. None is every one."""

    queues: frozenset[str] | None = None
    teams: frozenset[str] | None = None


MembershipsOf = Callable[[AsyncSession, str, str], Awaitable[Memberships]]


async def _everything(_session: AsyncSession, _business: str, _user: str) -> Memberships:
    return Memberships()


memberships_of: MembershipsOf = _everything
"""Who is in which queue and team. The room that keeps them says so by `use_memberships`."""


def use_memberships(found: MembershipsOf) -> None:
    """Ask this for the queues and teams of a user."""
    global memberships_of
    memberships_of = found


@dataclass(frozen=True, slots=True)
class NewTask:
    """What a task is made of. ``key`` names the deed that makes it: the same key makes one task."""

    key: str
    kind: str = "work"
    title: str = ""
    note: str = ""
    priority: int = 5
    due_at: datetime | None = None
    remind_minutes: int | None = 0
    expires_at: datetime | None = None
    assignee: str | None = None
    team: str = ""
    queue: str = ""
    customer_id: str | None = None
    call_id: str | None = None
    voicemail_id: str | None = None
    number: str = ""
    origin: str = "person"
    run_id: str | None = None


# --------------------------------------------------------------------------- making


async def add_task(session: AsyncSession, business_id: str, new: NewTask, *, by: str | None = None) -> Task:
    """Make a task in the transaction under way; the same key brings the task that it made before."""
    id = id_of(business_id, "task", new.key)
    known = await locked(session, Task, id)
    if known is not None:
        return known
    now = utcnow()
    due = new.due_at or now
    _check(new, due, now)
    await _check_assignee(session, business_id, new.assignee)
    remind = None if new.remind_minutes is None or due <= now else due - timedelta(minutes=new.remind_minutes)
    row = Task(
        id=id,
        business_id=business_id,
        key=new.key,
        kind=new.kind,
        title=new.title.strip(),
        note=new.note.strip(),
        priority=new.priority,
        due_at=due,
        remind_at=remind,
        expires_at=new.expires_at,
        assignee=new.assignee,
        team=new.team,
        queue=new.queue,
        customer_id=new.customer_id or await with_number(session, business_id, new.number),
        call_id=new.call_id,
        voicemail_id=new.voicemail_id,
        number=new.number,
        origin=new.origin,
        run_id=new.run_id,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Somebody else has just made it.
        known = await locked(session, Task, id)
        if known is None:
            raise
        return known
    _tell(session, row, "created")
    return row


async def create_task(db: Database, actor: Actor, new: NewTask) -> Task:
    """Make a task. Without the right to all tasks people make them for themselves, a queue or a team."""
    if new.assignee not in (None, actor.user_id) and not (
        actor.may(Permission.TASKS_ALL) and sees(actor.people, new.assignee)
    ):
        raise _not_yours()
    async with write(db) as session:
        row = await add_task(session, actor.business_id, new, by=actor.user_id)
        await note(session, actor, "task.created", row.id, kind=row.kind)
        return row


def _check(new: NewTask, due: datetime, now: datetime) -> None:
    if new.kind not in KINDS:
        raise _bad("kind", f"可选：{'、'.join(KINDS)}", f"Choose one of {', '.join(KINDS)}.")
    if not 1 <= new.priority <= 9:
        raise _bad("priority", "1（最低）到 9（最高）", "1 (least) to 9 (most).")
    if len(new.title) > 300 or len(new.note) > 4000:
        raise _bad("title", "标题最多 300 字，说明最多 4000 字", "A title has 300 signs at most, a note 4000.")
    if due > now + MAX_AHEAD:
        raise _bad("dueAt", "最多提前三年", "Three years ahead at most.")
    if new.remind_minutes is not None and not 0 <= new.remind_minutes <= 7 * 1440:
        raise _bad("remindMinutes", "提前 0 分钟到 7 天", "From 0 minutes to 7 days before.")


async def _check_assignee(session: AsyncSession, business_id: str, assignee: str | None) -> None:
    if assignee is None:
        return
    user = await session.get(User, assignee)
    if user is None or user.business_id != business_id or not user.active:
        raise not_found("坐席", "agent", assignee, "assignee")


def _tell(session: AsyncSession, row: Task, what: str) -> None:
    record(
        session, row.business_id, "task.changed", row.id,
        what=what, state=row.state, assignee=row.assignee or "", queue=row.queue, team=row.team,
    )  # fmt: skip


def _bad(name: str, zh: str, en: str) -> InvalidError:
    return InvalidError(text("任务内容不正确", "the task cannot be like this"), field=name, remedy=text(f"{zh}。", en))


def _not_yours() -> ForbiddenError:
    return ForbiddenError(
        text("这不是您的任务", "this task is not yours"),
        remedy=text("请联系负责人或班长。", "Ask whose it is, or a supervisor."),
    )


# --------------------------------------------------------------------------- reading


def visible(actor: Actor, mine: Memberships) -> Any:
    """A condition: the tasks that somebody may see and take."""
    free: list[Any] = [col(Task.assignee).is_(None)]
    if mine.queues is not None:
        free.append(col(Task.queue).in_(["", *sorted(mine.queues)]))
    if mine.teams is not None:
        free.append(col(Task.team).in_(["", *sorted(mine.teams)]))
    return or_(col(Task.assignee) == actor.user_id, and_(*free))


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What a list of tasks can be narrowed by. ``mine`` is one's own and the common ones."""

    mine: bool = True
    states: Sequence[str] = OPEN
    kinds: Sequence[str] = ()
    assignee: str | None = None
    queue: str | None = None
    team: str | None = None
    customer_id: str | None = None
    call_id: str | None = None
    due_from: datetime | None = None
    due_until: datetime | None = None
    search: str = ""


async def list_tasks(
    db: Database,
    actor: Actor,
    wanted: TaskFilter | None = None,
    *,
    newest: bool = False,
    first: int = 50,
    after: str | None = None,
) -> Page[Task]:
    """Tasks by what is due first, or the newest first. Without the right to all tasks only one's own."""
    wanted = wanted or TaskFilter()
    async with read(db) as session:
        statement = select(Task).where(Task.business_id == actor.business_id)
        if wanted.mine or not actor.may(Permission.TASKS_ALL):
            statement = statement.where(visible(actor, await _mine(session, actor)))
        elif actor.people is not None:
            free = visible(actor, await _mine(session, actor))
            statement = statement.where(only(actor.people, Task.assignee, Task.done_by) | free)
        for name in ("assignee", "queue", "team", "customer_id", "call_id"):
            value = getattr(wanted, name)
            if value is not None:
                statement = statement.where(getattr(Task, name) == value)
        if wanted.states:
            statement = statement.where(col(Task.state).in_(wanted.states))
        if wanted.kinds:
            statement = statement.where(col(Task.kind).in_(wanted.kinds))
        if wanted.due_from is not None:
            statement = statement.where(Task.due_at >= wanted.due_from)
        if wanted.due_until is not None:
            statement = statement.where(Task.due_at < wanted.due_until)
        if word := wanted.search.strip().lower():
            found = [func.lower(column).contains(word, autoescape=True) for column in (Task.title, Task.note)]
            statement = statement.where(or_(*found, col(Task.number).contains(word, autoescape=True)))
        by = col(Task.created_at) if newest else col(Task.due_at)
        return await page(
            session,
            statement,
            by=(by, col(Task.id)),
            keys=lambda row: (row.created_at if newest else row.due_at, row.id),
            first=first,
            after=after,
            descending=newest,
        )


async def _mine(session: AsyncSession, actor: Actor) -> Memberships:
    if actor.user_id is None:
        return Memberships()
    return await memberships_of(session, actor.business_id, actor.user_id)


async def get_task(db: Database, actor: Actor, id: str) -> Task:
    """A task that the actor may see. Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(Task, id)
        if row is None or row.business_id != actor.business_id or not await _may(session, actor, row):
            raise not_found("任务", "task", id)
        return row


async def _may(session: AsyncSession, actor: Actor, row: Task) -> bool:
    own = row.assignee is not None and row.assignee == actor.user_id
    if own or (actor.may(Permission.TASKS_ALL) and sees(actor.people, row.assignee, row.done_by)):
        return True
    if row.assignee is not None:
        return row.done_by is not None and row.done_by == actor.user_id
    mine = await _mine(session, actor)
    return (mine.queues is None or row.queue == "" or row.queue in mine.queues) and (
        mine.teams is None or row.team == "" or row.team in mine.teams
    )


@dataclass(frozen=True, slots=True)
class Board:
    """A day of one person: what is done, what is left (overdue among it), and what tomorrow brings."""

    begins: datetime
    ends: datetime
    done: int
    left: int
    overdue: int
    tomorrow: int
    left_by_kind: Mapping[str, int] = field(default_factory=dict)


async def board(db: Database, actor: Actor, *, user_id: str | None = None, now: datetime | None = None) -> Board:
    """The counters of today in the business's own zone; of somebody else with the right to all tasks."""
    now = now or utcnow()
    if user_id not in (None, actor.user_id) and not (actor.may(Permission.TASKS_ALL) and sees(actor.people, user_id)):
        raise _not_yours()
    who = user_id or actor.user_id
    async with read(db) as session:
        business = await session.get(Business, actor.business_id)
        begins, ends = day_of(now, business.timezone if business else "UTC")
        of = Actor(actor.business_id, who, actor.name, actor.permissions)
        base = [Task.business_id == actor.business_id, visible(of, await _mine(session, of))]
        open_now = [*base, col(Task.state).in_(OPEN)]
        left = await session.exec(
            select(Task.kind, func.count()).where(*open_now, Task.due_at < ends).group_by(Task.kind)
        )
        by_kind = dict(left.all())

        async def count(*where: Any) -> int:
            return (await session.exec(select(func.count()).select_from(Task).where(*where))).one()

        done = [Task.business_id == actor.business_id, Task.done_by == who]
        return Board(
            begins=begins,
            ends=ends,
            done=await count(*done, col(Task.done_at) >= begins, col(Task.done_at) < ends),
            left=sum(by_kind.values()),
            overdue=await count(*open_now, Task.due_at < now),
            tomorrow=await count(*open_now, Task.due_at >= ends, Task.due_at < day_of(ends, _zone(business))[1]),
            left_by_kind=by_kind,
        )


def _zone(business: Business | None) -> str:
    return business.timezone if business else "UTC"


def day_of(moment: datetime, zone: str) -> tuple[datetime, datetime]:
    """When the day around a moment begins and ends in a zone; days with a change of the clocks are 23 or 25 hours."""
    here = ZoneInfo(zone)
    date = moment.astimezone(here).date()
    midnight = time(0, 0)
    return (
        datetime.combine(date, midnight, tzinfo=here).astimezone(moment.tzinfo),
        datetime.combine(date + timedelta(days=1), midnight, tzinfo=here).astimezone(moment.tzinfo),
    )


# --------------------------------------------------------------------------- doing


async def _open_one(session: AsyncSession, actor: Actor, id: str) -> Task:
    row = await locked(session, Task, id)
    if row is None or row.business_id != actor.business_id or not await _may(session, actor, row):
        raise not_found("任务", "task", id)
    if row.state not in OPEN or (row.expires_at is not None and row.expires_at <= utcnow()):
        raise ConflictError(
            text("任务已结束", "the task is over already"),
            field="id",
            code="ended",
            remedy=text("请刷新列表。", "Look at the list again."),
        )
    return row


async def take(db: Database, actor: Actor, id: str) -> Task:
    """Begin with a task. Of two who take it at once exactly one gets it."""
    async with write(db) as session:
        row = await _open_one(session, actor, id)
        if row.state == "taken" and row.assignee == actor.user_id:
            return row
        if row.state == "taken":
            raise ConflictError(
                text("已被他人领取", "somebody else has taken it"),
                field="id",
                code="taken",
                remedy=text("请选择另一项任务。", "Choose another task."),
            )
        row.state, row.assignee, row.taken_at, row.updated_at = "taken", actor.user_id, utcnow(), utcnow()
        _tell(session, row, "taken")
        return row


async def put_back(db: Database, actor: Actor, id: str) -> Task:
    """Leave a taken task to others again, when it came from a queue or a team."""
    async with write(db) as session:
        row = await _open_one(session, actor, id)
        row.state, row.taken_at, row.updated_at = "open", None, utcnow()
        if row.queue or row.team:
            row.assignee = None
        _tell(session, row, "put_back")
        return row


async def finish(
    db: Database, actor: Actor, id: str, *, state: Literal["done", "given_up", "cancelled"], result: str = "",
    words: str = "",
) -> Task:  # fmt: skip
    """End a task. The same end twice is no error; the flow that waits for it is told."""
    if len(result) > 64 or len(words) > 4000:
        raise _bad("result", "结果最多 64 字，说明最多 4000 字", "A result has 64 signs at most, a note 4000.")
    async with write(db) as session:
        known = await session.get(Task, id)
        if known is not None and known.business_id == actor.business_id and known.state == state:
            return known
        row = await _open_one(session, actor, id)
        if row.assignee is None:
            row.assignee = actor.user_id
        await end_task(session, row, state, by=actor.user_id, result=result, words=words)
        await note(session, actor, f"task.{state}", id, result=result)
        return row


async def end_task(
    session: AsyncSession, row: Task, state: str, *, by: str | None = None, result: str = "", words: str = ""
) -> None:
    """End a locked task in the transaction under way."""
    assert state in ENDED
    now = utcnow()
    row.state, row.result, row.result_note, row.remind_at = state, result, words.strip(), None
    row.done_at, row.done_by, row.updated_at = now, by, now
    row.told = row.run_id is None
    if row.voicemail_id and state == "done":
        message = await locked(session, Voicemail, row.voicemail_id)
        if message is not None and message.business_id == row.business_id and message.state != "done":
            message.state, message.handled_by = "done", by
            record(session, row.business_id, "voicemail.changed", message.id, state="done")
    _tell(session, row, state)


async def postpone(
    db: Database,
    actor: Actor,
    id: str,
    until: datetime,
    *,
    words: str = "",
    attempt: bool = False,
    remind_minutes: int = 0,
) -> Task:
    """Do it later; `attempt` counts a try that reached nobody."""
    async with write(db) as session:
        row = await _open_one(session, actor, id)
        now = utcnow()
        if not now < until <= now + MAX_AHEAD:
            raise _bad("until", "请选择将来三年内的时间", "Choose a time ahead, within three years.")
        if row.expires_at is not None and until > row.expires_at:
            raise _bad("until", "不能晚于任务的最后期限", "Not later than the task's last moment.")
        row.state, row.due_at, row.taken_at, row.updated_at = "open", until, None, now
        row.remind_at = max(now, until - timedelta(minutes=max(0, min(remind_minutes, 7 * 1440))))
        if attempt:
            row.attempts, row.last_attempt_at = row.attempts + 1, now
        row.note = _with(row.note, words)
        _tell(session, row, "postponed")
        return row


async def hand_on(
    db: Database, actor: Actor, id: str, *, assignee: str | None = None, team: str = "", queue: str = "",
    words: str = "",
) -> Task:  # fmt: skip
    """Give a task to an agent, a team or a queue."""
    if not (assignee or team or queue):
        raise _bad("assignee", "请选择坐席、班组或队列", "Choose an agent, a team or a queue.")
    async with write(db) as session:
        row = await _open_one(session, actor, id)
        await _check_assignee(session, actor.business_id, assignee)
        row.assignee, row.state, row.taken_at, row.updated_at = assignee, "open", None, utcnow()
        row.team, row.queue = team or (row.team if assignee else ""), queue or (row.queue if assignee else "")
        row.note = _with(row.note, words)
        _tell(session, row, "handed_on")
        await note(session, actor, "task.handed_on", id, assignee=assignee, team=team, queue=queue)
        return row


async def attempted(db: Database, actor: Actor, id: str, words: str = "") -> Task:
    """Count a try that reached nobody; the task stays as it is."""
    async with write(db) as session:
        row = await _open_one(session, actor, id)
        row.attempts, row.last_attempt_at, row.updated_at = row.attempts + 1, utcnow(), utcnow()
        row.note = _with(row.note, words)
        _tell(session, row, "attempted")
        return row


async def change(
    db: Database, actor: Actor, id: str, *, title: str | None = None, words: str | None = None,
    priority: int | None = None,
) -> Task:  # fmt: skip
    """Change the words or the priority of a task."""
    async with write(db) as session:
        row = await _open_one(session, actor, id)
        changed = NewTask(
            row.key,
            kind=row.kind,
            title=row.title if title is None else title,
            note=row.note if words is None else words,
            priority=row.priority if priority is None else priority,
        )
        _check(changed, row.due_at, utcnow())
        row.title, row.note, row.priority = changed.title.strip(), changed.note.strip(), changed.priority
        row.updated_at = utcnow()
        _tell(session, row, "changed")
        return row


def _with(old: str, words: str) -> str:
    return "\n".join(part for part in (old, words.strip()) if part)[:4000]


# --------------------------------------------------------------------------- by the clock


async def remind(db: Database, now: datetime | None = None, limit: int = 200) -> int:
    """Tell of the tasks whose reminder is due, each once; returns how many."""
    now = now or utcnow()
    if not await _any(db, col(Task.remind_at) <= now):
        return 0
    async with write(db) as session:
        due = await session.exec(
            select(Task)
            .where(col(Task.state).in_(OPEN), col(Task.remind_at) <= now)
            .order_by(col(Task.remind_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        count = 0
        for row in due:
            row.remind_at = None
            _tell(session, row, "due")
            count += 1
        return count


async def _any(db: Database, due: Any) -> bool:
    """Whether an open task is due; nobody who writes is kept waiting for a no."""
    async with read(db) as session:
        found = await session.exec(select(Task.id).where(col(Task.state).in_(OPEN), due).limit(1))
        return found.first() is not None


async def expire(db: Database, now: datetime | None = None, limit: int = 200) -> int:
    """End the tasks whose last moment has passed; returns how many."""
    now = now or utcnow()
    if not await _any(db, col(Task.expires_at) <= now):
        return 0
    async with write(db) as session:
        late = await session.exec(
            select(Task)
            .where(col(Task.state).in_(OPEN), col(Task.expires_at) <= now)
            .order_by(col(Task.expires_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        count = 0
        for row in late:
            await end_task(session, row, "expired")
            count += 1
        return count


async def untold(db: Database, limit: int = 200) -> list[Task]:
    """Tasks that are over while the flow that waits for them has not been told."""
    async with read(db) as session:
        found = await session.exec(
            select(Task).where(col(Task.told).is_(False), col(Task.run_id).is_not(None)).limit(limit)
        )
        return list(found)


async def told(db: Database, id: str) -> None:
    """The flow knows."""
    async with write(db) as session:
        row = await locked(session, Task, id)
        if row is not None:
            row.told = True


def news_of(row: Task) -> dict[str, Any]:
    """What a flow is told of the end of a task."""
    return {
        "task": row.id,
        "state": row.state,
        "result": row.result,
        "note": row.result_note,
        "by": row.done_by or "",
        "attempts": row.attempts,
    }
