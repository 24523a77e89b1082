"""Number lists and their entries."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, delete, func, select

from backend.audit.service import changed, note
from backend.database import AsyncSession, Database, locked, read, taken, utcnow, write
from backend.errors import Faults, InvalidError, exists, not_found
from backend.identity.models import Business
from backend.identity.permissions import Actor, Permission
from backend.lists.models import ListEntry, NumberList
from backend.numbers.phone import normalise, normalise_or_keep
from backend.paging import Page, page
from nodes.sdk.text import text

KINDS = ("black", "white", "vip")
_SPACING = re.compile(r"[\s().-]")
_NUMBER = re.compile(r"\+?\d+|\+")


@dataclass(frozen=True, slots=True)
class EntryInput:
    """One number for a list."""

    number: str
    note: str = ""
    until: datetime | None = None


async def save_list(db: Database, actor: Actor, *, id: str | None = None, name: str, kind: str) -> NumberList:
    """Create or change a list."""
    name = name.strip()
    faults = Faults()
    if not name or len(name) > 128:
        faults.add(
            InvalidError(
                text("名称不可用", "a list needs a name of 128 characters at most"),
                field="name",
                remedy=text("请填写名称。", "Give it a name."),
            )
        )
    if kind not in KINDS:
        faults.add(
            InvalidError(
                text(f"没有名单类型“{kind}”", f"there is no kind of list '{kind}'"),
                field="kind",
                remedy=text("可选 black、white、vip。", "Choose black, white or vip."),
            )
        )
    async with write(db) as session:
        row = await _list(session, actor, id) if id is not None else None
        if await taken(
            session, NumberList.id, id, NumberList.business_id == actor.business_id, NumberList.name == name
        ):
            faults.add(exists("名单", "list", name))
        faults.tell()
        if row is None:
            row = NumberList(business_id=actor.business_id, name=name, kind=kind)
            session.add(row)
        row.name, row.kind = name, kind
        said = changed(row, "name", "kind")
        await session.flush()
        await note(session, actor, "list.saved", name, **said)
        return row


async def _list(session: AsyncSession, actor: Actor, id: str) -> NumberList:
    row = await locked(session, NumberList, id)
    if row is None or row.business_id != actor.business_id:
        raise not_found("名单", "list", id)
    return row


async def delete_list(db: Database, actor: Actor, id: str) -> None:
    """Remove a list with its entries."""
    async with write(db) as session:
        row = await _list(session, actor, id)
        await session.exec(delete(ListEntry).where(col(ListEntry.list_id) == id))
        await session.delete(row)
        await note(session, actor, "list.deleted", row.name)


async def add_entries(db: Database, actor: Actor, list_id: str, entries: Sequence[EntryInput]) -> int:
    """Put numbers on a list; a number that is there already gets the new note and end. Returns how many are new.

    One bad number refuses them all, so that nothing is half-saved.
    """
    async with write(db) as session:
        row = await _list(session, actor, list_id)
        business = await session.get(Business, actor.business_id)
        assert business is not None
        wanted: dict[str, EntryInput] = {}
        faults = Faults()
        for index, entry in enumerate(entries):
            with faults.gathered():
                wanted[normalise(entry.number, business.country, field=f"entries.{index}.number")] = entry
        faults.tell()
        known: dict[str, ListEntry] = {}
        numbers = list(wanted)
        for start in range(0, len(numbers), 500):
            found = await session.exec(
                select(ListEntry).where(
                    ListEntry.list_id == list_id, col(ListEntry.number).in_(numbers[start : start + 500])
                )
            )
            known |= {entry.number: entry for entry in found}
        for number, given in wanted.items():
            kept = known.get(number)
            if kept is None:
                kept = ListEntry(business_id=actor.business_id, list_id=list_id, number=number)
                session.add(kept)
            kept.note, kept.until = given.note[:500], given.until
        await note(session, actor, "list.entries_added", row.name, entries=len(wanted))
        return len(wanted) - len(known)


async def remove_entry(db: Database, actor: Actor, entry_id: str) -> None:
    """Take a number off its list."""
    async with write(db) as session:
        entry = await locked(session, ListEntry, entry_id)
        if entry is None or entry.business_id != actor.business_id:
            raise not_found("名单号码", "list entry", entry_id)
        await session.delete(entry)
        await note(session, actor, "list.entry_removed", entry.number)


async def list_lists(db: Database, business_id: str) -> list[NumberList]:
    """Lists of a business, by name."""
    async with read(db) as session:
        found = select(NumberList).where(NumberList.business_id == business_id).order_by(col(NumberList.name))
        return list(await session.exec(found))


async def get_list(db: Database, business_id: str, id: str) -> NumberList:
    """One list. Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(NumberList, id)
    if row is None or row.business_id != business_id:
        raise not_found("名单", "list", id)
    return row


async def sizes(session: AsyncSession, ids: list[str], business_id: str) -> dict[str, int]:
    """How many numbers stand on each of these lists."""
    counted = select(ListEntry.list_id, func.count()).where(
        ListEntry.business_id == business_id, col(ListEntry.list_id).in_(ids)
    )
    return dict((await session.exec(counted.group_by(ListEntry.list_id))).all())


async def list_entries(
    db: Database, actor: Actor, list_id: str, *, search: str = "", first: int = 50, after: str | None = None
) -> Page[ListEntry]:
    """Numbers on a list, in order. `search` is any part of a number, however it is spaced, or of a note.

    Whoever may not see whole numbers finds them only by the whole number: else digits could be tried one by one.
    """
    statement = select(ListEntry).where(ListEntry.business_id == actor.business_id, ListEntry.list_id == list_id)
    if word := search.strip().lower():
        found = func.lower(ListEntry.note).contains(word, autoescape=True)
        number = _SPACING.sub("", word)
        if not actor.may(Permission.CUSTOMERS_NUMBERS):
            found |= col(ListEntry.number) == number
        elif _NUMBER.fullmatch(number):
            found |= col(ListEntry.number).contains(number, autoescape=True)
        statement = statement.where(found)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(ListEntry.number),),
            keys=lambda entry: (entry.number,),
            first=first,
            after=after,
            descending=False,
        )


async def match(db: Database, business_id: str, list_name: str, number: str) -> bool:
    """Whether a number stands on a list now. Raises NotFoundError for an unknown list."""
    async with read(db) as session:
        business = await session.get(Business, business_id)
        row = (
            await session.exec(
                select(NumberList).where(NumberList.business_id == business_id, NumberList.name == list_name)
            )
        ).first()
        if row is None or business is None:
            raise not_found("名单", "list", list_name, "list")
        plain = normalise_or_keep(number, business.country)
        found = await session.exec(
            select(ListEntry.id).where(
                ListEntry.list_id == row.id,
                ListEntry.number == plain,
                or_(col(ListEntry.until).is_(None), col(ListEntry.until) > utcnow()),
            )
        )
        return found.first() is not None
