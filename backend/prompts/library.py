"""Work on the whole library: many files at once, texts out of documents, other names (FL4)."""

import asyncio
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from docx import Document
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from sqlmodel import select

from backend.audit.service import note
from backend.database import Database, read, taken, utcnow, write
from backend.errors import ConflictError, DomainError, InvalidError, not_found
from backend.events import record
from backend.flows.service import get_flow, save_draft
from backend.flows.uses import where_used
from backend.identity.permissions import Actor
from backend.prompts.models import Prompt
from backend.prompts.service import MAX_TEXT, MAX_UPLOAD, _check, save_audio, save_text
from flows.references import with_prompt_renamed
from nodes.sdk.text import Text, text

MOST_FILES = 2_000
MAX_IMPORT = 100 * 1024 * 1024
MAX_UNPACKED = 300 * 1024 * 1024
_SOUNDS = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".oga", ".aif", ".aiff", ".au"})
_TEXTS = frozenset({".txt", ".docx", ".pdf"})
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file: the prompt that was stored, or why not."""

    file: str
    name: str = ""
    language: str = ""
    seconds: float = 0.0
    error: DomainError | None = None

    def told(self) -> dict[str, Any]:
        """As JSON."""
        told: dict[str, Any] = {
            "file": self.file,
            "ok": self.error is None,
            "name": self.name,
            "language": self.language,
            "seconds": self.seconds,
            "error": None,
        }
        if self.error is not None:
            told["error"] = {
                "code": self.error.code,
                "field": self.error.field,
                "message": self.error.message.model_dump(),
                "remedy": self.error.remedy.model_dump(),
            }
        return told


# --------------------------------------------------------------------------- import


async def import_files(
    db: Database, home: Path, actor: Actor, files: Sequence[tuple[str, bytes]], *, language: str, split: bool = False
) -> list[Row]:
    """Store sounds and texts, each file by itself; archives are opened.

    The prompt has the file's name. A language before the suffix (``greeting.en.wav``) or a folder (``en/greeting.wav``)
    wins over `language`. With `split` each paragraph of a text becomes a prompt of its own.
    """
    _check("x", language)
    rows: list[Row] = []
    for name, data in files:
        try:
            unpacked = await asyncio.to_thread(_all_unpacked, name, data)
        except DomainError as error:
            rows.append(Row(name, error=error))
            continue
        for file, content in unpacked:
            if len(rows) >= MOST_FILES:
                rows.append(Row(file, error=_too_many()))
                return rows
            rows += await _one(db, home, actor, file, content, language, split)
    return rows


def _too_many() -> InvalidError:
    return InvalidError(
        text(f"一次最多导入 {MOST_FILES} 个", f"at most {MOST_FILES} at once"),
        field="files",
        remedy=text("请分批导入其余文件。", "Import the rest in another go."),
    )


def _all_unpacked(name: str, data: bytes) -> list[tuple[str, bytes]]:
    return list(_unpacked(name, data))


def _unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    if PurePosixPath(name).suffix.lower() != ".zip":
        yield name, data
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir() and not _hidden(one.filename)]
            if len(entries) > MOST_FILES or sum(one.file_size for one in entries) > MAX_UNPACKED:
                raise _too_many()
            for one in entries:
                # Only what is counted: a header that lies about the size does not get more memory.
                with archive.open(one) as packed:
                    yield one.filename, packed.read(MAX_UPLOAD + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise InvalidError(
            text("无法打开压缩包", "the archive cannot be opened"),
            field="files",
            remedy=text("请重新打包为不加密的 zip。", "Pack it again as a zip without a password."),
        ) from error


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


async def _one(db: Database, home: Path, actor: Actor, file: str, data: bytes, language: str, split: bool) -> list[Row]:
    name, tag = _named(file, language)
    suffix = PurePosixPath(file).suffix.lower()
    try:
        if len(data) > MAX_UPLOAD:
            raise InvalidError(
                text("文件过大", "the file is too large"),
                field="file",
                remedy=text("每个文件最多 20 MB。", "A file may have 20 MB at most."),
            )
        if suffix in _SOUNDS:
            with tempfile.NamedTemporaryFile(suffix=suffix) as draft:
                draft.write(data)
                draft.flush()
                saved = await save_audio(db, home, actor, name=name, language=tag, upload=Path(draft.name))
            return [Row(file, saved.name, saved.language, saved.seconds)]
        if suffix in _TEXTS:
            pieces = _pieces(await asyncio.to_thread(text_of, suffix, data), split)
            rows = []
            for number, piece in enumerate(pieces, start=1):
                own = name if len(pieces) == 1 else f"{name} {number}"
                saved = await save_text(db, actor, name=own, language=tag, content=piece)
                rows.append(Row(file, saved.name, saved.language))
            return rows
        raise InvalidError(
            text(f"不支持的文件类型 {suffix or '（无）'}", f"files of the type {suffix or '(none)'} are not taken"),
            field="file",
            remedy=text(
                "声音：WAV、FLAC、OGG、MP3；文本：TXT、DOCX、PDF；或 ZIP。",
                "Sounds: WAV, FLAC, OGG, MP3. Texts: TXT, DOCX, PDF. Or a ZIP of them.",
            ),
        )
    except DomainError as error:
        return [Row(file, name, tag, error=error)]


def _named(file: str, language: str) -> tuple[str, str]:
    """Name and language of a file: ``greeting.en.wav``, ``en/greeting.wav``, else the language of the import."""
    path = PurePosixPath(file.replace("\\", "/"))
    stem = path.stem.strip()
    base, _, tag = stem.rpartition(".")
    if base and _LANGUAGE.fullmatch(tag):
        return _clean(base), tag
    if len(path.parts) > 1 and _LANGUAGE.fullmatch(path.parts[-2]):
        return _clean(stem), path.parts[-2]
    return _clean(stem), language


def _clean(name: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[^\w .-]", " ", name)).strip(" .-")[:128]


def text_of(suffix: str, data: bytes) -> str:
    """The words of a text document. Raises InvalidError for one that cannot be read or has none."""
    try:
        match suffix:
            case ".docx":
                with zipfile.ZipFile(io.BytesIO(data)) as packed:
                    if sum(one.file_size for one in packed.infolist()) > MAX_UNPACKED:
                        raise ValueError("it unpacks to more than is taken")
                words = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs)
            case ".pdf":
                pages = PdfReader(io.BytesIO(data)).pages[:MOST_FILES]
                words = "\n".join(page.extract_text() or "" for page in pages)
            case _:
                words = _decoded(data)
    except (PyPdfError, zipfile.BadZipFile, KeyError, ValueError, OSError, RecursionError) as error:
        raise _unreadable(text("文件已损坏或加密", "it is broken or has a password")) from error
    words = "\n".join(" ".join(line.split()) for line in words.splitlines()).strip()
    if not words:
        raise _unreadable(text("其中没有文字", "there is no text in it"))
    return words


def _unreadable(why: Text) -> InvalidError:
    return InvalidError(
        text(f"无法读取文档：{why.zh}", f"the document cannot be read: {why.en}"),
        field="file",
        remedy=text("请另存为 TXT 后再导入。", "Save it as TXT and import that."),
    )


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor GB 18030")


def _pieces(words: str, split: bool) -> list[str]:
    """The paragraphs of a text, or as few parts as its length allows, cut between paragraphs or sentences."""
    paragraphs = [line.strip() for line in words.splitlines() if line.strip()]
    small = [part for paragraph in paragraphs for part in _sentences(paragraph)]
    if split:
        return small
    parts = [""]
    for piece in small:
        if parts[-1] and len(parts[-1]) + len(piece) + 1 > MAX_TEXT:
            parts.append("")
        parts[-1] = f"{parts[-1]}\n{piece}" if parts[-1] else piece
    return parts


def _sentences(paragraph: str) -> list[str]:
    """The paragraph whole, or cut behind sentences when it is longer than a prompt may be."""
    if len(paragraph) <= MAX_TEXT:
        return [paragraph]
    parts = [""]
    for sentence in re.findall(r".+?(?:[。！？.!?]+|$)", paragraph):
        for start in range(0, len(sentence), MAX_TEXT):
            piece = sentence[start : start + MAX_TEXT]
            if len(parts[-1]) + len(piece) > MAX_TEXT:
                parts.append("")
            parts[-1] += piece
    return [part for part in parts if part.strip()]


# --------------------------------------------------------------------------- other names


async def rename(db: Database, actor: Actor, name: str, new_name: str) -> list[Prompt]:
    """Give a prompt another name in all languages. Drafts follow; a published version in use keeps the name it has."""
    new_name = new_name.strip()
    _check(new_name, "zh")
    used = await where_used(db, actor.business_id, "prompt", name)
    published = sorted({f"{use.flow_key}@{use.version}" for use in used if use.version is not None})
    if published:
        raise ConflictError(
            text(
                f"已发布的流程仍在使用：{'、'.join(published[:5])}",
                f"published flows use it: {', '.join(published[:5])}",
            ),
            field="name",
            remedy=text("请复制为新名称，改流程并发布。", "Store it under the new name, change the flows and publish."),
            details={"flows": published},
        )
    async with write(db) as session:
        rows = list(
            await session.exec(
                select(Prompt).where(Prompt.business_id == actor.business_id, Prompt.name == name).with_for_update()
            )
        )
        if not rows:
            raise not_found("语音", "prompt", name, "name")
        same = (Prompt.business_id == actor.business_id, Prompt.name == new_name)
        if new_name != name and await taken(session, Prompt.id, None, *same):
            raise ConflictError(
                text(f"语音“{new_name}”已存在", f"there is a prompt '{new_name}' already"),
                field="newName",
                remedy=text("请换一个名称。", "Choose another name."),
            )
        for row in rows:
            row.name, row.updated_at = new_name, utcnow()
            record(session, actor.business_id, "prompt.saved", row.id, name=new_name, language=row.language)
        await note(session, actor, "prompt.renamed", name, new_name=new_name)
    for key in sorted({use.flow_key for use in used}):
        flow = await get_flow(db, actor.business_id, key)
        changed = with_prompt_renamed(flow.draft, name, new_name)
        await save_draft(db, actor, key, changed, revision=flow.revision)
    async with read(db) as session:
        return list(
            await session.exec(select(Prompt).where(Prompt.business_id == actor.business_id, Prompt.name == new_name))
        )
