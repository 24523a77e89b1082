from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nodes.logic.wait import Wait, WaitConfig, next_time_of_day
from nodes.sdk.node import WaitFor, Woken
from nodes.sdk.testing import NOON, Example, flow_scope, run_node

TIMEOUT = Woken(by="timeout")
SIGNAL = {"until": "signal", "signal": "payment", "seconds": 30}
EXAMPLES = [
    Example("next", {"seconds": 5}, woken=[TIMEOUT]),
    Example("next", {"seconds": 0}),
    Example("next", {"until": "time", "time_of_day": "09:00"}, woken=[TIMEOUT]),
    Example("next", SIGNAL, woken=[Woken(by="signal", data={"amount": 5})]),
    Example("timeout", SIGNAL, woken=[TIMEOUT]),
]


SHANGHAI = flow_scope(now=NOON.astimezone(ZoneInfo("Asia/Shanghai")))


def decide(**config: Any) -> Any:
    return Wait().decide(SHANGHAI, WaitConfig.model_validate(config))


def test_asks_for_a_timer_or_a_signal() -> None:
    assert decide(seconds="90") == WaitFor(seconds=90)
    assert decide(**SIGNAL) == WaitFor(seconds=30, signal="payment")
    # It is twelve in Shanghai: nine o'clock is 21 hours ahead, half past twelve half an hour.
    assert decide(until="time", time_of_day="09:00") == WaitFor(seconds=21 * 3600)
    assert decide(until="time", time_of_day="12:30") == WaitFor(seconds=1800)
    assert decide(until="time", time_of_day="12:00") == WaitFor(seconds=86400)
    # Berlin's clocks show five o'clock.
    assert decide(until="time", time_of_day="06:00", timezone="Europe/Berlin") == WaitFor(seconds=3600)


async def test_the_signals_data_is_kept() -> None:
    outcome = await run_node(Wait(), SIGNAL, woken=[Woken(by="signal", data={"amount": 5})])
    assert outcome.outputs == {"data": {"amount": 5}}


def test_a_hang_up_ends_the_wait() -> None:
    config = WaitConfig.model_validate({"seconds": 5})
    assert Wait().resume(flow_scope(), config, Woken(by="hangup")).port == "hangup"


@pytest.mark.parametrize("seconds", ["soon", None, -1, 1e9, "nan"])
def test_bad_seconds_are_an_error(seconds: Any) -> None:
    assert decide(seconds=seconds).outputs == {"error": "bad_seconds"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"until": "signal"}, "name the event"),
        ({"timezone": "Mars/Base"}, "no time zone"),
        ({"time_of_day": "25:00"}, "pattern"),
    ],
)
def test_config_is_checked(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        WaitConfig.model_validate(config)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 23),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"]),
)
def test_the_next_time_of_day_lies_ahead_within_a_day(now: datetime, hour: int, zone: str) -> None:
    moment = next_time_of_day(now, f"{hour:02}:15", zone)
    assert timedelta() < moment - now <= timedelta(hours=25) and moment.minute == 15


def test_clocks_that_jump() -> None:
    # In Berlin on 2026-03-29 there is no half past two.
    now = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    assert next_time_of_day(now, "02:30", "Europe/Berlin") > now
