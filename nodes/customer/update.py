"""Change a customer's record."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.customer.record import CUSTOMER_OUTPUTS, known, outputs_of
from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text


class UpdateConfig(NodeConfig):
    customer: Any = field(
        title=text("客户", "Customer"),
        help=text("表达式，给出客户编号", "An expression giving the customer’s id"),
        widget="expression",
        expression=True,
        example="customer.id",
    )
    changes: dict[str, Any] = field(
        title=text("修改", "Changes"),
        help=text("字段及其新值，每个值是一个表达式", "Fields and their new values, each an expression"),
        widget="keyvalue",
        expression=True,
        secret=True,
        example={"level": "'gold'"},
        min_length=1,
    )


class Update(Node[UpdateConfig]):
    """Set fields of a customer. Doing it twice does no harm."""

    Config = UpdateConfig
    meta = NodeMeta(
        type="customer.update",
        family="customer",
        icon="user-pen",
        runs=Runs.QUICK,
        title=text("修改客户", "Update customer"),
        help=text("修改客户资料的字段", "Sets fields of a customer’s record"),
    )
    example: ClassVar[Mapping[str, Any]] = {"customer": "customer.id", "changes": {"level": "'gold'"}}

    def outputs(self, config: UpdateConfig) -> Sequence[Output]:
        return CUSTOMER_OUTPUTS

    async def run(self, ctx: Context, config: UpdateConfig) -> Outcome:
        if not config.customer:
            raise NodeError("not_found", "customer: no customer is known here; find one first")
        customer = await ctx.services.customers.update(str(config.customer), config.changes)
        return Outcome(port="next", outputs=outputs_of(customer), customer=known(customer, ctx.services.secrets))
