"""Everything that ever passed between the house and a customer, newest first (CU5).

Each source is asked for one page through an index of its own, and the pages are merged: a page of a customer costs the
same with a thousand calls in the database and with millions. Calls, messages and recordings from before somebody became
a customer are found by their numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, literal_column, or_, tuple_, union
from sqlmodel import col, select

from backend.audit.service import note
from backend.calls.models import Call
from backend.customers.models import Customer, CustomerNote
from backend.customers.service import phones_of, seen_by
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ForbiddenError, InvalidError, not_found
from backend.events import record
from backend.identity.models import Business, User
from backend.identity.permissions import Actor, Permission
from backend.messages.models import OutboxMessage
from backend.numbers.region import written_forms
from backend.paging import MAX_PAGE, Page, decode_cursor, encode_cursor
from backend.recordings.models import Recording
from backend.tasks.models import Task
from backend.voicemails.models import Voicemail
from backend.wrapup.models import WrapUp
from nodes.sdk.text import text

MAX_NUMBERS = 10


@dataclass(frozen=True, slots=True)
class Contact:
    """One line of a timeline. ``row`` is what it was made of."""

    kind: str
    id: str
    at: datetime
    text: str
    row: Any


@dataclass(frozen=True, slots=True)
class _Source:
    model: Any
    at: Any
    searched: Sequence[Any]
    numbers: Sequence[Any]
    words: Callable[[Any], str]


_SOURCES: dict[str, _Source] = {
    "call": _Source(Call, col(Call.started_at), (Call.note, Call.caller, Call.called), (Call.caller, Call.called),
                    lambda row: row.note),
    "voicemail": _Source(Voicemail, col(Voicemail.created_at), (Voicemail.note, Voicemail.box), (Voicemail.caller,),
                         lambda row: row.note),
    "recording": _Source(Recording, col(Recording.created_at), (Recording.caller, Recording.called, Recording.queue),
                         (Recording.caller, Recording.called), lambda row: ""),
    "message": _Source(OutboxMessage, col(OutboxMessage.created_at), (OutboxMessage.text, OutboxMessage.subject), (),
                       lambda row: row.subject or row.text),
    "task": _Source(Task, col(Task.created_at), (Task.title, Task.note, Task.result_note), (),
                    lambda row: row.title or row.note),
    "result": _Source(WrapUp, col(WrapUp.saved_at), (WrapUp.note, WrapUp.code), (), lambda row: row.note),
    "note": _Source(CustomerNote, col(CustomerNote.created_at), (CustomerNote.text, CustomerNote.author), (),
                    lambda row: row.text),
}  # fmt: skip
KINDS = tuple(_SOURCES)


async def timeline(
    db: Database,
    business_id: str,
    customer_id: str,
    *,
    kinds: Sequence[str] = (),
    search: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Contact]:
    """A page of a customer's contacts, newest first; `search` is any part of their words."""
    if not 1 <= first <= MAX_PAGE:
        raise InvalidError(text("每页条数不正确", "the page is too large or too small"), field="first")
    if unknown := [kind for kind in kinds if kind not in _SOURCES]:
        raise InvalidError(
            text(f"没有类型“{unknown[0]}”", f"there is no kind '{unknown[0]}'"),
            field="kinds",
            remedy=text(f"可选：{'、'.join(KINDS)}", f"Choose from {', '.join(KINDS)}."),
        )
    here = decode_cursor(after, 2) if after is not None else None
    async with read(db) as session:
        customer = await session.get(Customer, customer_id)
        if customer is None or customer.business_id != business_id:
            raise not_found("客户", "customer", customer_id)
        forms = await _forms(session, customer)
        found: list[Contact] = []
        for kind in kinds or KINDS:
            source = _SOURCES[kind]
            limits = _limits(source, _when(session, source), search, since, until, here)
            rows = await _rows(session, source, customer, forms, limits, first + 1)
            found += [Contact(kind, row.id, getattr(row, source.at.key), source.words(row), row) for row in rows]
    found.sort(key=lambda one: (one.at, one.id), reverse=True)
    items = found[:first]
    return Page(items, [encode_cursor((one.at, one.id)) for one in items], len(found) > first)


async def _forms(session: AsyncSession, customer: Customer) -> list[str]:
    business = await session.get(Business, customer.business_id)
    numbers = (await phones_of(session, [customer.id])).get(customer.id, [])[:MAX_NUMBERS]
    forms = [form for number in numbers for form in written_forms(number, business.country if business else "CN")]
    return list(dict.fromkeys(forms))


