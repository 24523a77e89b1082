"""Refuse the call before it is answered."""

from collections.abc import Sequence
from typing import Literal

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class RejectConfig(NodeConfig):
    cause: Literal["busy", "rejected", "unknown_number", "congestion"] = field(
        "rejected",
        title=text("原因", "Cause"),
        help=text(
            "主叫听到的原因：忙、拒绝、空号或线路繁忙",
            "What the caller’s network is told: busy, rejected, number unknown or lines congested",
        ),
        widget="select",
        options={
            "busy": text("忙", "Busy"),
            "rejected": text("拒绝", "Rejected"),
            "unknown_number": text("空号", "Number unknown"),
            "congestion": text("线路繁忙", "Lines congested"),
        },
    )


class Reject(Node[RejectConfig]):
    """Refuse an unanswered call with a cause; an answered one is hung up."""

    Config = RejectConfig
    meta = NodeMeta(
        type="voice.reject",
        family="voice",
        icon="phone-off",
        runs=Runs.CALL_SHORT,
        title=text("拒接", "Reject"),
        help=text(
            "不接听并告知原因，例如黑名单来电", "Refuses the call with a cause, for a black-listed caller for example"
        ),
        terminal=True,
        kinds=("ivr", "subflow"),
    )

    def ports(self, config: RejectConfig) -> Sequence[Port]:
        return [Port(name="next", title=text("之后", "Afterwards"), required=False)]

    async def run(self, ctx: Context, config: RejectConfig) -> Outcome:
        if ctx.call.answered:
            await ctx.call.hang_up()
        else:
            await ctx.call.reject(config.cause)
        return Outcome(port="next")
