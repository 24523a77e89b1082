"""Bring parallel branches together. The machine itself executes it."""

from typing import Literal

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.node import Node, NodeMeta, Runs
from nodes.sdk.text import text


class JoinConfig(NodeConfig):
    wait: Literal["all", "first"] = field(
        "all",
        title=text("等待", "Wait for"),
        help=text(
            "等全部支路，或最先到达的一路（其余停止）",
            "All branches, or the first one to arrive (the others are stopped)",
        ),
        widget="select",
        options={"all": text("全部支路", "All branches"), "first": text("最先到达的一路", "The first to arrive")},
    )


class Join(Node[JoinConfig]):
    """Wait for the branches of a parallel node, then go on once."""

    Config = JoinConfig
    meta = NodeMeta(
        type="logic.join",
        family="logic",
        icon="git-merge",
        runs=Runs.IN_WORKFLOW,
        title=text("汇合", "Join"),
        help=text("汇合并行的支路", "Brings parallel branches together"),
        kinds=("campaign", "callback", "ticket", "subflow"),
    )
