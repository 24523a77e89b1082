"""SQL sources, named read-only queries over them, and credentials for outgoing HTTP."""

import asyncio
import datetime as dt
import decimal
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy import text as sql_text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.database import Database, locked, read, taken, utcnow, write
from backend.datasources.models import DataSource, HttpCredential, NamedQuery
from backend.datasources.sql import check_sql
from backend.errors import ConflictError, DomainError, Faults, InvalidError, exists, not_found
from backend.identity.permissions import Actor
from nodes.sdk.services import Credential, Secrets
from nodes.sdk.text import text

log = logging.getLogger(__name__)

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
DIALECTS = {"sqlite": "sqlite", "postgresql": "postgres"}
MAX_ROWS = 1000


class QueryError(DomainError):
    """A query could not be run: ``unknown_query``, ``bad_parameters``, ``query_failed``."""


# --------------------------------------------------------------------------- sources


def _source_url(url: str, own: URL) -> URL:
    def refuse(zh: str, en: str, zh_remedy: str, en_remedy: str) -> InvalidError:
        return InvalidError(text(zh, en), field="url", remedy=text(zh_remedy, en_remedy))

    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        backend, parsed = "", own
    if backend not in DRIVERS:
        raise refuse(
            "数据源地址不可用", "this source cannot be used",
            "请使用 postgresql://用户:密码@主机/库 或 sqlite:////绝对路径.db。",
            "Write postgresql://user:password@host/database or sqlite:////absolute/path.db.",
        )  # fmt: skip
    parsed = parsed.set(drivername=DRIVERS[backend])
    if backend == "sqlite":
        path = parsed.database or ""
        if not Path(path).is_absolute() or parsed.query:
            raise refuse(
                "SQLite 数据源需要绝对路径", "a SQLite source needs an absolute path and no options",
                "例如 sqlite:////srv/data/shop.db。", "Such as sqlite:////srv/data/shop.db.",
            )  # fmt: skip
        same = (
            own.get_backend_name() == "sqlite" and own.database and Path(own.database).resolve() == Path(path).resolve()
        )
    else:
        same = own.get_backend_name() == "postgresql" and (own.host, own.port or 5432, own.database) == (
            parsed.host,
            parsed.port or 5432,
            parsed.database,
        )
    if same:
        raise refuse(
            "不能把本系统数据库作为数据源", "the product's own database is no source",
            "它含有其他企业的数据；请使用业务数据库。", "It holds other businesses' data; use a business database.",
        )  # fmt: skip
    return parsed


