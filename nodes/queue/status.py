"""Branch by how a queue stands."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class StatusConfig(NodeConfig):
    queue: str = field(
        title=text("队列", "Queue"),
        help=text("队列名称，可用模板", "Name of the queue; may be a template"),
        widget="text",
        template=True,
        example="hotline",
        min_length=1,
        max_length=200,
    )
    most_waiting: int = field(
        20,
        title=text("排队人数上限", "Most waiting"),
        help=text("达到此人数走“过长”", "From so many callers on it is long"),
        widget="number",
        ge=1,
        le=10000,
    )
    longest_wait: float = field(
        600,
        title=text("预计等待上限（秒）", "Longest expected wait (seconds)"),
        help=text("预计等待达到此时间走“过长”", "From so long an expected wait on it is long"),
        widget="duration",
        ge=1,
        le=14400,
    )


class Status(Node[StatusConfig]):
    """Ask a queue how it stands.

    - ``closed``: nobody is signed in; ``ready``: somebody is free and nobody waits; else ``busy``, or ``long`` when too
      many wait or it takes too long
    """

    Config = StatusConfig
    meta = NodeMeta(
        type="queue.status",
        family="queue",
        icon="activity",
        runs=Runs.QUICK,
        title=text("队列状态", "Queue status"),
        help=text("按空闲坐席、排队人数和预计等待分支", "Branches on agents ready, callers waiting, expected wait"),
    )
    example: ClassVar[Mapping[str, Any]] = {"queue": "hotline"}

    def ports(self, config: StatusConfig) -> Sequence[Port]:
        return [
            Port(name="ready", title=text("有空闲坐席", "Somebody is free")),
            Port(name="busy", title=text("需等待", "A wait")),
            Port(name="long", title=text("过长", "A long wait")),
            Port(name="closed", title=text("无人值守", "Nobody signed in")),
        ]

    def outputs(self, config: StatusConfig) -> Sequence[Output]:
        return [
            Output(name="waiting", type="number", title=text("排队人数", "Callers waiting")),
            Output(name="longest", type="number", title=text("最长等待秒数", "Longest wait in seconds")),
            Output(name="expected", type="number", title=text("预计等待秒数", "Expected wait in seconds")),
            Output(name="ready", type="number", title=text("空闲坐席", "Agents ready")),
            Output(name="signed_in", type="number", title=text("签入坐席", "Agents signed in")),
        ]

    async def run(self, ctx: Context, config: StatusConfig) -> Outcome:
        now = await ctx.services.queues.state(config.queue.strip())
        if now.signed_in == 0:
            port = "closed"
        elif now.ready > now.waiting:
            port = "ready"
        elif now.waiting >= config.most_waiting or (now.expected or 0.0) >= config.longest_wait:
            port = "long"
        else:
            port = "busy"
        return Outcome(port=port, outputs=now.model_dump())
