"""Disposition codes and wrap-ups (AG6)."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.calls.models import Call
from backend.customers.service import with_number
from backend.database import AsyncSession, Database, locked, new_id, read, taken, utcnow, write
from backend.errors import ConflictError, Faults, InvalidError, not_found
from backend.events import record
from backend.identity.permissions import Actor
from backend.paging import Page, page
from backend.recordings.files import id_of
from backend.tasks.models import OPEN, Task
from backend.tasks.service import NewTask, add_task, end_task
from backend.wrapup.models import Disposition, WrapUp
from nodes.sdk.text import text

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


async def list_dispositions(
    db: Database, business_id: str, *, queue: str | None = None, everything: bool = False
) -> list[Disposition]:
    """Codes in their order. With a queue those that its agents may choose: its own and those of all queues."""
    statement = select(Disposition).where(Disposition.business_id == business_id)
    if queue is not None:
        statement = statement.where(col(Disposition.queue).in_(("", queue)))
    if not everything:
        statement = statement.where(col(Disposition.enabled))
    async with read(db) as session:
        return list(await session.exec(statement.order_by(col(Disposition.position), col(Disposition.code))))


async def save_disposition(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    code: str,
    label_zh: str,
    label_en: str,
    parent_id: str | None = None,
    queue: str = "",
    needs_next_contact: bool = False,
    needs_note: bool = False,
    success: bool | None = None,
    position: int = 0,
    enabled: bool = True,
) -> Disposition:
    """Create or change a code. A code below another has no codes below itself."""
    faults = Faults()
    if not _CODE.fullmatch(code):
        faults.add(
            _bad("code", "请使用 1 到 64 个字母、数字、点、横线或下划线", "Use 1 to 64 letters, figures, dots, - or _.")
        )
    label_zh, label_en = label_zh.strip() or label_en.strip(), label_en.strip() or label_zh.strip()
    if not label_zh or len(label_zh) > 200 or len(label_en) > 200:
        faults.add(_bad("labelZh", "请填写 1 到 200 字的名称", "Give it a label of 1 to 200 signs."))
    async with write(db) as session:
        row = await locked(session, Disposition, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("结果代码", "disposition code", id)
        with faults.gathered():
            await _check_parent(session, actor, parent_id, id, queue)
        same = (Disposition.business_id == actor.business_id, Disposition.queue == queue, Disposition.code == code)
        with session.no_autoflush:
            if await taken(session, Disposition.id, id, *same):
                faults.add(
                    ConflictError(
                        text(f"代码“{code}”已存在", f"the code '{code}' exists already"),
                        field="code",
                        remedy=text("请换一个代码。", "Choose another code."),
                    )
                )
        faults.tell()
        if row is None:
            row = Disposition(business_id=actor.business_id, code=code, label_zh=label_zh, label_en=label_en)
            session.add(row)
        row.code, row.label_zh, row.label_en, row.parent_id, row.queue = code, label_zh, label_en, parent_id, queue
        row.needs_next_contact, row.needs_note, row.success = needs_next_contact, needs_note, success
        row.position, row.enabled = position, enabled
        said = changed(
            row, "code", "label_zh", "label_en", "queue", "needs_next_contact", "needs_note", "success", "position",
            "enabled",
        )  # fmt: skip
        await note(session, actor, "disposition.saved", code, **said)
        record(session, actor.business_id, "dispositions.changed", row.id)
        return row


async def _check_parent(session: AsyncSession, actor: Actor, parent_id: str | None, id: str | None, queue: str) -> None:
    if parent_id is None:
        return
    parent = await session.get(Disposition, parent_id)
    if parent is None or parent.business_id != actor.business_id:
        raise not_found("上级代码", "code above it", parent_id, "parentId")
    below = select(Disposition.id).where(Disposition.parent_id == id).limit(1)
    if parent.parent_id is not None or parent.id == id or (id and (await session.exec(below)).first() is not None):
        raise _bad("parentId", "代码只有两级", "Codes have two levels.")
    if parent.queue not in ("", queue):
        raise _bad("parentId", "上级代码属于另一队列", "The code above it belongs to another queue.")


async def delete_disposition(db: Database, actor: Actor, id: str) -> None:
    """Remove a code with those below it. Wrap-ups keep the code's text."""
    async with write(db) as session:
        row = await locked(session, Disposition, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("结果代码", "disposition code", id)
        for below in await session.exec(select(Disposition).where(Disposition.parent_id == id)):
            await session.delete(below)
        await session.flush()
        await session.delete(row)
        await note(session, actor, "disposition.deleted", row.code)
        record(session, actor.business_id, "dispositions.changed", id)


def _bad(name: str, zh: str, en: str) -> InvalidError:
    return InvalidError(text("结果代码不正确", "the code cannot be like this"), field=name, remedy=text(f"{zh}。", en))


# --------------------------------------------------------------------------- wrap-ups


async def save_wrap_up(
    db: Database,
    actor: Actor,
    call_id: str,
    *,
    disposition_id: str | None = None,
    words: str = "",
    next_contact_at: datetime | None = None,
    next_contact_note: str = "",
    next_assignee: str | None = None,
    queue: str = "",
    customer_id: str | None = None,
) -> WrapUp:
    """What the actor makes of a call. Saving again replaces it; the planned task of the next contact follows."""
    if actor.user_id is None:
        raise InvalidError(text("只有人可以做小结", "only a person can wrap a call up"), field="callId")
    if len(words) > 4000:
        raise InvalidError(
            text("小结最多 4000 字", "a note has 4000 signs at most"),
            field="note",
            remedy=text("请缩短。", "Make it shorter."),
        )
    async with write(db) as session:
        call = await locked(session, Call, call_id)
        if call is None or call.business_id != actor.business_id:
            raise not_found("通话", "call", call_id, "callId")
        chosen = await _chosen(session, actor, disposition_id, words, next_contact_at)
        id = id_of(actor.business_id, "wrap_up", f"{call_id}-{actor.user_id}")
        row = await locked(session, WrapUp, id)
        if row is None:
            row = WrapUp(id=id, business_id=actor.business_id, call_id=call_id, user_id=actor.user_id)
            session.add(row)
        number = call.called if call.direction == "outbound" else call.caller
        customer_id = customer_id or call.customer_id or await with_number(session, actor.business_id, number)
        row.disposition_id, row.code = (chosen.id, chosen.code) if chosen is not None else (None, "")
        row.note, row.next_contact_at, row.customer_id = words.strip(), next_contact_at, customer_id
        row.queue, row.saved_at = queue or row.queue, utcnow()
        await _plan(session, actor, row, number, next_contact_note, next_assignee)
        call.note = row.note[:2000]
        call.customer_id = call.customer_id or customer_id
        record(session, actor.business_id, "wrap_up.saved", id, call_id=call_id, code=row.code, user_id=actor.user_id)
        record(session, actor.business_id, "call.changed", call_id)
        return row


async def _chosen(
    session: AsyncSession, actor: Actor, disposition_id: str | None, words: str, next_contact_at: datetime | None
) -> Disposition | None:
    if next_contact_at is not None and next_contact_at <= utcnow():
        raise InvalidError(
            text("下次联系时间已过", "the next contact lies in the past"),
            field="nextContactAt",
            remedy=text("请选择将来的时间。", "Choose a time ahead."),
        )
    if disposition_id is None:
        return None
    found = await session.get(Disposition, disposition_id)
    if found is None or found.business_id != actor.business_id or not found.enabled:
        raise not_found("结果代码", "disposition code", disposition_id, "dispositionId")
    below = select(Disposition.id).where(Disposition.parent_id == found.id, col(Disposition.enabled)).limit(1)
    if (await session.exec(below)).first() is not None:
        raise InvalidError(
            text("请选择下一级代码", "choose one of the codes below it"),
            field="dispositionId",
            remedy=text("此代码还有下级。", "This code only groups others."),
        )
    if found.needs_next_contact and next_contact_at is None:
        raise InvalidError(
            text("此结果需要下次联系时间", "this result needs the time of the next contact"),
            field="nextContactAt",
            code="required",
            remedy=text("请选择时间。", "Choose a time."),
        )
    if found.needs_note and not words.strip():
        raise InvalidError(
            text("此结果需要填写小结", "this result needs a note"),
            field="note",
            code="required",
            remedy=text("请填写小结。", "Write a note."),
        )
    return found


async def _plan(
    session: AsyncSession, actor: Actor, row: WrapUp, number: str, words: str, assignee: str | None
) -> None:
    """Keep the planned task in step with the next contact: make it, move it, or take it back."""
    known = await locked(session, Task, row.task_id) if row.task_id else None
    if row.next_contact_at is None:
        if known is not None and known.state in OPEN:
            await end_task(session, known, "cancelled", by=actor.user_id)
        row.task_id = None
        return
    if known is not None and known.state in OPEN:
        known.due_at = known.remind_at = row.next_contact_at
        known.note, known.assignee, known.updated_at = words.strip() or row.note, assignee or known.assignee, utcnow()
        record(session, row.business_id, "task.changed", known.id, what="changed", assignee=known.assignee or "")
        return
    made = await add_task(
        session,
        row.business_id,
        NewTask(
            # The wrap-up names its task, in the same transaction and with the call locked: that makes it single.
            key=f"wrapup-{new_id()}",
            kind="planned",
            note=words.strip() or row.note,
            due_at=row.next_contact_at,
            assignee=assignee or actor.user_id,
            queue=row.queue,
            customer_id=row.customer_id,
            call_id=row.call_id,
            number=number,
            origin="wrap_up",
        ),
        by=actor.user_id,
    )
    row.task_id = made.id


async def wrap_ups_of(db: Database, business_id: str, call_id: str) -> list[WrapUp]:
    """What each agent made of a call."""
    async with read(db) as session:
        found = await session.exec(
            select(WrapUp)
            .where(WrapUp.call_id == call_id, WrapUp.business_id == business_id)
            .order_by(col(WrapUp.saved_at))
        )
        return list(found)


async def list_wrap_ups(
    db: Database,
    business_id: str,
    *,
    user_id: str | None = None,
    codes: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[WrapUp]:
    """Wrap-ups, newest first."""
    statement = select(WrapUp).where(WrapUp.business_id == business_id)
    if user_id is not None:
        statement = statement.where(WrapUp.user_id == user_id)
    if codes:
        statement = statement.where(col(WrapUp.code).in_(codes))
    if since is not None:
        statement = statement.where(WrapUp.saved_at >= since)
    if until is not None:
        statement = statement.where(WrapUp.saved_at < until)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(WrapUp.saved_at), col(WrapUp.id)),
            keys=lambda row: (row.saved_at, row.id),
            first=first,
            after=after,
        )
