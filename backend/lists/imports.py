"""Many numbers at once, pasted or out of a CSV file, with a word about each line that was not taken."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from backend.database import Database, utcnow
from backend.errors import DomainError, InvalidError
from backend.identity.permissions import Actor
from backend.identity.service import get_business
from backend.lists.service import EntryInput, add_entries
from backend.numbers.phone import normalise
from nodes.sdk.text import Text, text

MAX_TEXT = 5_000_000
MOST_LINES = 100_000
_HEADINGS = frozenset({"number", "phone", "号码", "电话", "手机", "手机号"})


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken, counted from 1."""

    line: int
    content: str
    field: str
    message: Text
    remedy: Text


@dataclass(slots=True)
class Report:
    """What an import came to; ``repeated`` numbers stood in it more than once."""

    added: int = 0
    updated: int = 0
    repeated: int = 0
    refused: list[Refused] = field(default_factory=list)


async def import_entries(db: Database, actor: Actor, list_id: str, content: str, *, check_only: bool = False) -> Report:
    """Put the numbers of a text on a list: a line holds a number, and if wanted a note and an end (2026-12-31).

    Commas, semicolons and tabs part them; a heading is passed over. Sound lines are taken, the others are told.
    With `check_only` nothing is stored.
    """
    if len(content) > MAX_TEXT:
        raise InvalidError(
            text("文本过长", "the text is too long"),
            field="text",
            remedy=text("请分几次导入。", "Import it in several parts."),
        )
    business = await get_business(db, actor.business_id)
    report = Report()
    wanted: dict[str, EntryInput] = {}
    for line, cells in _lines(content):
        if line > MOST_LINES:
            report.refused.append(
                Refused(
                    line,
                    "",
                    "text",
                    text(f"一次最多 {MOST_LINES} 行", f"at most {MOST_LINES} lines at once"),
                    text("请分几次导入其余的行。", "Import the other lines in another go."),
                )
            )
            break
        try:
            number = normalise(cells[0], business.country)
            entry = EntryInput(number, cells[1] if len(cells) > 1 else "", _end(cells, business.timezone))
        except DomainError as error:
            report.refused.append(
                Refused(line, ", ".join(cells)[:100], error.field or "number", error.message, error.remedy)
            )
            continue
        report.repeated += number in wanted
        wanted[number] = entry
    if check_only:
        report.added = len(wanted)
    elif wanted:
        report.added = await add_entries(db, actor, list_id, list(wanted.values()))
        report.updated = len(wanted) - report.added
    return report


def _lines(content: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(content.lstrip("\ufeff").splitlines(), start=1):
        separator = next((one for one in ("\t", ";", "；", ",", "，") if one in line), ",")
        try:
            cells = next(csv.reader(io.StringIO(line), delimiter=separator), [])
        except csv.Error:
            cells = [line]
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].lower() in _HEADINGS:
            continue
        yield number, cells


def _end(cells: list[str], zone: str) -> datetime | None:
    """The end of a day, or a moment, in the third cell."""
    given = cells[2] if len(cells) > 2 else ""
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given.replace("/", "-"))
    except ValueError:
        found = None
    if found is None or not utcnow().year - 1 <= found.year <= 9000:
        raise InvalidError(
            text(f"“{given}”不是日期", f"'{given}' is no date"),
            field="until",
            remedy=text("请写作 2026-12-31。", "Write it as 2026-12-31."),
        )
    if len(given) <= 10:
        found = datetime.combine(found.date(), time(23, 59, 59))
    return found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))
