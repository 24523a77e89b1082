"""Find a customer."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from nodes.customer.record import CUSTOMER_OUTPUTS, known, outputs_of
from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class FindConfig(NodeConfig):
    by: Literal["phone", "card", "id"] = field(
        "phone",
        title=text("查找方式", "Find by"),
        help=text("电话号码、卡号或客户编号", "Telephone number, card number or customer id"),
        widget="select",
        options={
            "phone": text("电话号码", "Phone number"),
            "card": text("卡号", "Card number"),
            "id": text("客户编号", "Customer id"),
        },
    )
    value: Any = field(
        title=text("值", "Value"),
        help=text("表达式，给出号码、卡号或编号", "An expression giving the number, card or id"),
        widget="expression",
        expression=True,
        secret=True,
        example="call.caller",
    )


class Find(Node[FindConfig]):
    """Find a customer; the one found is the run's ``customer`` from now on."""

    Config = FindConfig
    meta = NodeMeta(
        type="customer.find",
        family="customer",
        icon="user-search",
        runs=Runs.QUICK,
        title=text("查找客户", "Find customer"),
        help=text("按号码、卡号或编号查找客户资料", "Looks a customer up by number, card or id"),
    )
    example: ClassVar[Mapping[str, Any]] = {"by": "phone", "value": "call.caller"}

    def ports(self, config: FindConfig) -> Sequence[Port]:
        return [
            Port(name="found", title=text("找到", "Found")),
            Port(name="not_found", title=text("未找到", "Not found")),
        ]

    def outputs(self, config: FindConfig) -> Sequence[Output]:
        return CUSTOMER_OUTPUTS

    async def run(self, ctx: Context, config: FindConfig) -> Outcome:
        value = "" if config.value is None else str(config.value).strip()
        customer = await ctx.services.customers.find(by=config.by, value=value) if value else None
        if customer is None:
            return Outcome(port="not_found", outputs={"id": ""})
        return Outcome(port="found", outputs=outputs_of(customer), customer=known(customer, ctx.services.secrets))
