"""Opening hours: the week plan, days that differ, and clock changes, against a clock walked minute by minute."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.calendars import service
from backend.calendars.hours import WEEKDAYS, Calendar, state
from backend.errors import ConflictError, InvalidError, NotFoundError
from backend.identity.permissions import Actor
from backend.state import AppState

WORK = {day: [("09:00", "12:00"), ("13:30", "18:00")] for day in WEEKDAYS[:5]}
OFFICE = Calendar.model_validate(
    {
        "timezone": "Asia/Shanghai",
        "week": WORK,
        "days": [
            {"date": "2026-10-01", "state": "holiday", "name": "国庆节"},
            {"date": "2026-10-10", "state": "open", "name": "调休", "hours": [("10:00", "16:00")]},
            {"date": "2026-11-25", "state": "special", "name": "搬迁"},
            {"date": "2020-01-01", "state": "holiday", "name": "元旦", "yearly": True},
        ],
    }
)


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("when", "stands", "name", "change"),
    [
        ("2026-11-23 09:00", "open", "", "2026-11-23 12:00"),
        ("2026-11-23 08:59", "closed", "", "2026-11-23 09:00"),
        ("2026-11-23 12:00", "closed", "", "2026-11-23 13:30"),
        ("2026-11-20 18:00", "closed", "", "2026-11-23 09:00"),
        ("2026-10-01 10:00", "holiday", "国庆节", "2026-10-02 00:00"),
        ("2026-10-10 11:00", "open", "调休", "2026-10-10 16:00"),
        ("2026-11-25 11:00", "special", "搬迁", "2026-11-26 00:00"),
        ("2027-01-01 11:00", "holiday", "元旦", "2027-01-02 00:00"),
    ],
)
def test_where_a_calendar_stands(when: str, stands: str, name: str, change: str) -> None:
    found = state(OFFICE, at(when))
    assert (found.state, found.name, found.next_change) == (stands, name, at(change))


def test_a_calendar_that_never_changes_has_no_next_change() -> None:
    always = Calendar.model_validate({"timezone": "UTC", "week": {day: [("00:00", "24:00")] for day in WEEKDAYS}})
    assert state(always, at("2026-11-23 09:00")).next_change is None
    assert state(Calendar(timezone="UTC"), at("2026-11-23 09:00")).state == "closed"


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        state(OFFICE, datetime(2026, 1, 1))  # noqa: DTZ001


_minutes = st.integers(0, 1440)


@st.composite
def _spans(draw: st.DrawFn) -> list[tuple[str, str]]:
    marks = sorted(draw(st.sets(_minutes, max_size=6)))
    marks = marks[: len(marks) // 2 * 2]
    clock = [f"{m // 60:02d}:{m % 60:02d}" for m in marks]
    return list(zip(clock[::2], clock[1::2], strict=True))


# Days around clock changes: at night, at midnight, by half an hour, and none at all.
_PLACES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Asia/Shanghai", date(2026, 10, 1)),
]


@settings(max_examples=60, deadline=None)
@given(
    place=st.sampled_from(_PLACES),
    week=st.dictionaries(st.sampled_from(WEEKDAYS), _spans(), max_size=7),
    kind=st.sampled_from(["holiday", "special", "open", None]),
    hours=_spans(),
    offset=st.integers(-26 * 60, 26 * 60),
)
def test_the_next_change_is_the_first_minute_that_differs(
    place: tuple[str, date], week: dict[Any, Any], kind: str | None, hours: list[tuple[str, str]], offset: int
) -> None:
    zone, day = place
    days = [{"date": day, "state": kind, "name": "x", "hours": hours}] if kind else []
    calendar = Calendar.model_validate({"timezone": zone, "week": week, "days": days})
    start = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(minutes=offset)
    found = state(calendar, start)
    horizon = start + timedelta(hours=40)
    instant = start
    while instant <= horizon:
        now = state_only(calendar, instant)
        if now != (found.state, found.name):
            assert found.next_change == instant
            return
        instant += timedelta(minutes=1)
    assert found.next_change is None or found.next_change > horizon


def state_only(calendar: Calendar, instant: datetime) -> tuple[str, str]:
    """The plain meaning of a calendar, written a second time: look at the wall clock."""
    local = instant.astimezone(ZoneInfo(calendar.timezone))
    special = [day for day in calendar.days if day.date == local.date()]
    clock = f"{local:%H:%M}"
    if special:
        spans = special[0].hours or [] if special[0].state == "open" else []
        if special[0].state == "open" and special[0].hours is None:
            spans = calendar.week.get("mon", [])
    else:
        spans = calendar.week.get(WEEKDAYS[local.weekday()], [])
    name = special[0].name if special else ""
    if any(begin <= clock < end for begin, end in spans):
        return "open", name
    return (special[0].state if special and special[0].state != "open" else "closed"), name


@pytest.mark.parametrize(
    ("timezone", "week", "days", "field"),
    [
        ("Mars/Base", {}, [], "timezone"),
        ("UTC", {"mon": [["18:00", "09:00"]]}, [], "week"),
        ("UTC", {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}, [], "week"),
        ("UTC", {"mon": [["9", "12:00"]]}, [], "week"),
        ("UTC", {"someday": []}, [], "week.someday.[key]"),
        ("UTC", {}, [{"date": "2026-13-01", "state": "holiday"}], "days.0.date"),
        ("UTC", {}, [{"date": "2026-01-01", "state": "party"}], "days.0.state"),
    ],
)
def test_bad_calendars_are_refused_by_field(timezone: str, week: Any, days: Any, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        service.parse(timezone, week, days)
    assert refused.value.field == field and refused.value.remedy.zh


async def test_calendars_are_kept(state: AppState, actor: Actor) -> None:
    save = {"name": "office", "timezone": "Asia/Shanghai", "week": WORK}
    row = await service.save_calendar(state.db, actor, **save)  # type: ignore[arg-type]
    with pytest.raises(ConflictError):
        await service.save_calendar(state.db, actor, **save)  # type: ignore[arg-type]
    found = await service.calendar_state(state.db, "main", "office", at("2026-11-23 10:00"))
    assert found.state == "open"
    await service.delete_calendar(state.db, actor, row.id)
    with pytest.raises(NotFoundError):
        await service.calendar_state(state.db, "main", "office", at("2026-11-23 10:00"))
