"""Saving, finding, keeping and deleting recordings."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select

from backend.audit.service import note
from backend.calls.models import Call, Leg, TrailEntry
from backend.customers.service import with_number
from backend.database import AsyncSession, Database, locked, read, utcnow, write
from backend.errors import ForbiddenError, not_found
from backend.events import record
from backend.identity.permissions import Actor, Permission, system_actor
from backend.identity.scope import People, only, sees
from backend.numbers.models import Extension
from backend.paging import Page, page, starts_with
from backend.queues.models import QueueEntry
from backend.recordings.copies import file_saved, remove_copies
from backend.recordings.files import id_of, inside, place_for, take_over
from backend.recordings.models import Recording, RetentionRule
from backend.recordings.peaks import beside
from backend.recordings.rules import days_kept, is_over
from backend.security import SecretBox
from backend.voicemails.models import Voicemail
from nodes.sdk.text import text

log = logging.getLogger(__name__)
BATCH = 200


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
            await _describe(session, row, call)
        await session.flush()
        await file_saved(session, business_id, kept.path)
        record(session, business_id, "recording.saved", id, call_id=call_id)
        return row


async def _describe(session: AsyncSession, row: Recording, call: Call) -> None:
    """Copy what a call was about, as far as it is known; what others have told stays."""
    row.direction, row.caller, row.called = call.direction, call.caller, call.called
    other = call.called if call.direction == "outbound" else call.caller
    row.customer_id = call.customer_id or row.customer_id or await with_number(session, row.business_id, other)
    if call.state == "ended":
        row.result = (call.outcome or call.cause)[:32]
    stays = await session.exec(
        select(QueueEntry)
        .where(QueueEntry.call_id == call.id, col(QueueEntry.answered_at).is_not(None))
        .order_by(col(QueueEntry.answered_at).desc())
        .limit(1)
    )
    stay = stays.first()
    if stay is not None:
        row.agent_id, row.queue = row.agent_id or stay.agent_id, row.queue or stay.queue
    row.agent_id = row.agent_id or await _agent_of(session, call.id)
    if not row.queue:
        steps = await session.exec(
            select(TrailEntry)
            .where(TrailEntry.call_id == call.id, col(TrailEntry.node_type).startswith("queue."))
            .order_by(col(TrailEntry.entered).desc())
        )
        row.queue = next((str(step.outputs["queue"])[:64] for step in steps if step.outputs.get("queue")), "")


async def _agent_of(session: AsyncSession, call_id: str) -> str | None:
    """The person whose extension answered last."""
    legs = await session.exec(
        select(Leg)
        .where(Leg.call_id == call_id, col(Leg.answered_at).is_not(None), col(Leg.destination).startswith("extension:"))
        .order_by(col(Leg.answered_at).desc())
        .limit(1)
    )
    leg = legs.first()
    if leg is None:
        return None
    number = leg.destination.removeprefix("extension:")
    found = await session.exec(
        select(Extension.user_id).where(Extension.number == number, Extension.business_id == leg.business_id)
    )
    return found.first()


async def describe_call(
    db: Database, call_id: str, *, agent_id: str | None = None, queue: str = "", result: str = ""
) -> int:
    """Whoever learns more of a call tells its recordings; returns how many there are."""
    async with write(db) as session:
        call = await session.get(Call, call_id)
        if call is None:
            return 0
        found = await session.exec(select(Recording).where(Recording.call_id == call_id).with_for_update())
        rows = list(found)
        for row in rows:
            row.agent_id, row.queue = agent_id or row.agent_id, queue or row.queue
            await _describe(session, row, call)
            row.result = result or row.result
        return len(rows)


async def get_recording(db: Database, business_id: str, id: str) -> Recording:
    """Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(Recording, id)
    if row is None or row.business_id != business_id:
        raise not_found("录音", "recording", id)
    return row


def may_hear(actor: Actor, row: Recording) -> bool:
    """Whether somebody may listen: to those in their reach by right, else to their own talks."""
    own = row.agent_id is not None and row.agent_id == actor.user_id and actor.may(Permission.RECORDINGS_OWN)
    return own or (actor.may(Permission.RECORDINGS_LISTEN) and sees(actor.people, row.agent_id))


async def hear(db: Database, actor: Actor, id: str, *, download: bool = False) -> Recording:
    """A recording that somebody wants to hear or to take away. Raises ForbiddenError."""
    row = await get_recording(db, actor.business_id, id)
    wanted = Permission.RECORDINGS_DOWNLOAD if download else Permission.RECORDINGS_LISTEN
    if not may_hear(actor, row) or (download and not actor.may(wanted)):
        raise ForbiddenError(
            text(f"没有权限：{wanted.value}", f"this needs the permission {wanted.value}"),
            remedy=text("请联系管理员。", "Ask an administrator."),
        )
    return row


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """What recordings can be found by. ``number`` is the start of the calling or called one."""

    call_id: str | None = None
    customer_id: str | None = None
    number: str = ""
    agent_id: str | None = None
    queue: str | None = None
    result: str | None = None
    direction: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None


