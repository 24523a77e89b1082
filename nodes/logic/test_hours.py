from datetime import UTC, datetime
from typing import Any

import pytest

from nodes.logic.hours import Hours
from nodes.sdk.outcome import Outcome
from nodes.sdk.services import HoursState
from nodes.sdk.testing import NOON, Example, MemoryCalendars, MemoryServices, run_node


def services() -> MemoryServices:
    calendars = MemoryCalendars(
        open=HoursState(state="open", next_change=datetime(2026, 11, 23, 10, tzinfo=UTC)),
        closed=HoursState(state="closed"),
        holiday=HoursState(state="holiday", name="春节"),
        special=HoursState(state="special", name="盘点"),
        noon=lambda at: HoursState(state="open" if at == NOON else "closed"),
    )
    return MemoryServices(calendars=calendars)


EXAMPLES = [
    *(Example(state, {"calendar": state}, services=services) for state in ("open", "closed")),
    *(
        Example(state, {"calendar": state, "separate_holidays": True}, services=services)
        for state in ("open", "closed", "holiday", "special")
    ),
    Example("error", {"calendar": "none"}, services=services),
]


async def ask(calendar: str, **config: Any) -> Outcome:
    return await run_node(Hours(), {"calendar": calendar, **config}, services=services())


@pytest.mark.parametrize("calendar", ["holiday", "special"])
async def test_holidays_count_as_closed_unless_they_have_ways_of_their_own(calendar: str) -> None:
    assert (await ask(calendar)).port == "closed"
    assert (await ask(calendar, separate_holidays=True)).port == calendar


async def test_name_and_next_change_are_told() -> None:
    assert (await ask("holiday")).outputs == {"state": "holiday", "name": "春节", "next_change": ""}
    assert (await ask("open")).outputs["next_change"] == "2026-11-23T10:00:00+00:00"


@pytest.mark.parametrize(
    ("at", "port"),
    [
        (None, "open"),
        ("", "open"),
        (NOON, "open"),
        ("2026-11-23T12:00:00+08:00", "open"),
        ("2026-11-23 12:00", "closed"),
    ],
)
async def test_any_time_can_be_asked_about(at: Any, port: str) -> None:
    assert (await ask("noon", at=at)).port == port


async def test_bad_times_are_an_error() -> None:
    assert (await ask("noon", at="tomorrow")).outputs == {"error": "bad_time"}
