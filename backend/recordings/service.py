"""Saving, listing and deleting recordings."""

from datetime import datetime
from pathlib import Path

from sqlmodel import col, select

from backend.audit.service import note
from backend.calls.models import Call
from backend.database import Database, locked, read, utcnow, write
from backend.errors import not_found
from backend.events import record
from backend.identity.permissions import Actor
from backend.paging import Page, page
from backend.recordings.files import id_of, inside, place_for, take_over
from backend.recordings.models import Recording


async def save_recording(
    db: Database,
    folder: Path,
    *,
    business_id: str,
    key: str,
    call_id: str | None,
    source: Path,
    seconds: float,
    complete: bool = True,
    at: datetime | None = None,
) -> Recording:
    """Take a file over and record it; linked to its call. Idempotent by `key`: the last save wins."""
    id = id_of(business_id, "recording", key)
    async with read(db) as session:
        known = await session.get(Recording, id)
    at = known.created_at if known is not None else at or utcnow()
    kept = await take_over(folder, source, place_for("calls", business_id, id, at, source.suffix or ".wav"))
    async with write(db) as session:
        row = await locked(session, Recording, id)
        if row is None:
            row = Recording(id=id, business_id=business_id, key=key, path=kept.path, created_at=at)
            session.add(row)
        row.call_id, row.path, row.bytes, row.seconds, row.complete = call_id, kept.path, kept.bytes, seconds, complete
        call = await locked(session, Call, call_id) if call_id is not None else None
        if call is not None and call.business_id == business_id:
            call.recording_id = id
        record(session, business_id, "recording.saved", id, call_id=call_id)
        return row


async def get_recording(db: Database, business_id: str, id: str) -> Recording:
    """Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(Recording, id)
    if row is None or row.business_id != business_id:
        raise not_found("录音", "recording", id)
    return row


async def list_recordings(
    db: Database, business_id: str, *, call_id: str | None = None, first: int = 50, after: str | None = None
) -> Page[Recording]:
    """Recordings, newest first."""
    statement = select(Recording).where(Recording.business_id == business_id)
    if call_id is not None:
        statement = statement.where(Recording.call_id == call_id)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(Recording.created_at), col(Recording.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )


async def delete_recording(db: Database, folder: Path, actor: Actor, id: str) -> None:
    """Remove a recording, its file last: a crash between leaves a file without a row, never a row without a file."""
    async with write(db) as session:
        row = await locked(session, Recording, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("录音", "recording", id)
        if row.call_id is not None:
            call = await locked(session, Call, row.call_id)
            if call is not None and call.recording_id == id:
                call.recording_id = None
        await session.delete(row)
        await note(session, actor, "recording.deleted", id, call_id=row.call_id)
    inside(folder, row.path).unlink(missing_ok=True)
