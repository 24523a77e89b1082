"""Calendars."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from backend.calendars import service
from backend.database import utcnow
from backend.graphql.base import Done, FromRow, Info, mutation, query
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
