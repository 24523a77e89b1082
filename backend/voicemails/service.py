"""Saving and handling voicemail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func
from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.callbacks.events import Happened, Happening, meets
from backend.callbacks.models import FlowRule
from backend.calls.models import Call
from backend.customers.service import with_number
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ConflictError, InvalidError, NotFoundError, not_found
from backend.events import record
from backend.identity.models import User
from backend.identity.permissions import Actor, Permission
from backend.identity.scope import only, sees
from backend.paging import Page, page, starts_with
from backend.recordings.copies import file_saved, remove_copies
from backend.recordings.files import id_of, inside, place_for, take_over
from backend.recordings.peaks import beside
from backend.security import SecretBox
from backend.tasks.models import ENDED, Task
from backend.tasks.service import NewTask, add_task
from backend.voicemails.models import Voicemail, VoicemailBox
from nodes.sdk.text import text

STATES = ("new", "heard", "accepted", "done")


async def save_voicemail(
    db: Database,
    folder: Path,
    *,
    business_id: str,
    key: str,
    box: str,
    call_id: str | None,
    caller: str,
    source: Path,
    seconds: float,
    callback_number: str | None,
    complete: bool,
) -> Voicemail:
    """Store or update the message of one execution and take its file over. Idempotent by `key`."""
    id = id_of(business_id, "voicemail", key)
    async with read(db) as session:
        known = await session.get(Voicemail, id)
    at = known.created_at if known is not None else utcnow()
    kept = await take_over(folder, source, place_for("voicemails", business_id, id, at, source.suffix or ".wav"))
    async with write(db) as session:
        row = await locked(session, Voicemail, id)
        if row is None:
            row = Voicemail(id=id, business_id=business_id, key=key, box=box, path=kept.path, created_at=at)
            session.add(row)
        row.box, row.call_id, row.caller, row.callback_number = box, call_id, caller, callback_number
        row.path, row.bytes, row.seconds, row.complete = kept.path, kept.bytes, seconds, complete
        row.customer_id = row.customer_id or await with_number(session, business_id, callback_number or caller)
        await session.flush()
        await file_saved(session, business_id, kept.path)
        record(session, business_id, "voicemail.saved", id, box=box, call_id=call_id, complete=complete)
        await _make_task(session, row)
        return row


async def _make_task(session: AsyncSession, row: Voicemail) -> None:
    """What a box asks for: a task for its queue, or for the member with the least to do; one for each message.

    A rule that starts a flow for this message, or a task that is there already, does it instead.
    """
    found = await session.exec(
        select(VoicemailBox).where(VoicemailBox.business_id == row.business_id, VoicemailBox.name == row.box)
    )
    box = found.first()
    if box is None or not box.create_task or await _is_cared_for(session, row):
        return
    new = NewTask(
        f"voicemail-{row.id}",
        kind="voicemail",
        queue=box.queue,
        assignee=None if box.queue else await _least_busy(session, row.business_id, box.members),
        customer_id=row.customer_id,
        call_id=row.call_id,
        voicemail_id=row.id,
        number=row.callback_number or row.caller,
        origin="rule",
    )
    task = await add_task(session, row.business_id, new)
    # Whoever recorded again, or left another number in the same call, is to be called there.
    task.number, task.customer_id = new.number, task.customer_id or new.customer_id


async def _is_cared_for(session: AsyncSession, row: Voicemail) -> bool:
    known = await session.exec(select(Task.key).where(Task.voicemail_id == row.id))
    if any(key != f"voicemail-{row.id}" for key in known):
        return True
    call = await session.get(Call, row.call_id) if row.call_id else None
    inputs = {"box": row.box, "called": call.called if call is not None else ""}
    left = Happened(f"voicemail-{row.id}", row.business_id, Happening.VOICEMAIL, inputs)
    rules = await session.exec(
        select(FlowRule).where(
            FlowRule.business_id == row.business_id, FlowRule.event == Happening.VOICEMAIL, col(FlowRule.enabled)
        )
    )
    return any(meets(rule.filter, left) for rule in rules)


async def _least_busy(session: AsyncSession, business_id: str, members: Sequence[str]) -> str | None:
    """Of the people who are still there the one with the fewest open tasks, the first of equals."""
    found = await session.exec(
        select(User.id).where(User.business_id == business_id, col(User.id).in_(members), col(User.active))
    )
    there = set(found)
    counted = await session.exec(
        select(Task.assignee, func.count())
        .where(Task.business_id == business_id, col(Task.assignee).in_(there), col(Task.state).not_in(ENDED))
        .group_by(col(Task.assignee))
    )
    open_now = dict(counted.all())
    return min((one for one in members if one in there), key=lambda one: open_now.get(one, 0), default=None)


async def find_voicemail(db: Database, business_id: str, key: str) -> Voicemail | None:
    """What `save_voicemail` stored for one execution."""
    async with read(db) as session:
        return await session.get(Voicemail, id_of(business_id, "voicemail", key))


async def get_voicemail(db: Database, business_id: str, id: str) -> Voicemail:
    """Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(Voicemail, id)
    if row is None or row.business_id != business_id:
        raise not_found("留言", "voicemail", id)
    return row


