"""Wait for a time or for an event."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import FlowScope
from nodes.sdk.node import NEXT, Node, NodeMeta, Output, Port, Runs, WaitFor, Woken
from nodes.sdk.outcome import HANGUP, Outcome
from nodes.sdk.text import text

LONGEST = 366 * 86400.0
"""No wait is longer than a year."""


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


class WaitConfig(NodeConfig):
    until: Literal["seconds", "time", "signal"] = field(
        "seconds",
        title=text("等待", "Wait for"),
        help=text("一段时间、某个时刻或一个事件", "A length of time, a time of day, or an event"),
        widget="select",
        options={
            "seconds": text("一段时间", "A length of time"),
            "time": text("某个时刻", "A time of day"),
            "signal": text("一个事件", "An event"),
        },
    )
    seconds: Any = field(
        60,
        title=text("秒数", "Seconds"),
        help=text(
            "表达式；等待的时长，等待事件时为最长时间",
            "An expression; how long to wait, or the longest wait for an event",
        ),
        widget="expression",
        expression=True,
        when={"until": ["seconds", "signal"]},
    )
    time_of_day: str = field(
        "09:00",
        title=text("时刻", "Time of day"),
        help=text("下一次到这个时刻为止，24 小时制", "Until it is this time next, on the 24-hour clock"),
        widget="text",
        when={"until": ["time"]},
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
    )
    timezone: str = field(
        "",
        title=text("时区", "Time zone"),
        help=text(
            "时刻所属的时区（IANA 名称）；空为本企业时区",
            "Zone of the time of day (IANA name); empty for the business’s own",
        ),
        example="Asia/Shanghai",
        widget="text",
        when={"until": ["time"]},
        max_length=64,
    )
    signal: str = field(
        "",
        title=text("事件", "Event"),
        help=text("等待的事件名称", "Name of the event to wait for"),
        widget="text",
        example="payment",
        when={"until": ["signal"]},
        pattern=r"^([a-z][a-z0-9_.-]{0,63})?$",
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            _ = _zone(value) if value else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise FieldError(
                "",
                f"没有时区“{value}”，请使用 Asia/Shanghai 这样的名称",
                f"there is no time zone {value!r}; use a name such as Asia/Shanghai",
            ) from None
        return value

    @model_validator(mode="after")
    def _signal_is_named(self) -> Self:
        if self.until == "signal" and not self.signal:
            raise FieldError("signal", "请填写要等待的事件名称", "name the event to wait for")
        return self


def next_time_of_day(now: datetime, time_of_day: str, zone: str = "") -> datetime:
    """The next moment after `now` at which the clocks show that time, in a zone or in that of `now`."""
    tz = _zone(zone) if zone else now.tzinfo
    local = now.astimezone(tz)
    hour, minute = map(int, time_of_day.split(":"))
    for days in (0, 1, 2):
        moment = datetime.combine(local.date() + timedelta(days=days), time(hour, minute), tzinfo=tz)
        if moment > now:
            return moment
    raise AssertionError("a day has no such time")  # pragma: no cover - two days later always lies ahead


class Wait(Node[WaitConfig]):
    """Wait.

    - for seconds or a time of day: ``next`` when it is over
    - for an event: ``next`` when it comes, with its data; ``timeout`` when the longest wait is over
    - a caller who hangs up ends the wait
    """

    Config = WaitConfig
    meta = NodeMeta(
        type="logic.wait",
        family="logic",
        icon="timer",
        runs=Runs.IN_WORKFLOW,
        title=text("等待", "Wait"),
        help=text("等待一段时间、某个时刻或一个事件", "Waits for a length of time, a time of day or an event"),
    )
    example: ClassVar[Mapping[str, Any]] = {"until": "seconds", "seconds": 60}

    def ports(self, config: WaitConfig) -> Sequence[Port]:
        if config.until == "signal":
            return [NEXT, Port(name="timeout", title=text("超时", "Timeout"))]
        return [NEXT]

    def outputs(self, config: WaitConfig) -> Sequence[Output]:
        if config.until == "signal":
            return [Output(name="data", type="object", title=text("事件数据", "Data of the event"))]
        return []

    def decide(self, scope: FlowScope, config: WaitConfig) -> Outcome | WaitFor:
        if config.until == "time":
            until = next_time_of_day(scope.now, config.time_of_day, config.timezone)
            return WaitFor(seconds=(until - scope.now).total_seconds())
        try:
            seconds = float(config.seconds)
        except (TypeError, ValueError):
            return Outcome.error("bad_seconds", f"seconds: {config.seconds!r} is no number")
        if not 0 <= seconds <= LONGEST:
            return Outcome.error("bad_seconds", f"seconds: {seconds:g} is not between 0 and {LONGEST:g}")
        if config.until == "signal":
            return WaitFor(seconds=seconds, signal=config.signal)
        return WaitFor(seconds=seconds) if seconds else Outcome(port="next")

    def resume(self, scope: FlowScope, config: WaitConfig, woken: Woken) -> Outcome:
        if woken.by == "hangup":
            return Outcome(port=HANGUP)
        if config.until != "signal":
            return Outcome(port="next")
        if woken.by == "signal":
            return Outcome(port="next", outputs={"data": woken.data})
        return Outcome(port="timeout", outputs={"data": {}})