async def save_source(
    db: Database, secrets: Secrets, actor: Actor, *, id: str | None = None, name: str, url: str | None = None
) -> DataSource:
    """Create or change a source. `url` None leaves it as it is; it is sealed before it is stored."""
    faults = Faults()
    with faults.gathered():
        _check_name(name)
    parsed = None
    if url is not None:
        with faults.gathered():
            parsed = _source_url(url, db.url)
    async with write(db) as session:
        row = await locked(session, DataSource, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("数据源", "source", id)
        if row is None and url is None:
            faults.add(
                InvalidError(
                    text("缺少地址", "a source needs a URL"), field="url", remedy=text("请填写。", "Give its URL.")
                )
            )
        if await taken(
            session, DataSource.id, id, DataSource.business_id == actor.business_id, DataSource.name == name
        ):
            faults.add(exists("数据源", "source", name))
        faults.tell()
        if row is None:
            row = DataSource(business_id=actor.business_id, name=name, url="")
            session.add(row)
        row.name = name
        if parsed is not None:
            row.url = secrets.seal(parsed.render_as_string(hide_password=False))
        said = changed(row, "name")
        await session.flush()
        await note(session, actor, "source.saved", name, **said, url_set=parsed is not None or None)
        return row


async def delete_source(db: Database, actor: Actor, id: str) -> None:
    """Remove a source that no query uses."""
    async with write(db) as session:
        row = await locked(session, DataSource, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("数据源", "source", id)
        used = (await session.exec(select(NamedQuery.name).where(NamedQuery.source_id == id))).all()
        if used:
            raise ConflictError(
                text(
                    f"仍有查询使用该数据库：{'、'.join(used[:5])}", f"queries use this database: {', '.join(used[:5])}"
                ),
                field="id",
                remedy=text("请先删除这些查询。", "Delete these queries first."),
            )
        await session.delete(row)
        await note(session, actor, "source.deleted", row.name)


async def list_sources(db: Database, business_id: str) -> list[DataSource]:
    """Sources of a business. URLs stay sealed."""
    async with read(db) as session:
        found = select(DataSource).where(DataSource.business_id == business_id).order_by(col(DataSource.name))
        return list(await session.exec(found))


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[\w][\w .-]{0,127}", name):
        raise InvalidError(
            text("名称不可用", "this name cannot be used"),
            field="name",
            remedy=text("请使用文字、数字、空格、点、下划线和 -。", "Use letters, figures, spaces, dots, _ and -."),
        )


# --------------------------------------------------------------------------- named queries


async def save_query(
    db: Database,
    secrets: Secrets,
    actor: Actor,
    *,
    id: str | None = None,
    name: str,
    source: str,
    sql: str,
    timeout: float = 5.0,
    description: str = "",
) -> NamedQuery:
    """Create or change a query over the source named `source`. Its parameters are read from the SQL."""
    faults = Faults()
    with faults.gathered():
        _check_name(name)
    if not 0.1 <= timeout <= 30:
        faults.add(
            InvalidError(
                text("超时应为 0.1 到 30 秒", "a query may take 0.1 to 30 seconds"),
                field="timeout",
                remedy=text("请修改。", "Choose a time in this range."),
            )
        )
    async with write(db) as session:
        origin = (
            await session.exec(
                select(DataSource).where(DataSource.business_id == actor.business_id, DataSource.name == source)
            )
        ).first()
        parameters: list[str] = []
        with faults.gathered():
            if origin is None:
                raise not_found("数据源", "source", source, "source")
            backend = make_url(secrets.reveal(origin.url)).get_backend_name()
            parameters = check_sql(sql, DIALECTS[backend])
        row = await locked(session, NamedQuery, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("查询", "query", id)
        if await taken(
            session, NamedQuery.id, id, NamedQuery.business_id == actor.business_id, NamedQuery.name == name
        ):
            faults.add(exists("查询", "query", name))
        faults.tell()
        assert origin is not None
        led = await session.get(DataSource, row.source_id) if row is not None else None
        if row is None:
            row = NamedQuery(business_id=actor.business_id, source_id=origin.id, name=name, sql=sql)
            session.add(row)
        row.source_id, row.name, row.sql, row.parameters = origin.id, name, sql, parameters
        row.timeout, row.description, row.updated_at = timeout, description[:500], utcnow()
        said = changed(row, "name", "sql", "timeout", "description")
        if led is None or led.id != origin.id:
            said["source"] = source
            if led is not None:
                said.setdefault("was", {})["source"] = led.name
        await session.flush()
        await note(session, actor, "query.saved", name, **said)
        return row


async def delete_query(db: Database, actor: Actor, id: str) -> None:
    """Remove a query."""
    async with write(db) as session:
        row = await locked(session, NamedQuery, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("查询", "query", id)
        await session.delete(row)
        await note(session, actor, "query.deleted", row.name)


async def list_queries(db: Database, business_id: str) -> list[NamedQuery]:
    """Queries of a business, by name."""
    async with read(db) as session:
        found = select(NamedQuery).where(NamedQuery.business_id == business_id).order_by(col(NamedQuery.name))
        return list(await session.exec(found))


class QueryRunner:
    """Runs named queries. One per process: it keeps connections to the sources."""

    def __init__(self, db: Database, secrets: Secrets) -> None:
        self._db = db
        self._secrets = secrets
        self._engines: dict[str, AsyncEngine] = {}

    async def close(self) -> None:
        """Close every connection."""
        engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            await engine.dispose()

    async def run(
        self, business_id: str, name: str, parameters: Mapping[str, Any], *, limit: int
    ) -> list[dict[str, Any]]:
        """Rows as dictionaries of JSON values. Raises QueryError."""
        async with read(self._db) as session:
            found = await session.exec(
                select(NamedQuery).where(NamedQuery.business_id == business_id, NamedQuery.name == name)
            )
            query = found.first()
            source = await session.get(DataSource, query.source_id) if query is not None else None
        if query is None or source is None:
            raise QueryError(
                text(f"没有查询“{name}”", f"there is no query '{name}'"),
                field="query",
                code="unknown_query",
                remedy=text("请先创建该查询。", "Create the query first."),
            )
        if set(parameters) != set(query.parameters):
            wanted = ", ".join(query.parameters) or "–"
            raise QueryError(
                text(f"查询“{name}”的参数应为：{wanted}", f"the query '{name}' takes the parameters: {wanted}"),
                field="parameters",
                code="bad_parameters",
                remedy=text("请给出全部参数，且不多不少。", "Give each of them, and no other."),
            )
        for key, value in parameters.items():
            if not isinstance(value, str | int | float | bool | None):
                raise QueryError(
                    text(f"参数 {key} 必须是单个值", f"the parameter {key} must be a single value"),
                    field=f"parameters.{key}",
                    code="bad_parameters",
                    remedy=text("请使用文本、数字或真假值。", "Use a text, a number or a truth value."),
                )
        engine = self._engine(self._secrets.reveal(source.url))
        try:
            async with asyncio.timeout(query.timeout + 1):
                return await _select(engine, query.sql, parameters, min(limit, MAX_ROWS), query.timeout)
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            # The driver's words may quote data or the address: they go to the log of the operator only.
            log.warning("query %s failed: %s", name, _short(error))
            slow = isinstance(error, TimeoutError)
            raise QueryError(
                text(
                    f"查询“{name}”{'超时' if slow else '失败'}",
                    f"the query '{name}' {'took too long' if slow else 'failed'}",
                ),
                field="query",
                code="query_failed",
                remedy=text("请检查数据源和 SQL。", "Check the source and the SQL; the log has the reason."),
            ) from error

    def _engine(self, url: str) -> AsyncEngine:
        engine = self._engines.get(url)
        if engine is None:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite":
                # A read-only handle cannot create, change or lock the file, whatever the SQL says.
                location = f"file:{parsed.database}?mode=ro&uri=true"
                engine = create_async_engine(f"sqlite+aiosqlite:///{location}", poolclass=NullPool)
                event.listen(engine.sync_engine, "connect", _read_only)
            else:
                engine = create_async_engine(
                    parsed,
                    pool_size=5,
                    max_overflow=5,
                    pool_pre_ping=True,
                    connect_args={"timeout": 5, "server_settings": {"default_transaction_read_only": "on"}},
                )
            self._engines[url] = engine
        return engine


def _read_only(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _short(error: BaseException) -> str:
    return str(error.orig)[:300] if isinstance(error, DBAPIError) else type(error).__name__


async def _select(
    engine: AsyncEngine, sql: str, parameters: Mapping[str, Any], limit: int, timeout: float
) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(sql_text("SET TRANSACTION READ ONLY"))
            await connection.execute(sql_text(f"SET LOCAL statement_timeout = {int(timeout * 1000)}"))
            return await _rows(connection, sql, parameters, limit)
        raw = await connection.get_raw_connection()
        work = asyncio.ensure_future(_rows(connection, sql, parameters, limit))
        done, _ = await asyncio.wait([work], timeout=timeout)
        if not done:
            # SQLite works in a thread that no cancellation reaches: interrupt it, then wait for it to give up.
            driver: Any = raw.driver_connection
            await driver.interrupt()
            await asyncio.wait([work])
            raise TimeoutError
        return work.result()


async def _rows(
    connection: AsyncConnection, sql: str, parameters: Mapping[str, Any], limit: int
) -> list[dict[str, Any]]:
    result = await connection.execute(sql_text(sql), dict(parameters))
    return [{key: _plain(value) for key, value in row.items()} for row in result.mappings().fetchmany(limit)]


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case decimal.Decimal():
            return float(value)
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case bytes():
            return value.hex()
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case _:
            return str(value)


# --------------------------------------------------------------------------- HTTP credentials

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class HostCredential:
    """A credential and the hosts it may be sent to."""

    credential: Credential
    hosts: frozenset[str]


async def save_credential(
    db: Database,
    secrets: Secrets,
    actor: Actor,
    *,
    id: str | None = None,
    name: str,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    hosts: Sequence[str] = (),
) -> HttpCredential:
    """Create or change a credential. None for `headers` or `query` leaves them; every value is sealed."""
    faults = Faults()
    with faults.gathered():
        _check_name(name)
    for place, values in (("headers", headers), ("query", query)):
        for key, value in (values or {}).items():
            if not _HEADER.fullmatch(key.replace("_", "-")) or not value or "\n" in value or "\r" in value:
                faults.add(
                    InvalidError(
                        text(f"“{key}”不可用", f"'{key}' cannot be used"),
                        field=f"{place}.{key}",
                        remedy=text("请检查名称和值。", "A name has letters, figures and -; a value is one line."),
                    )
                )
    wanted = [host.strip().lower() for host in hosts]
    if not wanted or not all(re.fullmatch(r"[a-z0-9.\-:\[\]]+", host) for host in wanted):
        faults.add(
            InvalidError(
                text("请列出允许的主机", "name the hosts that may see this credential"),
                field="hosts",
                remedy=text("例如 api.example.com。", "Such as api.example.com."),
            )
        )
    async with write(db) as session:
        row = await locked(session, HttpCredential, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("凭据", "credential", id)
        named = (HttpCredential.business_id == actor.business_id, HttpCredential.name == name)
        if await taken(session, HttpCredential.id, id, *named):
            faults.add(exists("凭据", "credential", name))
        faults.tell()
        if row is None:
            row = HttpCredential(business_id=actor.business_id, name=name)
            session.add(row)
        row.name, row.hosts, row.updated_at = name, wanted, utcnow()
        if headers is not None:
            row.headers = {key: secrets.seal(value) for key, value in headers.items()}
        if query is not None:
            row.query = {key: secrets.seal(value) for key, value in query.items()}
        said = changed(row, "name", "hosts")
        await session.flush()
        await note(session, actor, "credential.saved", name, **said)
        return row


async def delete_credential(db: Database, actor: Actor, id: str) -> None:
    """Remove a credential."""
    async with write(db) as session:
        row = await locked(session, HttpCredential, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("凭据", "credential", id)
        await session.delete(row)
        await note(session, actor, "credential.deleted", row.name)


async def list_credentials(db: Database, business_id: str) -> list[HttpCredential]:
    """Credentials of a business. Values stay sealed."""
    async with read(db) as session:
        found = select(HttpCredential).where(HttpCredential.business_id == business_id)
        return list(await session.exec(found.order_by(col(HttpCredential.name))))


async def resolve_credential(db: Database, secrets: Secrets, business_id: str, name: str) -> HostCredential:
    """A credential with its values revealed. Raises NotFoundError."""
    async with read(db) as session:
        found = await session.exec(
            select(HttpCredential).where(HttpCredential.business_id == business_id, HttpCredential.name == name)
        )
        row = found.first()
    if row is None:
        raise not_found("凭据", "credential", name, "credential")
    return HostCredential(
        Credential(
            headers={key: secrets.reveal(value) for key, value in row.headers.items()},
            query={key: secrets.reveal(value) for key, value in row.query.items()},
        ),
        frozenset(row.hosts),
    )
