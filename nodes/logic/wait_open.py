"""Wait until the business is open."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs, WaitFor, Woken
from nodes.sdk.outcome import HANGUP, Outcome
from nodes.sdk.text import text

MOST_CHANGES = 400


class WaitOpenConfig(NodeConfig):
    calendar: str = field(
        "default",
        title=text("日历", "Calendar"),
        help=text("允许联系的时间，按工作时间日历", "Calendar of the hours in which contact is allowed"),
        widget="calendar",
        min_length=1,
        max_length=100,
    )
    max_days: float = field(
        14,
        title=text("最多等待（天）", "Longest wait (days)"),
        help=text("此期间不营业时走“超时”", "When it does not open within this time the way is 'timeout'"),
        widget="number",
        gt=0,
        le=90,
    )


class WaitOpen(Node[WaitOpenConfig]):
    """Go on at once in opening hours, else when they begin next: over nights, weekends and holidays."""

    Config = WaitOpenConfig
    meta = NodeMeta(
        type="logic.wait_open",
        family="logic",
        icon="calendar-check",
        runs=Runs.QUICK,
        title=text("等到允许时间", "Wait for opening hours"),
        help=text("不在工作时间时等到下次营业", "Waits for the next opening hours when it is closed"),
        kinds=("callback", "ticket", "campaign", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {"calendar": "default"}

    def ports(self, config: WaitOpenConfig) -> Sequence[Port]:
        return [Port(name="open", title=text("营业", "Open")), Port(name="timeout", title=text("超时", "Timeout"))]

    def outputs(self, config: WaitOpenConfig) -> Sequence[Output]:
        return [Output(name="waited", type="number", title=text("等待秒数", "Seconds waited"))]

    async def run(self, ctx: Context, config: WaitOpenConfig) -> Outcome:
        end = ctx.now + timedelta(days=config.max_days)
        moment: datetime | None = ctx.now
        for _ in range(MOST_CHANGES):
            assert moment is not None
            found = await ctx.services.calendars.state(config.calendar, moment)
            if found.state == "open":
                seconds = (moment - ctx.now).total_seconds()
                if seconds <= 0:
                    return Outcome(port="open", outputs={"waited": 0.0})
                return Outcome.waiting(WaitFor(seconds=seconds, memory={"waited": seconds}))
            moment = found.next_change
            if moment is None or moment > end:
                break
        return Outcome(port="timeout", outputs={"waited": 0.0})

    def resume(self, scope: FlowScope, config: WaitOpenConfig, woken: Woken) -> Outcome:
        outputs = {"waited": float(woken.memory.get("waited", 0.0))}
        return Outcome(port=HANGUP if woken.by == "hangup" else "open", outputs=outputs)
