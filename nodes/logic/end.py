"""End the flow. The machine itself executes it."""

from collections.abc import Sequence
from typing import Any

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.text import text


class EndConfig(NodeConfig):
    outcome: str = field(
        "completed",
        title=text("结果", "Outcome"),
        help=text("流程以什么结果结束，用于统计", "What the flow ended with, for statistics"),
        widget="text",
        pattern=r"^[a-z0-9_-]{1,64}$",
    )
    outputs: dict[str, Any] = field(
        default_factory=dict,
        title=text("输出", "Outputs"),
        help=text("流程的输出，每个是一个表达式", "The flow’s outputs, each an expression"),
        widget="keyvalue",
        expression=True,
        example={"amount": "vars.amount"},
    )


class End(Node[EndConfig]):
    """End the flow, or go back to the flow that runs it as a subflow."""

    Config = EndConfig
    meta = NodeMeta(
        type="logic.end",
        family="logic",
        icon="square",
        runs=Runs.IN_WORKFLOW,
        title=text("结束", "End"),
        help=text("结束流程并给出结果", "Ends the flow with an outcome"),
        terminal=True,
    )

    def ports(self, config: EndConfig) -> Sequence[Port]:
        return []
