"""Branch on a black, white or VIP list."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class ListConfig(NodeConfig):
    list: str = field(
        title=text("名单", "List"),
        help=text("黑名单、白名单或贵宾名单的名称", "Name of a black, white or VIP list"),
        widget="list",
        example="black",
        min_length=1,
        max_length=100,
    )
    number: Any = field(
        title=text("号码", "Number"),
        help=text("表达式，给出要查的号码", "An expression giving the number to look for"),
        widget="expression",
        expression=True,
        example="call.caller",
    )


class NumberList(Node[ListConfig]):
    """Look a number up in a list. A number that is not shown is in no list."""

    Config = ListConfig
    meta = NodeMeta(
        type="logic.list",
        family="logic",
        icon="list-checks",
        runs=Runs.QUICK,
        title=text("名单", "Number list"),
        help=text("按黑名单、白名单或贵宾名单分支", "Branches on a black, white or VIP list"),
    )
    example: ClassVar[Mapping[str, Any]] = {"list": "black", "number": "call.caller"}

    def ports(self, config: ListConfig) -> Sequence[Port]:
        return [
            Port(name="listed", title=text("在名单中", "Listed")),
            Port(name="not_listed", title=text("不在名单中", "Not listed")),
        ]

    async def run(self, ctx: Context, config: ListConfig) -> Outcome:
        number = str(config.number or "").strip()
        listed = await ctx.services.lists.match(config.list, number) if number else False
        return Outcome(port="listed" if listed else "not_listed")
