"""Branch on a value."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import FlowScope
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class Case(NodeConfig):
    name: str = field(
        title=text("出口", "Port"),
        help=text("出口名称：小写字母、数字和下划线", "Name of the way out: small letters, digits and underscores"),
        widget="text",
        example="gold",
        port=True,
        pattern=r"^[a-z0-9_]{1,32}$",
    )
    value: str = field(
        title=text("值", "Value"),
        help=text("等于此值时走该出口", "This way is taken when the value equals it"),
        widget="text",
        example="gold",
        max_length=200,
    )
    label: str = field(
        "",
        title=text("名称", "Label"),
        help=text("流程图上显示的名称", "Its name on the canvas"),
        widget="text",
        max_length=60,
    )


class SwitchConfig(NodeConfig):
    value: Any = field(
        title=text("值", "Value"),
        help=text("表达式，其值与各情形比较", "An expression; its value is compared with the cases"),
        widget="expression",
        expression=True,
        example="customer.level",
    )
    cases: list[Case] = field(
        title=text("情形", "Cases"),
        help=text("每种情形一个出口", "Each case is a way out"),
        widget="choices",
        unique=["name", "value"],
        min_length=1,
        max_length=50,
    )

    @model_validator(mode="after")
    def _cases_differ(self) -> Self:
        for zh, en, found in (
            ("出口", "name", [case.name for case in self.cases]),
            ("值", "value", [case.value for case in self.cases]),
        ):
            if len(set(found)) < len(found):
                raise FieldError(
                    "cases", f"每个{zh}只能用一次，请改用另一个", f"each {en} may be used once: change one"
                )
        if taken := {"other", "error", "hangup"} & {case.name for case in self.cases}:
            raise FieldError(
                "cases", f"名称 {min(taken)} 已被占用，请改名", f"the name {min(taken)} is taken, choose another"
            )
        return self


def as_text(value: Any) -> str:
    """A value as an author would write it: ``3`` for 3.0, ``true`` for True, nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


class Switch(Node[SwitchConfig]):
    """Go by the case that equals a value, else by ``other``."""

    Config = SwitchConfig
    meta = NodeMeta(
        type="logic.switch",
        family="logic",
        icon="split",
        runs=Runs.IN_WORKFLOW,
        title=text("多路分支", "Switch"),
        help=text("按一个值分为多路", "Goes one of several ways by a value"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "value": "customer.level",
        "cases": [{"name": "gold", "value": "gold", "label": "金卡 Gold"}],
    }

    def ports(self, config: SwitchConfig) -> Sequence[Port]:
        ports = []
        for case in config.cases:
            label = case.label or case.value or case.name
            ports.append(Port(name=case.name, title=text(label, label)))
        return [*ports, Port(name="other", title=text("其他", "Other"))]

    def decide(self, scope: FlowScope, config: SwitchConfig) -> Outcome:
        value = as_text(config.value)
        return Outcome(port=next((case.name for case in config.cases if case.value == value), "other"))
