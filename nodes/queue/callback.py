"""Call back when an agent is free, with the place in line kept."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.services import QueueAsk
from nodes.sdk.text import text


class CallBackConfig(NodeConfig):
    queue: str = field(
        title=text("队列", "Queue"),
        help=text("队列名称，可用模板；来电者在此队列的位次保留", "Its name; the caller’s place in it is kept"),
        widget="text",
        template=True,
        example="hotline",
        min_length=1,
        max_length=200,
    )
    number: str = field(
        "",
        title=text("回拨号码", "Number"),
        help=text("空为来电号码，可用模板", "Empty for the caller’s own; may be a template"),
        widget="phone",
        template=True,
        max_length=200,
    )
    priority: int = field(
        0,
        title=text("优先级", "Priority"),
        help=text("越大越先", "Higher goes first"),
        widget="number",
        ge=-100,
        le=100,
    )

    attempts: int = field(
        3,
        title=text("尝试次数", "Tries"),
        help=text(
            "对方未接时最多拨打几次，仍未接通则转为队列任务",
            "How often the number is called when nobody answers; after that it becomes a task of the queue",
        ),
        widget="number",
        ge=1,
        le=20,
    )
    pause: float = field(
        900,
        title=text("重试间隔（秒）", "Pause (seconds)"),
        help=text("两次拨打之间的间隔", "Between two tries"),
        widget="duration",
        ge=1,
        le=86400,
    )


class CallBack(Node[CallBackConfig]):
    """Leave a call-back in a queue.

    - the place counts from when the caller entered that queue, so leaving costs nothing
    - when the turn comes the agent's phone rings first, then the number is dialled
    - a number that does not answer is tried again after a pause, by whoever is free then; at last it becomes a task
    - the same execution leaves one call-back, however often it runs
    """

    Config = CallBackConfig
    meta = NodeMeta(
        type="queue.callback",
        family="queue",
        icon="phone-incoming",
        runs=Runs.QUICK,
        title=text("保位回拨", "Call back, keeping the place"),
        help=text("来电者挂机，轮到时由坐席回拨", "The caller hangs up and is called when it is their turn"),
    )
    example: ClassVar[Mapping[str, Any]] = {"queue": "hotline"}

    def ports(self, config: CallBackConfig) -> Sequence[Port]:
        return [
            Port(name="kept", title=text("已登记", "Kept")),
            Port(name="refused", title=text("不能回拨", "Refused")),
        ]

    def outputs(self, config: CallBackConfig) -> Sequence[Output]:
        return [
            Output(name="id", type="string", title=text("登记号", "Id of the call-back")),
            Output(name="number", type="string", title=text("回拨号码", "Number")),
        ]

    async def run(self, ctx: Context, config: CallBackConfig) -> Outcome:
        call = ctx.maybe_call
        number = config.number.strip() or (call.caller if call is not None else "")
        if not number:
            return Outcome(port="refused", outputs={"number": ""})
        ask = QueueAsk(
            queue=config.queue.strip(),
            call_id=call.id if call is not None else "",
            caller=call.caller if call is not None else number,
            called=call.called if call is not None else "",
            language=ctx.language,
            priority=config.priority,
            callback=number,
            attempts=config.attempts,
            pause=config.pause,
        )
        try:
            ticket = await ctx.services.queues.enter(ask, key=ctx.key)
        except NodeError as problem:
            if problem.failure.reason != "bad_number":
                raise
            return Outcome(port="refused", outputs={"number": number})
        if ticket.refused:
            return Outcome(port="refused", outputs={"number": number})
        return Outcome(port="kept", outputs={"id": ticket.id, "number": number})
