"""The prompt library (FL4)."""

import asyncio
import re
import secrets
from pathlib import Path

from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.database import Database, locked, read, utcnow, write
from backend.errors import InvalidError, not_found
from backend.events import record
from backend.identity.permissions import Actor
from backend.prompts.models import Prompt
from backend.recordings.files import inside
from nodes.sdk.text import text
from telephony.errors import SpeechError
from telephony.speech.audio import RATE, read_audio, write_wav

MAX_UPLOAD = 20 * 1024 * 1024
MAX_TEXT = 5000
_NAME = re.compile(r"[\w][\w .-]{0,127}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


def prompt_folder(home: Path) -> Path:
    """Where recorded prompts are kept."""
    return home / "prompts"


def _check(name: str, language: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidError(
            text("名称不可用", "this name cannot be used"),
            field="name",
            remedy=text("请使用文字、数字、空格、点、下划线和 -。", "Use letters, figures, spaces, dots, _ and -."),
        )
    if not _LANGUAGE.fullmatch(language):
        raise InvalidError(
            text(f"“{language}”不是语言代码", f"'{language}' is no language"),
            field="language",
            remedy=text("例如 zh、en、ko。", "Write zh, en or ko."),
        )


async def save_text(db: Database, actor: Actor, *, name: str, language: str, content: str) -> Prompt:
    """A prompt that the TTS voice speaks. A recording of this name and language is replaced."""
    _check(name, language)
    if not content.strip() or len(content) > MAX_TEXT:
        raise InvalidError(
            text(f"文本应为 1 到 {MAX_TEXT} 个字符", f"a text has 1 to {MAX_TEXT} characters"),
            field="text",
            remedy=text("请修改文本。", "Change the text."),
        )
    return await _save(db, actor, name, language, content=content.strip(), file="", seconds=0.0)


async def save_audio(
    db: Database, home: Path, actor: Actor, *, name: str, language: str, upload: Path, transcript: str = ""
) -> Prompt:
    """A recorded prompt. Any sound file is kept as the 8 kHz WAV that calls play."""
    _check(name, language)

    def convert() -> tuple[str, float]:
        samples = read_audio(upload)
        file = f"{actor.business_id}/{secrets.token_hex(16)}.wav"
        target = inside(prompt_folder(home), file)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_wav(target, samples)
        return file, len(samples) / RATE

    try:
        file, seconds = await asyncio.to_thread(convert)
    except SpeechError as error:
        raise InvalidError(
            text("无法读取该声音文件", "this sound file cannot be read"),
            field="file",
            remedy=text("请上传 WAV、FLAC、OGG 或 MP3。", "Upload WAV, FLAC, OGG or MP3."),
        ) from error
    return await _save(db, actor, name, language, content=transcript.strip()[:MAX_TEXT], file=file, seconds=seconds)


async def _save(
    db: Database, actor: Actor, name: str, language: str, *, content: str, file: str, seconds: float
) -> Prompt:
    async with write(db) as session:
        row = (
            await session.exec(
                select(Prompt)
                .where(Prompt.business_id == actor.business_id, Prompt.name == name, Prompt.language == language)
                .with_for_update()
            )
        ).first()
        if row is None:
            row = Prompt(business_id=actor.business_id, name=name, language=language)
            session.add(row)
        # The old file stays: a call may be playing it. Files that no row names are swept at start.
        recorded = bool(file) or None
        row.text, row.file, row.seconds, row.updated_at = content, file, seconds, utcnow()
        said = changed(row, "text")
        await session.flush()
        record(session, actor.business_id, "prompt.saved", row.id, name=name, language=language)
        await note(session, actor, "prompt.saved", f"{name} ({language})", **said, recorded=recorded)
        return row


async def delete_prompt(db: Database, actor: Actor, id: str) -> None:
    """Remove a prompt in one language."""
    async with write(db) as session:
        row = await locked(session, Prompt, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("语音", "prompt", id)
        await session.delete(row)
        record(session, actor.business_id, "prompt.deleted", id, name=row.name, language=row.language)
        await note(session, actor, "prompt.deleted", f"{row.name} ({row.language})")


async def sweep(db: Database, home: Path) -> int:
    """Remove files that no prompt names any more; returns how many."""
    async with read(db) as session:
        known = set((await session.exec(select(Prompt.file))).all())
    folder = prompt_folder(home)

    def remove() -> int:
        gone = 0
        for file in folder.glob("*/*.wav"):
            if file.relative_to(folder).as_posix() not in known:
                file.unlink(missing_ok=True)
                gone += 1
        return gone

    return await asyncio.to_thread(remove)


async def get_prompt(db: Database, business_id: str, id: str) -> Prompt:
    """Raises NotFoundError."""
    async with read(db) as session:
        row = await session.get(Prompt, id)
    if row is None or row.business_id != business_id:
        raise not_found("语音", "prompt", id)
    return row


async def find_prompt(db: Database, business_id: str, name: str, language: str) -> Prompt | None:
    """The prompt in a language, in its base language (``zh`` for ``zh-TW``), or None."""
    wanted = [language, language.split("-", maxsplit=1)[0]]
    async with read(db) as session:
        found = {
            row.language: row
            for row in await session.exec(
                select(Prompt).where(
                    Prompt.business_id == business_id, Prompt.name == name, col(Prompt.language).in_(wanted)
                )
            )
        }
    return next((found[tag] for tag in wanted if tag in found), None)


async def list_prompts(db: Database, business_id: str) -> list[Prompt]:
    """Prompts of a business, by name and language."""
    async with read(db) as session:
        found = select(Prompt).where(Prompt.business_id == business_id)
        return list(await session.exec(found.order_by(col(Prompt.name), col(Prompt.language))))
