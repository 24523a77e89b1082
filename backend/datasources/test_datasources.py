"""Named queries: what may be asked, and what they bring, over a real SQLite file."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from backend.datasources import service
from backend.datasources.service import QueryError
from backend.datasources.sql import check_sql
from backend.errors import ConflictError, InvalidError
from backend.identity.permissions import Actor
from backend.state import AppState
from backend.testing import ApiClient

SELECT = "SELECT balance, points FROM accounts WHERE card = :card"


@pytest.fixture
async def shop(state: AppState, actor: Actor, tmp_path: Path) -> Path:
    """A business database, known as the source ``shop``."""
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE accounts (card TEXT, balance NUMERIC, points INT)")
        db.executemany("INSERT INTO accounts VALUES (?, ?, ?)", [("1", 12.5, 3), ("2", 0, 0)])
    db.close()
    await service.save_source(state.db, state.secrets, actor, name="shop", url=f"sqlite:///{file}")
    return file


@pytest.mark.parametrize(
    "sql",
    [
        SELECT,
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1 LIMIT 5",
        "SELECT upper(name), count(*) FROM t WHERE name LIKE :start || '%' GROUP BY 1",
    ],
)
def test_selects_are_taken(sql: str) -> None:
    for dialect in ("sqlite", "postgres"):
        assert check_sql(sql, dialect) == [name for name in ("card", "start") if f":{name}" in sql]


@pytest.mark.parametrize(
    "sql",
    [
        "", "SELECT", "DELETE FROM t", "UPDATE t SET a = 1", "INSERT INTO t VALUES (1)", "DROP TABLE t",
        "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t", "SELECT * INTO x FROM t", "SELECT * FROM t FOR UPDATE",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "PRAGMA query_only = OFF", "ATTACH 'x' AS y",
        "SELECT load_extension('x')", "SELECT pg_sleep(100)", "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM dblink('x', 'y') AS t(a int)", "SELECT set_config('a', 'b', false)", "SELECT nextval('s')",
        "SELECT * FROM sqlite_master", "SELECT * FROM pg_catalog.pg_shadow", "SELECT * FROM information_schema.tables",
        "COPY t TO '/tmp/x'", "EXPLAIN SELECT 1", "VACUUM", "BEGIN", "SET a = 1", "CALL p()",
        "SELECT writefile('/tmp/x', 'y')", "TRUNCATE t", "GRANT ALL ON t TO u",
    ],
)  # fmt: skip
def test_everything_else_is_refused(sql: str) -> None:
    for dialect in ("sqlite", "postgres"):
        with pytest.raises(InvalidError) as refused:
            check_sql(sql, dialect)
        assert refused.value.code == "bad_query"


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT a FROM t WHERE b = ?", "sqlite"),
        ("SELECT a FROM t WHERE b = ?", "postgres"),
        ("SELECT a FROM t WHERE b = $1", "postgres"),
    ],
)
def test_values_are_bound_by_name(sql: str, dialect: str) -> None:
    with pytest.raises(InvalidError, match=":name"):
        check_sql(sql, dialect)


async def test_a_query_brings_rows_for_bound_values(state: AppState, actor: Actor, shop: Path) -> None:
    await service.save_query(state.db, state.secrets, actor, name="balance", source="shop", sql=SELECT)

    async def ask(card: object) -> list[dict[str, object]]:
        return await state.queries.run("main", "balance", {"card": card}, limit=5)

    assert await ask("1") == [{"balance": 12.5, "points": 3}]
    assert await ask("' OR 1=1 --") == []
    for name, parameters, code in (
        ("none", {"card": "1"}, "unknown_query"),
        ("balance", {}, "bad_parameters"),
        ("balance", {"card": "1", "more": 2}, "bad_parameters"),
        ("balance", {"card": ["1"]}, "bad_parameters"),
    ):
        with pytest.raises(QueryError) as refused:
            await state.queries.run("main", name, parameters, limit=5)
        assert refused.value.code == code
    with pytest.raises(QueryError):
        await state.queries.run("other", "balance", {"card": "1"}, limit=5)


async def test_a_source_is_opened_for_reading_only(state: AppState, actor: Actor, shop: Path) -> None:
    """Even SQL that came past the judge changes nothing."""
    from sqlalchemy import text
    from sqlalchemy.exc import OperationalError

    engine = state.queries._engine(f"sqlite+aiosqlite:///{shop}")
    async with engine.connect() as connection:
        with pytest.raises(OperationalError, match="readonly"):
            await connection.execute(text("INSERT INTO accounts VALUES ('9', 1, 1)"))


async def test_a_query_that_takes_too_long_is_cut(state: AppState, actor: Actor, shop: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    await service.save_query(state.db, state.secrets, actor, name="slow", source="shop", sql=endless, timeout=0.3)
    began = time.perf_counter()
    with pytest.raises(QueryError) as refused:
        await state.queries.run("main", "slow", {}, limit=1)
    assert refused.value.code == "query_failed" and time.perf_counter() - began < 60
    await asyncio.sleep(0)


async def test_limits_hold(state: AppState, actor: Actor, shop: Path) -> None:
    sql = "SELECT card FROM accounts ORDER BY card"
    await service.save_query(state.db, state.secrets, actor, name="all", source="shop", sql=sql)
    assert await state.queries.run("main", "all", {}, limit=1) == [{"card": "1"}]


async def test_the_products_own_database_is_no_source(state: AppState, actor: Actor) -> None:
    own = state.db.url.render_as_string(hide_password=False).replace("+aiosqlite", "").replace("+asyncpg", "")
    for url in (own, "sqlite:///relative.db", "mysql://x/y", "rubbish"):
        with pytest.raises(InvalidError) as refused:
            await service.save_source(state.db, state.secrets, actor, name="x", url=url)
        assert refused.value.field == "url"


async def test_a_source_in_use_stays(state: AppState, actor: Actor, shop: Path) -> None:
    await service.save_query(state.db, state.secrets, actor, name="q", source="shop", sql=SELECT)
    (source,) = await service.list_sources(state.db, "main")
    with pytest.raises(ConflictError):
        await service.delete_source(state.db, actor, source.id)


async def test_a_failing_query_tells_no_addresses(state: AppState, client: ApiClient, actor: Actor, shop: Path) -> None:
    sql = "SELECT a FROM missing_table"
    await service.save_query(state.db, state.secrets, actor, name="bad", source="shop", sql=sql)
    refused = await client.refusal('{ tryQuery(name: "bad", parameters: {}) }')
    assert refused["code"] == "query_failed" and "missing_table" not in str(refused) and str(shop) not in str(refused)
