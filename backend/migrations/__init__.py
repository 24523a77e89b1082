"""Bringing a database to the schema of this version, at every start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from backend.database import Database

FOLDER = Path(__file__).parent
_LOCK = 0x63616C6C77656176


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


async def upgrade(target: Database | str, revision: str = "head") -> None:
    """Apply what is missing, in one transaction. Processes that start together take turns."""
    db = target if isinstance(target, Database) else Database(target)

    def run(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), revision)

    try:
        async with db.writers.begin() as connection:
            await connection.run_sync(run)
    finally:
        if db is not target:
            await db.close()


async def current_revision(db: Database) -> str | None:
    """The revision a database stands at."""
    from alembic.runtime.migration import MigrationContext

    async with db.engine.connect() as connection:
        return await connection.run_sync(lambda inner: MigrationContext.configure(inner).get_current_revision())


def head_revision() -> str | None:
    """The revision of this version of the product."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()
