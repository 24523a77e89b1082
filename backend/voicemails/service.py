"""Saving and handling voicemail."""

from pathlib import Path

from sqlmodel import col, select

from backend.audit.service import note
from backend.database import Database, locked, read, utcnow, write
from backend.errors import InvalidError, not_found
from backend.events import record
from backend.identity.permissions import Actor
from backend.paging import Page, page
from backend.recordings.files import id_of, inside, place_for, take_over
from backend.voicemails.models import Voicemail
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
        record(session, business_id, "voicemail.saved", id, box=box, call_id=call_id)
        return row


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


async def list_voicemails(
    db: Database,
    business_id: str,
    *,
    box: str | None = None,
    state: str | None = None,
    call_id: str | None = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Voicemail]:
    """Messages, newest first."""
    statement = select(Voicemail).where(Voicemail.business_id == business_id)
    if box is not None:
        statement = statement.where(Voicemail.box == box)
    if state is not None:
        statement = statement.where(Voicemail.state == state)
    if call_id is not None:
        statement = statement.where(Voicemail.call_id == call_id)
    async with read(db) as session:
        return await page(
            session,
            statement,
            by=(col(Voicemail.created_at), col(Voicemail.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )


async def set_state(db: Database, actor: Actor, id: str, state: str) -> Voicemail:
    """Mark a message as heard, accepted or done. Who accepts it owns it."""
    if state not in STATES:
        raise InvalidError(
            text(f"没有状态“{state}”", f"there is no state '{state}'"),
            field="state",
            remedy=text(f"可选：{'、'.join(STATES)}", f"Choose one of {', '.join(STATES)}."),
        )
    async with write(db) as session:
        row = await locked(session, Voicemail, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("留言", "voicemail", id)
        row.state = state
        if state in ("accepted", "done"):
            row.handled_by = actor.user_id
        record(session, actor.business_id, "voicemail.changed", id, state=state)
        await note(session, actor, "voicemail.state", id, state=state)
        return row


async def delete_voicemail(db: Database, folder: Path, actor: Actor, id: str) -> None:
    """Remove a message and its file."""
    async with write(db) as session:
        row = await locked(session, Voicemail, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("留言", "voicemail", id)
        await session.delete(row)
        await note(session, actor, "voicemail.deleted", id)
    inside(folder, row.path).unlink(missing_ok=True)