def _limits(
    source: _Source, when: Any, search: str, since: datetime | None, until: datetime | None, here: Sequence[Any] | None
) -> list[Any]:
    limits: list[Any] = []
    if word := search.strip():
        pattern = "%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_").lower() + "%"
        limits.append(or_(*(func.lower(column).like(pattern, escape="\\") for column in source.searched)))
    if since is not None:
        limits.append(when >= since)
    if until is not None:
        limits.append(when < until)
    if here is not None:
        there = tuple_(*(literal(v, column.type) for v, column in zip(here, (source.at, source.model.id), strict=True)))
        limits.append(tuple_(when, source.model.id) < there)
    return limits


def _when(session: AsyncSession, source: _Source) -> Any:
    """The time of a row; on PostgreSQL so that no index by time alone serves it.

    One hotline number is in every call, and most calls have no customer: a planner that knows this takes both columns
    for useless and walks through all calls by time, for the sake of an order that a few rows have in no time.
    """
    return source.at if _sqlite(session) else func.coalesce(source.at, source.at, type_=source.at.type)


def _seldom(session: AsyncSession, found: Any) -> Any:
    """A condition by which rows are found. SQLite knows a column by its average, and is told that these are few."""
    return func.likelihood(found, literal_column("0.00001")) if _sqlite(session) else found


def _sqlite(session: AsyncSession) -> bool:
    return bool(session.info["database"].sqlite)


async def _rows(
    session: AsyncSession, source: _Source, customer: Customer, forms: Sequence[str], limits: Sequence[Any], count: int
) -> list[Any]:
    model, order = source.model, (_when(session, source).desc(), col(source.model.id).desc())
    own = [model.business_id == customer.business_id, _seldom(session, model.customer_id == customer.id)]
    strangers = [
        # Written so that no planner takes the index by customer to walk through all calls of strangers.
        [
            model.business_id == customer.business_id,
            _seldom(session, column == form),
            func.coalesce(model.customer_id, "") == "",
        ]
        for column in source.numbers
        for form in forms
    ]
    # One range of one index each, cut to a page, before anything is sorted or joined.
    parts: list[Any] = [
        select(col(model.id).label("id"), source.at.label("at")).where(*where, *limits).order_by(*order).limit(count)
        for where in (own, *strangers)
    ]
    if len(parts) == 1:
        return list(await session.exec(select(model).where(*own, *limits).order_by(*order).limit(count)))
    chosen = union(*(select(part.subquery()) for part in parts)).subquery()
    newest = select(chosen.c.id).order_by(chosen.c.at.desc(), chosen.c.id.desc()).limit(count)
    return list(await session.exec(select(model).where(col(model.id).in_(newest))))


# --------------------------------------------------------------------------- notes


async def add_note(db: Database, actor: Actor, customer_id: str, words: str) -> CustomerNote:
    """Write something down about a customer."""
    words = _words(words)
    async with write(db) as session:
        if not await seen_by(session, actor, customer_id):
            raise not_found("客户", "customer", customer_id, "customerId")
        author = await session.get(User, actor.user_id) if actor.user_id else None
        row = CustomerNote(
            business_id=actor.business_id,
            customer_id=customer_id,
            user_id=actor.user_id,
            author=(author.display_name or author.name) if author else actor.name,
            text=words,
        )
        session.add(row)
        record(session, actor.business_id, "customer.changed", customer_id)
        return row


async def change_note(db: Database, actor: Actor, id: str, words: str | None) -> CustomerNote:
    """Change a note, or with None remove it. Everybody may change their own, supervisors all."""
    async with write(db) as session:
        row = await locked(session, CustomerNote, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("备注", "note", id)
        if row.user_id != actor.user_id and not actor.may(Permission.CUSTOMERS_DELETE):
            raise ForbiddenError(
                text("这是别人的备注", "this is somebody else's note"),
                remedy=text("请联系其作者或班长。", "Ask its author or a supervisor."),
            )
        if words is None:
            await session.delete(row)
            await note(session, actor, "customer_note.deleted", id, customer=row.customer_id)
        else:
            row.text, row.updated_at = _words(words), utcnow()
        record(session, actor.business_id, "customer.changed", row.customer_id)
        return row


def _words(words: str) -> str:
    words = words.strip()
    if not 1 <= len(words) <= 4000:
        raise InvalidError(
            text("备注应有 1 到 4000 字", "a note has 1 to 4000 signs"),
            field="text",
            remedy=text("请填写或缩短。", "Write something, or make it shorter."),
        )
    return words
