"""Pages of a list by cursor: the next page starts after the last row seen, however long the list is."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import literal, tuple_
from sqlmodel.sql.expression import SelectOfScalar

from backend.database import AsyncSession
from backend.errors import InvalidError
from nodes.sdk.text import text

T = TypeVar("T")
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. ``cursors`` stand beside ``items``."""

    items: Sequence[T]
    cursors: Sequence[str]
    has_next: bool

    @property
    def end(self) -> str | None:
        """The cursor to ask the next page with."""
        return self.cursors[-1] if self.cursors else None


def encode_cursor(values: Sequence[Any]) -> str:
    """An opaque cursor for a row's sort values."""
    plain = [{"t": v.isoformat()} if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain, ensure_ascii=False).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """The sort values in a cursor. A cursor of another list is refused."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [datetime.fromisoformat(v["t"]) if isinstance(v, dict) else v for v in plain]
        if len(values) != length or any(not isinstance(v, str | int | float | datetime) for v in values):
            raise ValueError
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise InvalidError(
            text("翻页位置无效", "this cursor is not one of this list"),
            field="after",
            remedy=text("请从第一页重新开始。", "Start again from the first page."),
        ) from error
    return values


async def page(
    session: AsyncSession,
    statement: SelectOfScalar[T],
    *,
    by: Sequence[Any],
    keys: Callable[[T], Sequence[Any]],
    first: int = 50,
    after: str | None = None,
    descending: bool = True,
) -> Page[T]:
    """Fetch a page of `statement` sorted by the columns `by`, which must be unique together and never NULL."""
    if not 1 <= first <= MAX_PAGE:
        raise InvalidError(
            text(f"每页条数应在 1 到 {MAX_PAGE} 之间", f"a page has 1 to {MAX_PAGE} rows"),
            field="first",
            remedy=text("请减少每页条数并翻页。", "Ask for fewer rows and turn the pages."),
        )
    if after is not None:
        values = decode_cursor(after, len(by))
        here = tuple_(*by)
        there = tuple_(*(literal(value, column.type) for value, column in zip(values, by, strict=True)))
        statement = statement.where(here < there if descending else here > there)
    statement = statement.order_by(*(column.desc() if descending else column.asc() for column in by)).limit(first + 1)
    rows = list(await session.exec(statement))
    items = rows[:first]
    return Page(items, [encode_cursor(keys(item)) for item in items], len(rows) > first)


def starts_with(session: AsyncSession, column: Any, start: str) -> Any:
    """A condition: the column's text begins with `start`.

    SQLite compares code points, so a range finds it through any index. PostgreSQL's order depends on the collation;
    its operators for patterns compare bytes, and find it through an index of the class ``text_pattern_ops``.
    """
    end = start + "\U0010ffff"
    if session.info["database"].sqlite:
        return (column >= start) & (column < end)
    return column.op("~>=~")(start) & column.op("~<~")(end)


def by_start(*columns: str) -> dict[str, Any]:
    """Options of an index through which `starts_with` finds these columns on PostgreSQL."""
    return {"postgresql_ops": dict.fromkeys(columns, "text_pattern_ops")}
