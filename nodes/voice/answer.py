"""Answer the call."""

from nodes.sdk.config import NodeConfig
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class Answer(Node[NodeConfig]):
    """Answer the call; no harm when it is answered already."""

    meta = NodeMeta(
        type="voice.answer",
        family="voice",
        icon="phone-incoming",
        runs=Runs.CALL_SHORT,
        title=text("接听", "Answer"),
        help=text("接听来电，之后才能播放语音", "Takes the call, so that the caller can hear something"),
        kinds=("ivr", "campaign", "callback", "subflow"),
    )

    async def run(self, ctx: Context, config: NodeConfig) -> Outcome:
        await ctx.call.answer()
        return Outcome(port="next")
