"""Hang up."""

from collections.abc import Sequence

from nodes.sdk.config import NodeConfig
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class Hangup(Node[NodeConfig]):
    """End the call. What is wired after it runs without a caller."""

    meta = NodeMeta(
        type="voice.hangup",
        family="voice",
        icon="phone-missed",
        runs=Runs.CALL_SHORT,
        title=text("挂机", "Hang up"),
        help=text("结束通话；之后的节点在没有来电者的情况下运行", "Ends the call; nodes after it run without a caller"),
        terminal=True,
        kinds=("ivr", "campaign", "callback", "subflow"),
    )

    def ports(self, config: NodeConfig) -> Sequence[Port]:
        return [Port(name="next", title=text("之后", "Afterwards"), required=False)]

    async def run(self, ctx: Context, config: NodeConfig) -> Outcome:
        await ctx.call.hang_up()
        return Outcome(port="next")
