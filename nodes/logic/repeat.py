"""Repeat a part of the flow."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import FlowScope
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text

MOST = 1000


class RepeatConfig(NodeConfig):
    times: Any = field(
        3,
        title=text("次数", "Times"),
        help=text("表达式；重复的次数，最多 1000", "An expression; how often to repeat, at most 1000"),
        widget="expression",
        expression=True,
    )


class Repeat(Node[RepeatConfig]):
    """Fire ``again`` that many times, then ``done`` once; the next visit begins anew."""

    Config = RepeatConfig
    meta = NodeMeta(
        type="logic.repeat",
        family="logic",
        icon="repeat",
        runs=Runs.IN_WORKFLOW,
        title=text("重复", "Repeat"),
        help=text("把连回此节点的一段重复若干次", "Repeats the part that leads back to it"),
    )
    example: ClassVar[Mapping[str, Any]] = {"times": 3}

    def ports(self, config: RepeatConfig) -> Sequence[Port]:
        return [Port(name="again", title=text("再来一次", "Again")), Port(name="done", title=text("结束", "Done"))]

    def outputs(self, config: RepeatConfig) -> Sequence[Output]:
        return [Output(name="count", type="number", title=text("第几次", "Which time this is"))]

    def decide(self, scope: FlowScope, config: RepeatConfig) -> Outcome:
        try:
            times = int(config.times)
        except (TypeError, ValueError):
            return Outcome.error("bad_times", f"times: {config.times!r} is no number")
        if not 0 <= times <= MOST:
            return Outcome.error("bad_times", f"times: {times} is not between 0 and {MOST}")
        count = scope.visits % (times + 1)
        if count == times:
            return Outcome(port="done", outputs={"count": times})
        return Outcome(port="again", outputs={"count": count + 1})