async def list_recordings(
    db: Database,
    business_id: str,
    wanted: RecordingFilter | None = None,
    *,
    people: People = None,
    first: int = 50,
    after: str | None = None,
) -> Page[Recording]:
    """Recordings of talks of `people`, newest first."""
    wanted = wanted or RecordingFilter()
    statement = select(Recording).where(Recording.business_id == business_id, only(people, Recording.agent_id))
    for name in ("call_id", "customer_id", "agent_id", "queue", "result", "direction"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(Recording, name) == value)
    if wanted.since is not None:
        statement = statement.where(Recording.created_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Recording.created_at < wanted.until)
    if wanted.min_seconds is not None:
        statement = statement.where(Recording.seconds >= wanted.min_seconds)
    if wanted.max_seconds is not None:
        statement = statement.where(Recording.seconds <= wanted.max_seconds)
    async with read(db) as session:
        if number := wanted.number.strip():
            found = [
                select(Recording.id).where(Recording.business_id == business_id, starts_with(session, column, number))
                for column in (col(Recording.caller), col(Recording.called))
            ]
            statement = statement.where(or_(*(col(Recording.id).in_(ids) for ids in found)))
        return await page(
            session,
            statement,
            by=(col(Recording.created_at), col(Recording.id)),
            keys=lambda row: (row.created_at, row.id),
            first=first,
            after=after,
        )


async def keep_recording(db: Database, actor: Actor, id: str, kept: bool) -> Recording:
    """Keep a recording whatever the rules say, or leave it to them again."""
    async with write(db) as session:
        row = await locked(session, Recording, id)
        if row is None or row.business_id != actor.business_id or not sees(actor.people, row.agent_id):
            raise not_found("录音", "recording", id)
        row.kept = kept
        await note(session, actor, "recording.kept" if kept else "recording.released", id, call_id=row.call_id)
        return row


async def delete_recording(
    db: Database, folder: Path, actor: Actor, id: str, *, box: SecretBox | None = None, why: str = ""
) -> None:
    """Remove a recording, its file last: a crash between leaves a file without a row, never a row without a file.

    With `box` its second copies are deleted too.
    """
    async with write(db) as session:
        row = await locked(session, Recording, id)
        if row is None or row.business_id != actor.business_id or not sees(actor.people, row.agent_id):
            raise not_found("录音", "recording", id)
        if row.call_id is not None:
            call = await locked(session, Call, row.call_id)
            if call is not None and call.recording_id == id:
                call.recording_id = None
        await session.delete(row)
        await note(session, actor, "recording.deleted", id, call_id=row.call_id, why=why or None)
        record(session, actor.business_id, "recording.deleted", id, call_id=row.call_id)
    remove_file(folder, row.path)
    if box is not None:
        await remove_copies(db, box, row.path)


def remove_file(folder: Path, path: str) -> None:
    """Delete a stored sound with its shape."""
    file = inside(folder, path)
    beside(file).unlink(missing_ok=True)
    file.unlink(missing_ok=True)


# --------------------------------------------------------------------------- by the clock


async def tidy(db: Database, folder: Path, box: SecretBox, now: datetime | None = None) -> int:
    """Delete what the rules of keeping have given up, a batch for each business; returns how many."""
    now = now or utcnow()
    async with read(db) as session:
        by_business: dict[str, list[RetentionRule]] = {}
        for rule in await session.exec(select(RetentionRule).where(col(RetentionRule.enabled))):
            by_business.setdefault(rule.business_id, []).append(rule)
    total = 0
    for business_id, rules in by_business.items():
        for what in ("recording", "voicemail"):
            total += await _tidy_one(db, folder, box, business_id, rules, what, now)
    return total


async def _tidy_one(
    db: Database,
    folder: Path,
    box: SecretBox,
    business_id: str,
    rules: list[RetentionRule],
    what: str,
    now: datetime,
) -> int:
    of = [rule for rule in rules if rule.what == what]
    if not of:
        return 0
    actor = system_actor(business_id, "retention")
    shortest = now - timedelta(days=min(rule.days for rule in of))
    seen: tuple[datetime, str] | None = None
    deleted = 0
    while True:
        table: Any = Recording if what == "recording" else Voicemail
        statement = select(table).where(table.business_id == business_id, col(table.created_at) <= shortest)
        if seen is not None:
            later = (col(table.created_at) > seen[0]) | ((col(table.created_at) == seen[0]) & (col(table.id) > seen[1]))
            statement = statement.where(later)
        async with read(db) as session:
            rows = list(await session.exec(statement.order_by(col(table.created_at), col(table.id)).limit(BATCH)))
        for row in rows:
            seen = (row.created_at, row.id)
            if isinstance(row, Recording):
                other = row.called if row.direction == "outbound" else row.caller
                days = days_kept(of, what=what, number=other, queue=row.queue, agent=row.agent_id or "")
                if not row.kept and is_over(days, row.created_at, now):
                    await delete_recording(db, folder, actor, row.id, box=box, why=f"{days} days")
                    deleted += 1
            elif is_over(days_kept(of, what=what, box=row.box), row.created_at, now):
                await _delete_voicemail(db, folder, box, actor, row.id)
                deleted += 1
        if len(rows) < BATCH:
            break
    async with write(db) as session:
        for rule in of:
            stored = await locked(session, RetentionRule, rule.id)
            if stored is not None:
                stored.ran_at, stored.deleted = now, stored.deleted + deleted
    return deleted


async def _delete_voicemail(db: Database, folder: Path, box: SecretBox, actor: Actor, id: str) -> None:
    async with write(db) as session:
        row = await locked(session, Voicemail, id)
        if row is None:
            return
        await session.delete(row)
        await note(session, actor, "voicemail.deleted", id, why="retention")
        record(session, actor.business_id, "voicemail.changed", id, state="deleted")
    remove_file(folder, row.path)
    await remove_copies(db, box, row.path)
