"""Waiting for opening hours."""

from datetime import datetime, timedelta

from nodes.logic.wait_open import WaitOpen
from nodes.sdk.node import Woken
from nodes.sdk.services import HoursState
from nodes.sdk.testing import NOON, Example, MemoryCalendars, MemoryServices, run_node


def calendar(opens_in_hours: float | None) -> MemoryServices:
    """Closed until then, with a holiday in between; None: it never opens."""

    def state(at: datetime) -> HoursState:
        opens = NOON + timedelta(hours=opens_in_hours) if opens_in_hours is not None else None
        if opens is not None and at >= opens:
            return HoursState(state="open")
        midway = NOON + timedelta(hours=1)
        if at < midway and opens is not None and midway < opens:
            return HoursState(state="closed", next_change=midway)
        return HoursState(state="holiday", next_change=opens)

    return MemoryServices(calendars=MemoryCalendars(default=state))


async def test_it_waits_over_changes_that_do_not_open() -> None:
    node = WaitOpen()
    waited = await run_node(node, services=calendar(30), woken=[Woken(by="timeout")])
    assert (waited.port, waited.outputs) == ("open", {"waited": 30 * 3600.0})
    now = await run_node(node, services=calendar(0))
    assert (now.port, now.outputs) == ("open", {"waited": 0.0})


async def test_too_long_is_a_timeout() -> None:
    assert (await run_node(WaitOpen(), {"max_days": 1}, services=calendar(30))).port == "timeout"
    assert (await run_node(WaitOpen(), services=calendar(None))).port == "timeout"
    assert (await run_node(WaitOpen(), {"calendar": "none"}, services=calendar(0))).outputs[
        "error"
    ] == "unknown_calendar"


EXAMPLES = [
    Example("open", services=lambda: calendar(30), woken=[Woken(by="timeout")]),
    Example("hangup", services=lambda: calendar(30), woken=[Woken(by="hangup")]),
    Example("open", services=lambda: calendar(0)),
    Example("timeout", services=lambda: calendar(None)),
]