async def closed_boxes(session: AsyncSession, actor: Actor) -> list[str] | None:
    """Names of the boxes that are closed to the actor; None when every box is open to them."""
    if actor.may(Permission.VOICEMAILS_ALL):
        return None
    found = await session.exec(select(VoicemailBox).where(VoicemailBox.business_id == actor.business_id))
    return [box.name for box in found if box.members and actor.user_id not in box.members]


async def hear(db: Database, actor: Actor, id: str) -> Voicemail:
    """A message of a box that is open to the actor, or that was given to them. Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(Voicemail, id)
        if row is None or row.business_id != actor.business_id or not await _may(session, actor, row):
            raise not_found("留言", "voicemail", id)
        return row


async def heard_by(db: Database, actor: Actor, id: str) -> Voicemail | None:
    """As `hear`, but None for what the actor may not hear."""
    try:
        return await hear(db, actor, id)
    except NotFoundError:
        return None


async def _may(session: AsyncSession, actor: Actor, row: Voicemail) -> bool:
    if actor.user_id is not None and actor.user_id in (row.assigned_to, row.handled_by):
        return True
    if not sees(actor.people, row.assigned_to, row.handled_by):
        return row.assigned_to is None and row.handled_by is None and row.box in await _boxes_of(session, actor)
    closed = await closed_boxes(session, actor)
    return closed is None or row.box not in closed


async def _boxes_of(session: AsyncSession, actor: Actor) -> list[str]:
    """Names of the boxes that somebody in the actor's reach is a member of: what lies there free is theirs to take."""
    found = await session.exec(select(VoicemailBox).where(VoicemailBox.business_id == actor.business_id))
    return [box.name for box in found if actor.people is None or not actor.people.isdisjoint(box.members)]


