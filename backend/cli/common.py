"""What the commands share: output as a table or JSON, the database, documents from files."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from backend.database import Database
from backend.identity.models import Business
from backend.identity.permissions import Actor, system_actor
from backend.identity.service import first_business
from backend.runtime.errors import ProductError
from backend.security import SecretBox
from backend.settings import Settings, settings

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 220)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script")]


@dataclass(frozen=True, slots=True)
class House:
    """The installation's data, opened directly."""

    settings: Settings
    db: Database
    box: SecretBox
    business: Business

    @property
    def actor(self) -> Actor:
        return system_actor(self.business.id, "command line")


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Open the database of this home. It is safe beside a running product: both take short transactions."""
    config = settings()
    async with Database(config.database) as db:
        if db.sqlite and not await asyncio.to_thread(Path(db.url.database or "").exists):
            raise ProductError(f"there is no installation in {config.home}", "Start it first with 'callweave up'")
        yield House(config, db, SecretBox.at(config.home), await first_business(db))


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end."""

    async def main() -> T:
        return await work()

    return asyncio.run(main())


def show_json(value: Any) -> None:
    """Print JSON with readable letters."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: Any) -> Any:
    """JSON values of what rows hold."""
    match value:
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case str() | int() | float() | bool() | None:
            return value
        case Sequence():
            return [plain(each) for each in value]
        case _ if hasattr(value, "model_dump"):
            return value.model_dump(mode="json")
        case _:
            return str(value)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str) -> None:
    """Print a plain table, or a word when it has no rows."""
    if not rows:
        out.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(("" if value is None else when(value)) for value in row))
    out.print(table)


def when(value: Any) -> str:
    """A value for a table; times without fractions, in UTC."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)


def read_document(path: Path) -> Any:
    """A JSON document from a file, ``-`` for the standard input."""
    try:
        text = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text()
        return json.loads(text)
    except FileNotFoundError as problem:
        raise ProductError(f"there is no file {path}", "Check the path") from problem
    except ValueError as problem:
        raise ProductError(f"{path} is not JSON: {problem}", "Export a flow to see the format") from problem
