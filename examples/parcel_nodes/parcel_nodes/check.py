"""Is what the caller entered the number of a parcel?"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text

WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def is_parcel_number(digits: str) -> bool:
    """Whether nine digits end in their check digit (UPU S10: weights 8 6 4 2 3 5 9 7, modulus 11)."""
    if len(digits) != 9 or not digits.isascii() or not digits.isdigit():
        return False
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=False)) % 11
    return int(digits[8]) == {10: 0, 11: 5}.get(rest, rest)


class CheckConfig(NodeConfig):
    digits: Any = field(
        title=text("单号", "Number"),
        help=text("给出九位数字的表达式", "An expression giving the nine digits"),
        expression=True,
        example="nodes.collect.digits",
    )


class CheckParcelNumber(Node[CheckConfig]):
    """``valid`` fires when the check digit is right, ``invalid`` otherwise; spaces and dashes do not count."""

    Config = CheckConfig
    meta = NodeMeta(
        type="parcel.check",
        family="logic",
        icon="package-check",
        runs=Runs.QUICK,
        title=text("核对单号", "Check parcel number"),
        help=text("按校验位核对快递单号", "Checks a parcel number by its check digit"),
    )
    example: ClassVar[Mapping[str, Any]] = {"digits": "nodes.collect.digits"}

    def ports(self, config: CheckConfig) -> Sequence[Port]:
        return [Port(name="valid", title=text("正确", "Valid")), Port(name="invalid", title=text("错误", "Invalid"))]

    def outputs(self, config: CheckConfig) -> Sequence[Output]:
        return [Output(name="number", type="string", title=text("单号", "Number"))]

    async def run(self, ctx: Context, config: CheckConfig) -> Outcome:
        digits = "".join(char for char in str(config.digits) if char not in " -")
        return Outcome(port="valid" if is_parcel_number(digits) else "invalid", outputs={"number": digits})
