"""Taking audio files over into the recording folder, and finding them again without leaving it."""

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backend.errors import NotFoundError
from nodes.sdk.text import text


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is safely in the folder: its path relative to it, and its size."""

    path: str
    bytes: int


def id_of(business_id: str, kind: str, key: str) -> str:
    """An id that the same key always gets, so that a save that runs again finds its own file."""
    return hashlib.sha256(f"{business_id}\0{kind}\0{key}".encode()).hexdigest()[:32]


def place_for(kind: str, business_id: str, id: str, at: datetime, suffix: str) -> str:
    """Where a file goes: ``<kind>/<business>/<year>/<month>/<day>/<id>.wav``."""
    return f"{kind}/{business_id}/{at:%Y/%m/%d}/{id}{suffix}"


async def take_over(folder: Path, source: Path, path: str) -> Kept:
    """Move `source` to `path`. When it was moved before and is gone, the file that is there counts."""

    def move() -> Kept:
        target = inside(folder, path)
        if source.exists() and source.resolve() != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another file system is no obstacle, and a reader never sees half a file.
            draft = target.with_name(f".{target.name}.part")
            shutil.move(source, draft)
            draft.replace(target)
        if not target.exists():
            raise FileNotFoundError(f"there is no recording at {source}")
        return Kept(path, target.stat().st_size)

    return await asyncio.to_thread(move)


def inside(folder: Path, path: str) -> Path:
    """The absolute path of a stored file. A path that leaves the folder is refused."""
    root = folder.resolve()
    target = (root / path).resolve()
    if not target.is_relative_to(root):
        raise NotFoundError(
            text("文件不在录音目录中", "the file is outside the recording folder"),
            field="path",
            remedy=text("请检查设置 recording_folder。", "Check the setting recording_folder."),
        )
    return target
