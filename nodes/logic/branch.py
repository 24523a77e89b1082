"""Branch on a condition."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import FlowScope
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class BranchConfig(NodeConfig):
    condition: Any = field(
        title=text("条件", "Condition"),
        help=text(
            "表达式；空、0 和 none 走“否”，其余走“是”",
            "An expression; empty, 0 and none go by no, everything else by yes",
        ),
        widget="expression",
        expression=True,
        example="vars.amount > 100",
    )


class Branch(Node[BranchConfig]):
    """Go by ``yes`` or ``no``."""

    Config = BranchConfig
    meta = NodeMeta(
        type="logic.branch",
        family="logic",
        icon="git-branch",
        runs=Runs.IN_WORKFLOW,
        title=text("条件分支", "Branch"),
        help=text("按条件是否成立分为两路", "Goes one of two ways by a condition"),
    )
    example: ClassVar[Mapping[str, Any]] = {"condition": "call.anonymous"}

    def ports(self, config: BranchConfig) -> Sequence[Port]:
        return [Port(name="yes", title=text("是", "Yes")), Port(name="no", title=text("否", "No"))]

    def decide(self, scope: FlowScope, config: BranchConfig) -> Outcome:
        return Outcome(port="yes" if config.condition else "no")