@dataclass(frozen=True, slots=True)
class VoicemailFilter:
    """What messages can be found by. ``number`` is the start of the caller's, ``search`` a part of the note."""

    box: str | None = None
    state: str | None = None
    call_id: str | None = None
    customer_id: str | None = None
    assigned_to: str | None = None
    number: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def list_voicemails(
    db: Database,
    actor: Actor,
    wanted: VoicemailFilter | None = None,
    *,
    first: int = 50,
    after: str | None = None,
) -> Page[Voicemail]:
    """Messages of the boxes that are open to the actor, within their reach, newest first."""
    wanted = wanted or VoicemailFilter()
    statement = select(Voicemail).where(Voicemail.business_id == actor.business_id)
    for name in ("box", "state", "call_id", "customer_id", "assigned_to"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(Voicemail, name) == value)
    if wanted.since is not None:
        statement = statement.where(Voicemail.created_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Voicemail.created_at < wanted.until)
    if word := wanted.search.strip().lower():
        statement = statement.where(func.lower(Voicemail.note).contains(word, autoescape=True))
    async with read(db) as session:
        if actor.people is not None:
            free = col(Voicemail.assigned_to).is_(None) & col(Voicemail.handled_by).is_(None)
            free &= col(Voicemail.box).in_(await _boxes_of(session, actor))
            statement = statement.where(only(actor.people, Voicemail.assigned_to, Voicemail.handled_by) | free)
        closed = await closed_boxes(session, actor)
        if closed:
            own = (Voicemail.assigned_to == actor.user_id) | (Voicemail.handled_by == actor.user_id)
            statement = statement.where(col(Voicemail.box).not_in(closed) | own)
        if number := wanted.number.strip():
            statement = statement.where(starts_with(session, col(Voicemail.caller), number))
        return await page(
            session,
            statement,
            by=(col(Voicemail.created_at), col(Voicemail.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )


async def set_state(db: Database, actor: Actor, id: str, state: str) -> Voicemail:
    """Mark a message as heard, accepted or done. Who accepts it owns it: of two who do so at once one does."""
    if state not in STATES:
        raise InvalidError(
            text(f"没有状态“{state}”", f"there is no state '{state}'"),
            field="state",
            remedy=text(f"可选：{'、'.join(STATES)}", f"Choose one of {', '.join(STATES)}."),
        )
    async with write(db) as session:
        row = await _locked(session, actor, id)
        if state == "accepted" and row.state == "accepted" and row.handled_by not in (None, actor.user_id):
            raise ConflictError(
                text("已被他人受理", "somebody else has accepted it"),
                field="id",
                code="taken",
                remedy=text("请选择另一条留言。", "Choose another message."),
            )
        if state == "heard" and row.state != "new":
            return row
        row.state = state
        if state in ("accepted", "done"):
            row.handled_by = actor.user_id
        if state == "new":
            row.handled_by = None
        record(session, actor.business_id, "voicemail.changed", id, state=state)
        await note(session, actor, "voicemail.state", id, state=state)
        return row


async def _locked(session: AsyncSession, actor: Actor, id: str) -> Voicemail:
    row = await locked(session, Voicemail, id)
    if row is None or row.business_id != actor.business_id or not await _may(session, actor, row):
        raise not_found("留言", "voicemail", id)
    return row


async def assign(db: Database, actor: Actor, id: str, user_id: str | None, box: str | None = None) -> Voicemail:
    """Give a message to somebody (None takes it back), or move it to another box."""
    async with write(db) as session:
        row = await _locked(session, actor, id)
        if user_id is not None:
            user = await session.get(User, user_id)
            if user is None or user.business_id != actor.business_id or not user.active:
                raise not_found("坐席", "agent", user_id, "userId")
        row.assigned_to = user_id
        if box:
            row.box = box.strip()[:128]
        record(session, actor.business_id, "voicemail.changed", id, state=row.state, assigned_to=user_id or "")
        await note(session, actor, "voicemail.assigned", id, to=user_id, box=box)
        return row


async def write_note(db: Database, actor: Actor, id: str, words: str) -> Voicemail:
    """Write down what a message says."""
    async with write(db) as session:
        row = await _locked(session, actor, id)
        row.note = words.strip()[:2000]
        record(session, actor.business_id, "voicemail.changed", id, state=row.state)
        return row


async def delete_voicemail(db: Database, folder: Path, actor: Actor, id: str, *, box: SecretBox | None = None) -> None:
    """Remove a message, its file and with `box` (of secrets) its copies."""
    async with write(db) as session:
        row = await locked(session, Voicemail, id)
        if row is None or row.business_id != actor.business_id or not await _may(session, actor, row):
            raise not_found("留言", "voicemail", id)
        await session.delete(row)
        await note(session, actor, "voicemail.deleted", id)
        record(session, actor.business_id, "voicemail.changed", id, state="deleted")
    file = inside(folder, row.path)
    beside(file).unlink(missing_ok=True)
    file.unlink(missing_ok=True)
    if box is not None:
        await remove_copies(db, box, row.path)


# --------------------------------------------------------------------------- boxes


@dataclass(frozen=True, slots=True)
class BoxState:
    """A box with its counts. ``row`` is None for one that messages fell into without anybody defining it."""

    name: str
    row: VoicemailBox | None
    new: int
    total: int


async def boxes(db: Database, actor: Actor) -> list[BoxState]:
    """The boxes that are open to the actor, by name."""
    async with read(db) as session:
        closed = set(await closed_boxes(session, actor) or ())
        rows = await session.exec(select(VoicemailBox).where(VoicemailBox.business_id == actor.business_id))
        known = {row.name: row for row in rows}
        counted = await session.exec(
            select(Voicemail.box, Voicemail.state, func.count())
            .where(Voicemail.business_id == actor.business_id)
            .group_by(Voicemail.box, Voicemail.state)
        )
        new: dict[str, int] = {}
        total: dict[str, int] = {}
        for name, state, count in counted:
            total[name] = total.get(name, 0) + count
            if state == "new":
                new[name] = count
    names = sorted({*known, *total} - closed)
    return [BoxState(name, known.get(name), new.get(name, 0), total.get(name, 0)) for name in names]


async def save_box(
    db: Database,
    actor: Actor,
    *,
    name: str,
    label_zh: str = "",
    label_en: str = "",
    queue: str = "",
    members: Sequence[str] = (),
    create_task: bool = False,
) -> VoicemailBox:
    """Define a box, or change it. ``members`` are user ids; without any it is open to all who handle voicemail."""
    name = name.strip()
    if not 1 <= len(name) <= 128:
        raise InvalidError(
            text("信箱名称应有 1 到 128 字", "a box has a name of 1 to 128 signs"),
            field="name",
            remedy=text("请填写名称。", "Give it a name."),
        )
    async with write(db) as session:
        found = await session.exec(
            select(VoicemailBox)
            .where(VoicemailBox.business_id == actor.business_id, VoicemailBox.name == name)
            .with_for_update()
        )
        row = found.first()
        if row is None:
            row = VoicemailBox(business_id=actor.business_id, name=name)
            session.add(row)
        for user_id in members:
            user = await session.get(User, user_id)
            if user is None or user.business_id != actor.business_id:
                raise not_found("成员", "member", user_id, "members")
        row.label_zh, row.label_en = label_zh.strip(), label_en.strip()
        row.queue, row.members, row.create_task = queue, list(dict.fromkeys(members)), create_task
        said = changed(row, "label_zh", "label_en", "queue", "members", "create_task")
        await session.flush()
        await note(session, actor, "voicemail_box.saved", name, **said)
        return row


async def delete_box(db: Database, actor: Actor, id: str) -> None:
    """Forget a box's name and members. Its messages stay and are open to everybody who handles voicemail."""
    async with write(db) as session:
        row = await locked(session, VoicemailBox, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("信箱", "box", id)
        await session.delete(row)
        await note(session, actor, "voicemail_box.deleted", row.name)
