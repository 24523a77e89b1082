"""What a calendar means: a pure function from an instant to open, closed, holiday or special (FL10).

A place is open while its wall clock stands inside an opening span of the day. Where a clock change skips or repeats
an hour, the wall clock is what counts, as it does for the people at the door.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nodes.sdk.services import HoursState

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = timedelta(days=400)
_DAY = 24 * 60


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    if len(clock) != 5 or not (hours.isdigit() and minutes.isdigit()):
        raise ValueError(f"'{clock}' is no time: write 09:00")
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > _DAY:
        raise ValueError(f"'{clock}' is no time between 00:00 and 24:00")
    return value


def _check_spans(spans: list[tuple[str, str]]) -> list[tuple[str, str]]:
    end = -1
    for start, stop in sorted(spans, key=lambda span: _minutes(span[0])):
        if _minutes(start) >= _minutes(stop):
            raise ValueError(f"{start}-{stop} ends before it begins; write a night as two spans, one each day")
        if _minutes(start) < end:
            raise ValueError(f"the span from {start} overlaps the one before")
        end = _minutes(stop)
    return sorted(spans)


class Day(BaseModel):
    """A day that differs: a holiday, a special closed day, or a special working day with its own hours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: date
    state: Literal["holiday", "special", "open"]
    name: str = Field("", max_length=100)
    hours: list[tuple[str, str]] | None = None
    yearly: bool = False

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: list[tuple[str, str]] | None) -> list[tuple[str, str]] | None:
        return None if value is None else _check_spans(value)


class Calendar(BaseModel):
    """Week plan, days that differ, and the zone its clock stands in. An open day without hours uses Monday's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: str
    week: dict[Weekday, list[tuple[str, str]]] = {}
    days: list[Day] = Field(default_factory=list, max_length=2000)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no time zone '{value}'; write an IANA name such as Asia/Shanghai")
        return value

    @field_validator("week")
    @classmethod
    def _week(cls, value: dict[Weekday, list[tuple[str, str]]]) -> dict[Weekday, list[tuple[str, str]]]:
        return {day: _check_spans(spans) for day, spans in value.items()}

    @field_validator("days")
    @classmethod
    def _days(cls, value: list[Day]) -> list[Day]:
        seen: set[tuple[date, bool]] = set()
        for day in value:
            if (day.date, day.yearly) in seen:
                raise ValueError(f"{day.date} is listed twice")
            seen.add((day.date, day.yearly))
        return value

    def day(self, on: date) -> Day | None:
        """The day that differs on a date; one of that very year wins over a yearly one."""
        exact = next((d for d in self.days if d.date == on and not d.yearly), None)
        if exact is not None:
            return exact
        return next((d for d in self.days if d.yearly and (d.date.month, d.date.day) == (on.month, on.day)), None)

    def spans(self, on: date) -> list[tuple[int, int]]:
        """Opening spans of a date in minutes after local midnight."""
        day = self.day(on)
        if day is None:
            spans = self.week.get(WEEKDAYS[on.weekday()], [])
        elif day.state == "open":
            spans = day.hours if day.hours is not None else self.week.get("mon", [])
        else:
            spans = []
        return [(_minutes(start), _minutes(stop)) for start, stop in spans]


def state(calendar: Calendar, at: datetime) -> HoursState:
    """Where the calendar stands at an instant, and when that next changes (None: not within 400 days)."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    kind, name = _stand(calendar, at)
    for instant in _instants(calendar, at):
        if _stand(calendar, instant) != (kind, name):
            return HoursState(state=kind, name=name, next_change=instant)
    return HoursState(state=kind, name=name, next_change=None)


def _stand(calendar: Calendar, at: datetime) -> tuple[Literal["open", "closed", "holiday", "special"], str]:
    local = at.astimezone(ZoneInfo(calendar.timezone))
    minute = local.hour * 60 + local.minute
    day = calendar.day(local.date())
    name = day.name if day is not None else ""
    if any(start <= minute < stop for start, stop in calendar.spans(local.date())):
        return "open", name
    if day is not None and day.state != "open":
        return day.state, name
    return "closed", name


def _instants(calendar: Calendar, after: datetime) -> Iterator[datetime]:
    """Every instant after `after` at which the state can change, in order."""
    zone = ZoneInfo(calendar.timezone)
    first = after.astimezone(zone).date()
    seen_until = after
    for number in range(HORIZON.days + 2):
        on = first + timedelta(days=number)
        found: set[datetime] = set()
        marks = {0, *(minute for span in calendar.spans(on) for minute in span)}
        for minute in marks:
            wall = datetime.combine(on, time()) + timedelta(minutes=minute)
            found |= {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        change = _clock_change(zone, on)
        if change is not None and on in _dates_beside(zone, change):
            found.add(change)
        for instant in sorted(found):
            if seen_until < instant <= after + HORIZON:
                yield instant
                seen_until = instant


def _dates_beside(zone: ZoneInfo, change: datetime) -> set[date]:
    return {(change - timedelta(seconds=1)).astimezone(zone).date(), change.astimezone(zone).date()}


def _clock_change(zone: ZoneInfo, on: date) -> datetime | None:
    """The instant in or around a local day at which the zone's offset changes, to the second."""
    low = (datetime.combine(on, time(), zone) - timedelta(hours=3)).astimezone(UTC)
    high = low + timedelta(hours=33)
    before = low.astimezone(zone).utcoffset()
    if before == high.astimezone(zone).utcoffset():
        return None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0)
        if middle in (low, high):
            break
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
