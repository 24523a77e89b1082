"""Second copies of recordings and messages: into another folder, or a store that speaks S3 (RE1).

A file that is saved gets a row for each target in the same transaction. A worker takes the waiting rows, copies, and
writes down what came of it; what fails is tried again later and later. A copy that was made before is recognised by its
name and size, so that a copy that runs again does no harm.
"""

import asyncio
import io
import logging
import re
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from sqlalchemy import func, insert, literal
from sqlalchemy import select as columns_of
from sqlmodel import col, delete, select

from backend.audit.service import changed, note
from backend.database import AsyncSession, Database, locked, read, taken, utcnow, write
from backend.errors import ConflictError, Faults, InvalidError, not_found
from backend.identity.permissions import Actor
from backend.recordings.files import inside
from backend.recordings.models import CopyTarget, FileCopy, Recording
from backend.security import SealError, SecretBox
from backend.voicemails.models import Voicemail
from nodes.sdk.text import text

log = logging.getLogger(__name__)

MAX_TRIES = 20
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
AT_ONCE = 4
BATCH = 50


class CopyError(Exception):
    """A copy was not made."""


class Store(Protocol):
    """Where copies are kept. Calls block; they run in threads."""

    def put(self, source: Path, name: str) -> int:
        """Copy a file, unless it is there whole; returns its size."""
        ...

    def size(self, name: str) -> int | None:
        """How large a copy is, or None when there is none."""
        ...

    def remove(self, name: str) -> None:
        """Delete a copy; none is no error."""
        ...


