"""Writing and checking the audit trail."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from backend.audit.models import AuditEntry, AuditHead
from backend.database import AsyncSession, Database, locked, read
from backend.events import record
from backend.identity.permissions import Actor
from backend.paging import Page, page

_START = "0" * 64
LONGEST = 1000
"""Signs of a text that the trail keeps: what was said, not a copy of it."""


async def note(session: AsyncSession, actor: Actor, action: str, subject: str = "", **details: Any) -> None:
    """Add a deed to the chain, in the transaction of the deed itself.

    Details are kept as texts, whole numbers, switches, and lists and mappings of these; confidential values never
    belong here. What was changed is told by `changed`.
    """
    insert: Any = sqlite_insert if session.info["database"].sqlite else postgres_insert
    await session.exec(
        insert(AuditHead).values(business_id=actor.business_id, seq=0, hash=_START).on_conflict_do_nothing()
    )
    head = await locked(session, AuditHead, actor.business_id)
    assert head is not None
    entry = AuditEntry(
        business_id=actor.business_id,
        seq=head.seq + 1,
        actor=actor.name,
        action=action,
        subject=subject[:255],
        details={name: _kept(value) for name, value in details.items() if value is not None},
        address=actor.address,
        previous=head.hash,
        hash="",
    )
    entry.hash = digest(entry)
    session.add(entry)
    head.seq, head.hash = entry.seq, entry.hash
    record(session, actor.business_id, f"audit.{action}", subject[:128], actor=actor.name)


def _kept(value: Any) -> Any:
    """A value as the trail keeps it."""
    if value is None or isinstance(value, bool | int | str):
        return value[:LONGEST] if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(name): _kept(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_kept(one) for one in value]
    return str(value)


def changed(row: Any, *names: str) -> dict[str, Any]:
    """What a deed does to these fields of a row, for `note`: what they are now, and under ``was`` what they were.

    Ask before the row is flushed. Of a new row it tells what is not as fields are by themselves. Never name a
    confidential field.
    """
    state = inspect(row)
    now: dict[str, Any] = {}
    was: dict[str, Any] = {}
    for name in names:
        value = getattr(row, name)
        if not state.persistent:
            if value != type(row).model_fields[name].get_default(call_default_factory=True) and value not in (
                "",
                [],
                {},
            ):
                now[name] = value
            continue
        history = state.attrs[name].history
        if history.has_changes():
            # None says nothing in the trail: a field that was emptied is empty.
            now[name] = "" if value is None else value
            was[name] = history.deleted[0] if history.deleted else None
    return now | ({"was": was} if was else {})


def digest(entry: AuditEntry) -> str:
    """The hash of a row over everything it says and the row before."""
    said = [
        entry.business_id,
        entry.seq,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.subject,
        entry.details,
        entry.address,
        entry.previous,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """Whether the chain holds. ``broken_at`` is the first row that was changed or is missing."""

    rows: int
    broken_at: int | None


async def check_chain(db: Database, business_id: str) -> ChainCheck:
    """Walk the whole chain of a business."""
    previous, seq = _START, 0
    async with read(db) as session:
        head = await session.get(AuditHead, business_id)
        while True:
            rows = list(
                await session.exec(
                    select(AuditEntry)
                    .where(AuditEntry.business_id == business_id, AuditEntry.seq > seq)
                    .order_by(col(AuditEntry.seq))
                    .limit(1000)
                )
            )
            if not rows:
                break
            for row in rows:
                if row.seq != seq + 1 or row.previous != previous or digest(row) != row.hash:
                    return ChainCheck(seq, seq + 1)
                previous, seq = row.hash, row.seq
    end = (head.seq, head.hash) if head is not None else (0, _START)
    return ChainCheck(seq, None if end == (seq, previous) else seq + 1)


async def list_entries(
    db: Database,
    business_id: str,
    *,
    actor: str | None = None,
    action: str | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[AuditEntry]:
    """Deeds, newest first."""
    statement = select(AuditEntry).where(AuditEntry.business_id == business_id)
    if actor:
        statement = statement.where(AuditEntry.actor == actor)
    if action:
        statement = statement.where(AuditEntry.action == action)
    async with read(db) as session:
        return await page(
            session, statement, by=(col(AuditEntry.seq),), keys=lambda row: (row.seq,), first=first, after=after
        )
