"""Give a person a task, and wait until it is over."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import NEXT, Node, NodeMeta, Output, Port, Runs, WaitFor, Woken
from nodes.sdk.outcome import HANGUP, Outcome
from nodes.sdk.services import TaskToDo
from nodes.sdk.text import text

MOST_HOURS = 24 * 365


class TaskConfig(NodeConfig):
    kind: Literal["callback", "voicemail", "missed", "planned", "work"] = field(
        "work",
        title=text("类型", "Kind"),
        help=text("任务在坐席列表中的类型", "What the task counts as in the agents' list"),
        widget="select",
        options={
            "callback": text("回拨", "Callback"),
            "voicemail": text("留言", "Voicemail"),
            "missed": text("未接来电", "Missed call"),
            "planned": text("计划联系", "Planned contact"),
            "work": text("其他工作", "Other work"),
        },
    )
    title: str = field(
        title=text("标题", "Title"),
        help=text("任务标题，可用模板", "Title of the task; may be a template"),
        template=True,
        example="回拨 Call back {{ vars.caller }}",
        min_length=1,
        max_length=300,
    )
    note: str = field(
        "",
        title=text("说明", "Note"),
        help=text("要做什么，可用模板", "What is to be done; may be a template"),
        widget="textarea",
        template=True,
        max_length=4000,
    )
    queue: str = field(
        "",
        title=text("队列", "Queue"),
        help=text("由此队列的坐席领取，可用模板", "Its agents may take the task; may be a template"),
        template=True,
        max_length=200,
    )
    team: str = field(
        "",
        title=text("班组", "Team"),
        help=text("由此班组领取，可用模板", "Its members may take the task; may be a template"),
        template=True,
        max_length=200,
    )
    assignee: str = field(
        "",
        title=text("坐席", "Agent"),
        help=text("指定坐席的登录名或编号，可用模板", "Sign-in name or id of one agent; may be a template"),
        template=True,
        max_length=200,
    )
    priority: int = field(
        5,
        title=text("优先级", "Priority"),
        help=text("1 最低，9 最高", "1 is least, 9 is most"),
        widget="number",
        ge=1,
        le=9,
    )
    due_hours: float = field(
        0,
        title=text("几小时后到期", "Due in hours"),
        help=text("0 为立即", "0 is at once"),
        widget="number",
        ge=0,
        le=MOST_HOURS,
    )
    number: str = field(
        "",
        title=text("联系号码", "Number to call"),
        help=text("要联系的号码，可用模板", "Whom to call; may be a template"),
        widget="phone",
        template=True,
        max_length=200,
        example="{{ vars.caller }}",
    )
    customer: Any = field(
        None,
        title=text("客户", "Customer"),
        help=text("表达式，给出客户编号", "An expression giving the customer’s id"),
        widget="expression",
        expression=True,
        example="vars.customer_id",
    )
    call: Any = field(
        None,
        title=text("通话", "Call"),
        help=text("表达式，给出通话编号", "An expression giving the call’s id"),
        widget="expression",
        expression=True,
        example="vars.call_id",
    )
    voicemail: Any = field(
        None,
        title=text("留言", "Voicemail"),
        help=text("表达式，给出留言编号", "An expression giving the message’s id"),
        widget="expression",
        expression=True,
        example="vars.voicemail_id",
    )
    wait: bool = field(
        True,
        title=text("等待完成", "Wait until it is over"),
        help=text("关闭时只创建任务并继续", "Off: write the task and go on"),
        widget="switch",
    )
    deadline_hours: float = field(
        24,
        title=text("期限（小时）", "Deadline (hours)"),
        help=text("超过此时间走“过期”", "After this time the way is 'expired'"),
        widget="number",
        gt=0,
        le=MOST_HOURS,
        when={"wait": [True]},
    )


class Task(Node[TaskConfig]):
    """Write a task into the list of an agent, a queue or a team.

    - with wait: ``done``, ``given_up`` (or cancelled) when a person ends it, ``expired`` after the deadline
    - without: ``next`` at once
    - a retry finds the task that it wrote before
    """

    Config = TaskConfig
    meta = NodeMeta(
        type="ticket.task",
        family="ticket",
        icon="clipboard-check",
        runs=Runs.QUICK,
        title=text("人工任务", "Task for a person"),
        help=text(
            "给坐席、队列或班组一项任务，并等待结果", "Gives an agent, queue or team a task and waits for its end"
        ),
    )
    example: ClassVar[Mapping[str, Any]] = {"title": "回拨 Call back {{ call.caller }}", "kind": "callback"}

    def ports(self, config: TaskConfig) -> Sequence[Port]:
        if not config.wait:
            return [NEXT]
        return [
            Port(name="done", title=text("完成", "Done")),
            Port(name="given_up", title=text("放弃", "Given up")),
            Port(name="expired", title=text("过期", "Expired")),
        ]

    def outputs(self, config: TaskConfig) -> Sequence[Output]:
        written = Output(name="task", type="string", title=text("任务编号", "Id of the task"))
        if not config.wait:
            return [written]
        return [
            written,
            Output(name="state", type="string", title=text("状态", "State")),
            Output(name="result", type="string", title=text("结果", "Result")),
            Output(name="note", type="string", title=text("说明", "Note")),
            Output(name="by", type="string", title=text("完成人", "Who ended it")),
            Output(name="attempts", type="number", title=text("尝试次数", "Attempts")),
        ]

    async def run(self, ctx: Context, config: TaskConfig) -> Outcome:
        deadline = timedelta(hours=config.deadline_hours)
        task = TaskToDo(
            kind=config.kind,
            title=config.title.strip()[:300],
            note=config.note[:4000],
            priority=config.priority,
            due_at=ctx.now + timedelta(hours=config.due_hours),
            expires_at=ctx.now + deadline if config.wait else None,
            assignee=config.assignee.strip(),
            team=config.team.strip(),
            queue=config.queue.strip(),
            number=config.number.strip(),
            customer_id=_id(config.customer),
            call_id=_id(config.call),
            voicemail_id=_id(config.voicemail),
        )
        run_id = ctx.run_id if config.wait else ""
        id = await ctx.services.tasks.create(task, key=ctx.key, run_id=run_id)
        if not config.wait:
            return Outcome(port="next", outputs={"task": id})
        # The list itself ends the task at its deadline and says so; the timer is for a list that is away.
        wait = WaitFor(seconds=deadline.total_seconds() + 60, signal=f"task.{id}", memory={"task": id})
        return Outcome.waiting(wait)

    def resume(self, scope: FlowScope, config: TaskConfig, woken: Woken) -> Outcome:
        told = woken.data
        outputs: dict[str, Any] = {
            "task": str(woken.memory.get("task", "")),
            "state": str(told.get("state") or "expired"),
            "result": str(told.get("result") or ""),
            "note": str(told.get("note") or ""),
            "by": str(told.get("by") or ""),
            "attempts": told.get("attempts") or 0,
        }
        if woken.by == "hangup":
            return Outcome(port=HANGUP, outputs=outputs | {"state": "open"})
        port = {"done": "done", "expired": "expired"}.get(outputs["state"], "given_up")
        return Outcome(port=port, outputs=outputs)


def _id(value: Any) -> str:
    """An id out of an expression; nothing is none."""
    return "" if value is None else str(value)
