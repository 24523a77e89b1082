"""Stored calendars."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlmodel import col, select

from backend.audit.service import changed, note
from backend.calendars.hours import Calendar, state
from backend.calendars.models import CalendarRow
from backend.database import Database, locked, read, taken, write
from backend.errors import Faults, InvalidError, exists, not_found
from backend.identity.permissions import Actor
from nodes.sdk.services import HoursState
from nodes.sdk.text import text


def parse(timezone: str, week: Mapping[str, Any], days: Sequence[Any]) -> Calendar:
    """Read a calendar as people write it. Raises InvalidError naming the field."""
    try:
        return Calendar.model_validate({"timezone": timezone, "week": week, "days": days})
    except ValidationError as error:
        faults = Faults()
        for found in error.errors():
            faults.add(_fault(found))
        raise faults.error() from None


def _fault(found: ErrorDetails) -> InvalidError:
    """What is wrong with one place of a calendar."""
    place = ".".join(str(part) for part in found["loc"])
    reason = str(found["msg"]).removeprefix("Value error, ")
    return InvalidError(
        text(_WRONG.get(place.partition(".")[0], "日历不正确"), reason),
        field=place,
        remedy=text(
            "时间写作 09:00，日期写作 2027-01-01，状态为 holiday、special 或 open。",
            "Times look like 09:00, dates like 2027-01-01; a day's state is holiday, special or open.",
        ),
    )


_WRONG = {"timezone": "没有此时区", "week": "每周时间不正确", "days": "特殊日期不正确"}


@dataclass(frozen=True, slots=True)
class DayState:
    """A day of a calendar: ``open`` with its hours, ``closed``, ``holiday`` or ``special``."""

    date: date
    state: str
    name: str
    hours: list[tuple[str, str]]


def month_of(timezone: str, week: Mapping[str, Any], days: Sequence[Any], month: str) -> list[DayState]:
    """The days of a month (``2026-10``) with a calendar as people write it. Raises InvalidError naming the field."""
    calendar = parse(timezone, week, days)
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise InvalidError(
            text(f"“{month}”不是月份", f"'{month}' is no month"),
            field="month",
            remedy=text("请写作 2026-10。", "Write it as 2026-10."),
        ) from None
    found: list[DayState] = []
    for number in range(monthrange(first.year, first.month)[1]):
        on = first.replace(day=number + 1)
        differing, spans = calendar.day(on), calendar.spans(on)
        shut = differing.state if differing is not None and differing.state != "open" else "closed"
        hours = [(_clock(start), _clock(stop)) for start, stop in spans]
        found.append(DayState(on, "open" if spans else shut, differing.name if differing is not None else "", hours))
    return found


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


async def save_calendar(
    db: Database,
    actor: Actor,
    *,
    id: str | None = None,
    name: str,
    timezone: str,
    week: Mapping[str, Any],
    days: Sequence[Any] = (),
) -> CalendarRow:
    """Create or change a calendar."""
    name = name.strip()
    faults = Faults()
    if not name or len(name) > 128:
        faults.add(
            InvalidError(
                text("名称不可用", "a calendar needs a name of 128 characters at most"),
                field="name",
                remedy=text("请填写名称。", "Give it a name."),
            )
        )
    calendar: dict[str, Any] = {}
    with faults.gathered():
        calendar = parse(timezone, week, days).model_dump(mode="json")
    async with write(db) as session:
        row = await locked(session, CalendarRow, id) if id is not None else None
        if id is not None and (row is None or row.business_id != actor.business_id):
            raise not_found("日历", "calendar", id)
        if await taken(
            session, CalendarRow.id, id, CalendarRow.business_id == actor.business_id, CalendarRow.name == name
        ):
            faults.add(exists("日历", "calendar", name))
        faults.tell()
        if row is None:
            row = CalendarRow(business_id=actor.business_id, name=name, timezone=timezone)
            session.add(row)
        before = _day_names(row.days or ())
        row.name, row.timezone, row.week, row.days = name, timezone, calendar["week"], calendar["days"]
        said = changed(row, "name", "timezone", "week")
        after = _day_names(row.days)
        added, removed = [day for day in after if day not in before], [day for day in before if day not in after]
        await session.flush()
        await note(
            session, actor, "calendar.saved", name, **said, days_added=added or None, days_removed=removed or None
        )
        return row


def _day_names(days: Sequence[Mapping[str, Any]]) -> list[str]:
    """Days that differ, as the audit trail names them."""
    return [f"{day['date']} {day.get('name') or ''}".strip() for day in days]


async def delete_calendar(db: Database, actor: Actor, id: str) -> None:
    """Remove a calendar."""
    async with write(db) as session:
        row = await locked(session, CalendarRow, id)
        if row is None or row.business_id != actor.business_id:
            raise not_found("日历", "calendar", id)
        await session.delete(row)
        await note(session, actor, "calendar.deleted", row.name)


async def list_calendars(db: Database, business_id: str) -> list[CalendarRow]:
    """Calendars of a business, by name."""
    async with read(db) as session:
        found = select(CalendarRow).where(CalendarRow.business_id == business_id).order_by(col(CalendarRow.name))
        return list(await session.exec(found))


async def calendar_state(db: Database, business_id: str, name: str, at: datetime) -> HoursState:
    """Where a calendar stands. Raises NotFoundError."""
    async with read(db) as session:
        found = await session.exec(
            select(CalendarRow).where(CalendarRow.business_id == business_id, CalendarRow.name == name)
        )
        row = found.first()
    if row is None:
        raise not_found("日历", "calendar", name, "calendar")
    return state(parse(row.timezone, row.week, row.days), at)
