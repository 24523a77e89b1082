"""Writing and checking the audit trail."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from backend.audit.models import AuditEntry, AuditHead
from backend.database import AsyncSession, Database, locked, read
from backend.events import record
from backend.identity.permissions import Actor
from backend.paging import Page, page

_START = "0" * 64


async def note(session: AsyncSession, actor: Actor, action: str, subject: str = "", **details: Any) -> None:
    """Add a deed to the chain, in the transaction of the deed itself.

    Details are kept as texts, whole numbers and switches; confidential values never belong here.
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
        details={k: v if isinstance(v, bool | int | str) else str(v) for k, v in details.items() if v is not None},
        address=actor.address,
        previous=head.hash,
        hash="",
    )
    entry.hash = digest(entry)
    session.add(entry)
    head.seq, head.hash = entry.seq, entry.hash
    record(session, actor.business_id, f"audit.{action}", subject[:128], actor=actor.name)


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
