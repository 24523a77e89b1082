"""Set variables."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import FlowScope
from nodes.sdk.node import Node, NodeMeta, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class Assignment(NodeConfig):
    name: str = field(
        title=text("变量", "Variable"),
        help=text("要赋值的流程变量", "The flow variable to set"),
        widget="variable",
        example="amount",
        pattern=r"^[a-z_][a-z0-9_]{0,63}$",
    )
    value: Any = field(
        title=text("值", "Value"),
        help=text("表达式", "An expression"),
        widget="expression",
        expression=True,
        example="nodes.balance.amount * 2",
    )


class SetConfig(NodeConfig):
    assignments: list[Assignment] = field(
        title=text("赋值", "Assignments"),
        help=text("所有表达式先用旧值计算，再一起赋值", "All are computed from the old values, then set together"),
        widget="keyvalue",
        unique=["name"],
        min_length=1,
        max_length=50,
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [assignment.name for assignment in self.assignments]
        if len(set(names)) < len(names):
            raise FieldError(
                "assignments", "每个变量只能赋值一次，请删除一个", "each variable may be set once: remove one"
            )
        return self


class SetVariables(Node[SetConfig]):
    """Set flow variables."""

    Config = SetConfig
    meta = NodeMeta(
        type="logic.set",
        family="logic",
        icon="variable",
        runs=Runs.IN_WORKFLOW,
        title=text("设置变量", "Set variables"),
        help=text("给流程变量赋值", "Gives values to flow variables"),
    )
    example: ClassVar[Mapping[str, Any]] = {"assignments": [{"name": "amount", "value": "0"}]}

    def decide(self, scope: FlowScope, config: SetConfig) -> Outcome:
        return Outcome(port="next", variables={item.name: item.value for item in config.assignments})
