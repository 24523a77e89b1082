"""Calendars."""

import asyncio
from datetime import date, datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from backend.calendars import holidays, service
from backend.database import utcnow
from backend.graphql.base import Done, FromRow, Info, Words, mutation, query
from backend.identity.permissions import Permission


@strawberry.type(name="Calendar", description="week: day (mon ... sun) to spans; days: those that differ.")
class CalendarType(FromRow):
    id: str
    name: str
    timezone: str
    week: JSON
    days: JSON


@strawberry.type(description="open, closed, holiday or special, and when that next changes.")
class CalendarState:
    state: str
    name: str
    next_change: datetime | None


@strawberry.type(name="HolidayCountry")
class HolidayCountry:
    code: str
    name: Words


@strawberry.type(name="PublicHoliday", description="state is holiday, or open for a weekend day that is worked.")
class PublicHoliday:
    date: date
    name: Words
    state: str


@strawberry.type(name="PublicHolidays", description="note tells what is not certain yet.")
class PublicHolidays:
    country: str
    year: int
    days: list[PublicHoliday]
    note: Words | None


@strawberry.type(name="CalendarDay", description="A day: open with its hours, closed, holiday or special.")
class CalendarDay:
    date: date
    state: str
    name: str
    hours: list[list[str]]


@strawberry.type
class CalendarsQuery:
    @query(Permission.CALENDARS_READ, "Calendars by name.")
    async def calendars(self, info: Info) -> list[CalendarType]:
        found = await service.list_calendars(info.context.state.db, info.context.actor.business_id)
        return [CalendarType.of(row) for row in found]

    @query(Permission.CALENDARS_READ, "Where a calendar stands, now or at a time.")
    async def calendar_state(self, info: Info, name: str, at: datetime | None = None) -> CalendarState:
        found = await service.calendar_state(
            info.context.state.db, info.context.actor.business_id, name, at or utcnow()
        )
        return CalendarState(state=found.state, name=found.name, next_change=found.next_change)

    @query(Permission.CALENDARS_READ, "Countries whose public holidays are known.")
    async def holiday_countries(self, info: Info) -> list[HolidayCountry]:
        return [HolidayCountry(code=code, name=Words.of(name)) for code, name in holidays.countries()]

    @query(Permission.CALENDARS_READ, "Public holidays of a country (CN, US ...) in a year, to fill a calendar with.")
    async def public_holidays(self, info: Info, country: str, year: int) -> PublicHolidays:
        found = await asyncio.to_thread(holidays.public_holidays, country, year)
        return PublicHolidays(
            country=found.country,
            year=found.year,
            days=[PublicHoliday(date=day.date, name=Words.of(day.name), state=day.state) for day in found.days],
            note=Words.of(found.note) if found.note is not None else None,
        )

    @query(
        Permission.CALENDARS_READ, "How the days of a month (2026-10) would be with a calendar that is being written."
    )
    async def calendar_preview(
        self, info: Info, timezone: str, week: JSON, month: str, days: JSON | None = None
    ) -> list[CalendarDay]:
        plan: Any = week
        differing: Any = days or []
        return [
            CalendarDay(date=day.date, state=day.state, name=day.name, hours=[list(span) for span in day.hours])
            for day in service.month_of(timezone, plan, differing, month)
        ]


@strawberry.type
class CalendarsMutation:
    @mutation(Permission.CALENDARS, "Create or change a calendar.")
    async def save_calendar(
        self, info: Info, name: str, timezone: str, week: JSON, days: JSON | None = None, id: str | None = None
    ) -> CalendarType:
        plan: Any = week
        differing: Any = days or []
        saved = await service.save_calendar(
            info.context.state.db,
            info.context.actor,
            id=id,
            name=name,
            timezone=timezone,
            week=plan,
            days=differing,
        )
        return CalendarType.of(saved)

    @mutation(Permission.CALENDARS, "Remove a calendar.")
    async def delete_calendar(self, info: Info, id: str) -> Done:
        await service.delete_calendar(info.context.state.db, info.context.actor, id)
        return Done()
