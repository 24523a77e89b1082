"""Run another flow as a step of this one. The machine itself executes it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.node import NEXT, Node, NodeMeta, Output, Port, Runs
from nodes.sdk.text import text


class SubflowConfig(NodeConfig):
    flow: str = field(
        title=text("流程", "Flow"),
        help=text("要运行的子流程", "The flow to run"),
        widget="flow",
        example="balance",
        min_length=1,
        max_length=100,
    )
    alias: str = field(
        "live",
        title=text("别名", "Alias"),
        help=text("运行该别名指向的版本", "Runs the version that this alias points at"),
        widget="text",
        pattern=r"^[a-z0-9_-]{0,32}$",
    )
    version: int | None = field(
        None,
        title=text("版本", "Version"),
        help=text(
            "固定运行此版本，优先于别名；空为按别名", "Runs this version whatever the alias says; empty for the alias"
        ),
        widget="number",
        ge=1,
    )
    inputs: dict[str, Any] = field(
        default_factory=dict,
        title=text("输入", "Inputs"),
        help=text("子流程的输入，每个是一个表达式", "The flow’s inputs, each an expression"),
        widget="keyvalue",
        expression=True,
        example={"card": "vars.card"},
    )


class Subflow(Node[SubflowConfig]):
    """Run a flow; its outputs are read as ``nodes.<id>.<output>``."""

    Config = SubflowConfig
    meta = NodeMeta(
        type="logic.subflow",
        family="logic",
        icon="workflow",
        runs=Runs.IN_WORKFLOW,
        title=text("子流程", "Subflow"),
        help=text("把另一个流程作为一步运行", "Runs another flow as one step"),
    )
    example: ClassVar[Mapping[str, Any]] = {"flow": "balance"}

    def ports(self, config: SubflowConfig) -> Sequence[Port]:
        return [NEXT]

    def outputs(self, config: SubflowConfig) -> Sequence[Output]:
        return []
