"""Branch on opening hours."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text


class HoursConfig(NodeConfig):
    calendar: str = field(
        "default",
        title=text("日历", "Calendar"),
        help=text("工作时间日历的名称", "Name of the calendar of opening hours"),
        widget="calendar",
        min_length=1,
        max_length=100,
    )
    separate_holidays: bool = field(
        False,
        title=text("节假日单独出口", "Separate holidays"),
        help=text(
            "节假日和特殊休息日各有出口，否则都走“休息”",
            "Holidays and special closed days get ways of their own; otherwise they count as closed",
        ),
        widget="switch",
    )
    at: Any = field(
        None,
        title=text("时间", "Time"),
        help=text("表达式；空为现在", "An expression; empty for now"),
        widget="expression",
        expression=True,
        example="now",
    )


class Hours(Node[HoursConfig]):
    """Ask a calendar whether the business is open."""

    Config = HoursConfig
    meta = NodeMeta(
        type="logic.hours",
        family="logic",
        icon="calendar-clock",
        runs=Runs.QUICK,
        title=text("工作时间", "Opening hours"),
        help=text("按工作时间日历分支", "Branches on a calendar of opening hours"),
    )
    example: ClassVar[Mapping[str, Any]] = {"calendar": "default"}

    def ports(self, config: HoursConfig) -> Sequence[Port]:
        ports = [Port(name="open", title=text("营业", "Open")), Port(name="closed", title=text("休息", "Closed"))]
        if config.separate_holidays:
            ports += [
                Port(name="holiday", title=text("节假日", "Holiday")),
                Port(name="special", title=text("特殊休息日", "Special closed day")),
            ]
        return ports

    def outputs(self, config: HoursConfig) -> Sequence[Output]:
        return [
            Output(name="state", type="string", title=text("状态", "State")),
            Output(name="name", type="string", title=text("节假日名称", "Name of the holiday or special day")),
            Output(name="next_change", type="string", title=text("下次变化", "Next change, ISO 8601")),
        ]

    async def run(self, ctx: Context, config: HoursConfig) -> Outcome:
        found = await ctx.services.calendars.state(config.calendar, _moment(config.at, ctx.now))
        port = found.state if config.separate_holidays or found.state == "open" else "closed"
        next_change = found.next_change.isoformat() if found.next_change else ""
        return Outcome(port=port, outputs={"state": found.state, "name": found.name, "next_change": next_change})


def _moment(at: Any, now: datetime) -> datetime:
    """The time asked about; one without a zone is in UTC."""
    if at is None or at == "":
        return now
    try:
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    except ValueError:
        raise NodeError("bad_time", f"at: {at!r} is no time; write it like 2026-11-22T09:00:00+08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