class FolderStore:
    """Another folder, mostly another disk or a share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: Path, name: str) -> int:
        target = inside(self._folder, name)
        size = source.stat().st_size
        if target.exists() and target.stat().st_size == size:
            return size
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, draft)
        if draft.stat().st_size != size:
            raise CopyError("the copy is not as long as the file")
        draft.replace(target)
        return size

    def size(self, name: str) -> int | None:
        target = inside(self._folder, name)
        return target.stat().st_size if target.exists() else None

    def remove(self, name: str) -> None:
        inside(self._folder, name).unlink(missing_ok=True)


class S3Store:
    """A bucket of any store that speaks S3."""

    def __init__(
        self,
        *,
        endpoint: str,
        secure: bool,
        region: str,
        bucket: str,
        prefix: str,
        access_key: str,
        secret_key: str,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._client = Minio(
            endpoint,
            access_key=access_key or None,
            secret_key=secret_key or None,
            secure=secure,
            region=region or None,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=5, read=60), retries=urllib3.Retry(total=1, backoff_factor=0.2)
            ),
        )

    def _name(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def put(self, source: Path, name: str) -> int:
        size = source.stat().st_size
        if self.size(name) == size:
            return size
        self._client.fput_object(self._bucket, self._name(name), str(source))
        return size

    def size(self, name: str) -> int | None:
        try:
            return self._client.stat_object(self._bucket, self._name(name)).size
        except S3Error as problem:
            if problem.code in ("NoSuchKey", "NoSuchObject"):
                return None
            raise

    def remove(self, name: str) -> None:
        self._client.remove_object(self._bucket, self._name(name))

    def probe(self) -> None:
        """Write, read and delete a small object."""
        name = self._name(".callweave-probe")
        self._client.put_object(self._bucket, name, io.BytesIO(b"callweave"), 9)
        self._client.stat_object(self._bucket, name)
        self._client.remove_object(self._bucket, name)


_FAILURES = (CopyError, OSError, MinioException, urllib3.exceptions.HTTPError, ValueError, SealError)


def store_of(target: CopyTarget, box: SecretBox) -> Store:
    """The store behind a target."""
    if target.kind == "folder":
        return FolderStore(Path(target.folder))
    return S3Store(
        endpoint=target.endpoint,
        secure=target.secure,
        region=target.region,
        bucket=target.bucket,
        prefix=target.prefix,
        access_key=target.access_key,
        secret_key=box.reveal(target.secret_key) if target.secret_key else "",
    )


# --------------------------------------------------------------------------- targets


async def list_targets(db: Database, business_id: str) -> list[CopyTarget]:
    """Targets by name."""
    async with read(db) as session:
        found = select(CopyTarget).where(CopyTarget.business_id == business_id).order_by(col(CopyTarget.name))
        return list(await session.exec(found))


async def save_target(
    db: Database,
    box: SecretBox,
    actor: Actor,
    *,
    id: str | None = None,
    name: str,
    kind: str,
    folder: str = "",
    endpoint: str = "",
    secure: bool = True,
    region: str = "",
    bucket: str = "",
    prefix: str = "",
    access_key: str = "",
    secret_key: str | None = None,
    enabled: bool = True,
) -> CopyTarget:
    """Create or change a target; files that exist are copied too. Leave the secret key out to keep it."""
    faults = Faults()
    name = name.strip()
    _need(faults, 0 < len(name) <= 64, "name", "请填写名称", "Give it a name.")
    _need(faults, kind in ("folder", "s3"), "kind", "folder 或 s3", "folder or s3.")
    if kind == "folder":
        _need(faults, Path(folder).is_absolute(), "folder", "请填写绝对路径", "Write an absolute path.")
    else:
        good = re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?", endpoint)
        _need(faults, bool(good), "endpoint", "主机名，可加端口", "A host name, with a port if need be.")
        _need(
            faults,
            bool(re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,62}", bucket)),
            "bucket",
            "存储桶名称不正确",
            "A bucket's name.",
        )
    async with write(db) as session:
        row = await locked(session, CopyTarget, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("备份目标", "copy target", id)
        if await taken(
            session, CopyTarget.id, id, CopyTarget.business_id == actor.business_id, CopyTarget.name == name
        ):
            faults.add(
                ConflictError(
                    text(f"“{name}”已存在", f"'{name}' exists already"),
                    field="name",
                    remedy=text("请换一个名称。", "Choose another name."),
                )
            )
        faults.tell()
        if row is None:
            row = CopyTarget(business_id=actor.business_id, name=name, kind=kind)
            session.add(row)
        row.name, row.kind, row.folder, row.endpoint, row.secure = name, kind, folder, endpoint, secure
        row.region, row.bucket, row.prefix, row.access_key, row.enabled = region, bucket, prefix, access_key, enabled
        if secret_key is not None:
            row.secret_key = box.seal(secret_key) if secret_key else ""
        said = changed(
            row, "name", "kind", "folder", "endpoint", "secure", "region", "bucket", "prefix", "enabled"
        )  # fmt: skip
        await session.flush()
        if enabled:
            await _all_files(session, row)
        await note(session, actor, "copy_target.saved", row.name, **said, password_set=secret_key is not None or None)
        return row


async def _all_files(session: AsyncSession, target: CopyTarget) -> None:
    """A waiting row for each file that has none."""
    for table in (Recording, Voicemail):
        known = select(FileCopy.path).where(FileCopy.target_id == target.id)
        missing = columns_of(
            literal(target.id), col(table.path), literal(target.business_id), literal("waiting"), literal(0),
            literal(utcnow(), FileCopy.__table__.c.next_at.type), literal(""), literal(0),  # type: ignore[attr-defined]
        ).where(col(table.business_id) == target.business_id, col(table.path).not_in(known))  # fmt: skip
        columns = ["target_id", "path", "business_id", "state", "tries", "next_at", "error", "bytes"]
        await session.exec(insert(FileCopy).from_select(columns, missing))


async def delete_target(db: Database, actor: Actor, id: str) -> None:
    """Forget a target. The copies that are there stay."""
    async with write(db) as session:
        row = await locked(session, CopyTarget, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("备份目标", "copy target", id)
        await session.exec(delete(FileCopy).where(col(FileCopy.target_id) == id))
        await session.delete(row)
        await note(session, actor, "copy_target.deleted", row.name)


async def probe_target(db: Database, box: SecretBox, actor: Actor, id: str) -> None:
    """Try a target out. Raises ConflictError ``copy_failed`` with what went wrong."""
    async with read(db) as session:
        row = await session.get(CopyTarget, id)
    if row is None or row.business_id != actor.business_id:
        raise not_found("备份目标", "copy target", id)

    def work() -> None:
        store = store_of(row, box)
        if isinstance(store, S3Store):
            store.probe()
        else:
            probe = Path(row.folder) / ".callweave-probe"
            probe.parent.mkdir(parents=True, exist_ok=True)
            probe.write_text("callweave")
            probe.unlink()

    try:
        await asyncio.to_thread(work)
    except _FAILURES as problem:
        raise ConflictError(
            text(f"无法写入：{problem}", f"nothing can be written there: {problem}"),
            code="copy_failed",
            remedy=text("请检查地址、密钥和权限。", "Check the address, the keys and the rights."),
        ) from problem


async def counts(db: Database, business_id: str) -> dict[tuple[str, str], int]:
    """How many files are in which state, by target and state."""
    async with read(db) as session:
        found = await session.exec(
            select(FileCopy.target_id, FileCopy.state, func.count())
            .where(FileCopy.business_id == business_id)
            .group_by(FileCopy.target_id, FileCopy.state)
        )
        return {(target, state): count for target, state, count in found}


def _need(faults: Faults, holds: bool, name: str, zh: str, en: str) -> None:
    if not holds:
        faults.add(
            InvalidError(
                text("备份目标不正确", "the target cannot be like this"), field=name, remedy=text(f"{zh}。", en)
            )
        )


# --------------------------------------------------------------------------- copying


async def file_saved(session: AsyncSession, business_id: str, path: str) -> None:
    """A file is new or was replaced: it waits for its copies, in the transaction of its row."""
    targets = select(CopyTarget.id).where(CopyTarget.business_id == business_id, col(CopyTarget.enabled))
    for target_id in await session.exec(targets):
        known = await session.get(FileCopy, (target_id, path))
        if known is None:
            session.add(FileCopy(target_id=target_id, path=path, business_id=business_id))
        else:
            known.state, known.tries, known.next_at = "waiting", 0, utcnow()


async def copy_waiting(db: Database, folder: Path, box: SecretBox, now: datetime | None = None) -> tuple[int, int]:
    """Copy what waits, one batch; returns how many were copied and how many failed."""
    now = now or utcnow()
    async with read(db) as session:
        targets = {row.id: row for row in await session.exec(select(CopyTarget).where(col(CopyTarget.enabled)))}
        waiting: list[FileCopy] = []
        for target_id in targets:
            found = select(FileCopy).where(
                FileCopy.target_id == target_id, FileCopy.state == "waiting", FileCopy.next_at <= now
            )
            waiting += await session.exec(found.order_by(col(FileCopy.next_at)).limit(BATCH))
    gate = asyncio.Semaphore(AT_ONCE)
    stores: dict[str, Store] = {}

    async def one(row: FileCopy) -> tuple[FileCopy, int, str]:
        async with gate:
            try:
                store = stores.get(row.target_id)
                if store is None:
                    store = stores[row.target_id] = store_of(targets[row.target_id], box)
                source = inside(folder, row.path)
                if not await asyncio.to_thread(source.exists):
                    return row, 0, "gone"
                return row, await asyncio.to_thread(store.put, source, row.path), ""
            except _FAILURES as problem:
                return row, 0, f"{type(problem).__name__}: {problem}"[:1000]

    results = await asyncio.gather(*(one(row) for row in waiting))
    if results:
        await _write_down(db, results, now)
    done = sum(1 for _, _, error in results if not error)
    return done, sum(1 for _, _, error in results if error and error != "gone")


async def _write_down(db: Database, results: Sequence[tuple[FileCopy, int, str]], now: datetime) -> None:
    async with write(db) as session:
        for old, size, error in results:
            row = await locked(session, FileCopy, (old.target_id, old.path))
            if row is None:
                continue
            if error == "gone":
                await session.delete(row)
                continue
            row.tries += 1
            row.error, row.at = error, now
            if error:
                pause = min(FIRST_PAUSE * 2 ** (row.tries - 1), LONGEST_PAUSE)
                row.state = "failed" if row.tries >= MAX_TRIES else "waiting"
                row.next_at = now + pause
            else:
                row.state, row.bytes = "done", size
            target = await locked(session, CopyTarget, row.target_id)
            if target is not None:
                target.error = error
                target.copied_at = target.copied_at if error else now
    for old, _, error in results:
        if error and error != "gone":
            log.warning("the copy of %s is not made yet: %s", old.path, error)


async def remove_copies(db: Database, box: SecretBox, path: str) -> None:
    """Delete the copies of a file that was deleted by right or by rule. A store that is away keeps its copy."""
    async with read(db) as session:
        found = await session.exec(
            select(FileCopy, CopyTarget)
            .join(CopyTarget, col(CopyTarget.id) == FileCopy.target_id)
            .where(FileCopy.path == path)
        )
        known: list[Any] = list(found)
    for copy, target in known:
        try:
            if copy.state == "done":
                store = store_of(target, box)
                await asyncio.to_thread(store.remove, path)
        except _FAILURES as problem:
            log.warning("the copy of %s at %s is not deleted: %s", path, target.name, problem)
    if known:
        async with write(db) as session:
            await session.exec(delete(FileCopy).where(col(FileCopy.path) == path))


__all__ = [
    "CopyError",
    "FolderStore",
    "S3Store",
    "copy_waiting",
    "counts",
    "delete_target",
    "file_saved",
    "list_targets",
    "probe_target",
    "remove_copies",
    "save_target",
]
