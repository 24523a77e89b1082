"""Recordings on their way from the engine's spool into the house's own folder and its records."""

import asyncio
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

from backend.calls.models import Call
from backend.database import Database, locked, write
from backend.events import record
from backend.recordings.models import Recording
from telephony.sounds import wav_seconds

log = logging.getLogger(__name__)


async def keep_recording(
    db: Database, folder: Path, business_id: str, call_id: str, path: Path, *, seconds: float | None = None
) -> str | None:
    """Take over the recording of a whole call; returns its id. Idempotent: the same call has one recording."""
    moved = await asyncio.to_thread(take_over, path, folder, "calls", call_id)
    if moved is None:
        log.error("the recording of call %s is missing: %s", call_id, path)
        return None
    length = seconds if seconds else await asyncio.to_thread(wav_seconds, moved)
    async with write(db) as session:
        call = await locked(session, Call, call_id)
        business = call.business_id if call is not None else business_id
        if not business:
            log.error("the recording of call %s belongs to no business and stays at %s", call_id, moved)
            return None
        if call is not None and call.recording_id is not None:
            return call.recording_id
        row = Recording(
            business_id=business,
            key=f"call-{call_id}",
            call_id=call_id,
            path=str(moved.relative_to(folder)),
            seconds=length,
            bytes=moved.stat().st_size,
        )
        session.add(row)
        if call is not None:
            call.recording_id = row.id
        record(session, business, "recording.saved", row.id, call_id=call_id)
        return row.id


def take_over(path: Path, folder: Path, kind: str, name: str) -> Path | None:
    """Move a finished WAV under the recording folder, by day; the place it has now, or None when it is nowhere."""
    now = datetime.now(UTC)
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    earlier = sorted((folder / kind).glob(f"*/*/*/{safe}.wav")) if not path.exists() else []
    if earlier:
        return earlier[-1]
    if not path.exists():
        return None
    target = folder / kind / f"{now:%Y/%m/%d}" / f"{safe}.wav"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    target.chmod(0o640)
    return target
