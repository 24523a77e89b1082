"""Check a customer's PIN."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.customer.record import known
from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class VerifyPinConfig(NodeConfig):
    card: Any = field(
        title=text("卡号", "Card number"),
        help=text("表达式，给出卡号", "An expression giving the card number"),
        widget="expression",
        expression=True,
        secret=True,
        example="nodes.card.digits",
    )
    pin: Any = field(
        title=text("密码", "PIN"),
        help=text("表达式，给出输入的密码", "An expression giving the PIN that was entered"),
        widget="expression",
        expression=True,
        secret=True,
        example="nodes.pin.digits",
    )
    tries: int = field(
        3,
        title=text("允许次数", "Tries"),
        help=text("连续输错几次后锁定", "Wrong PINs in a row that lock the card"),
        widget="number",
        ge=1,
        le=10,
    )


class VerifyPin(Node[VerifyPinConfig]):
    """Check a PIN. The right one makes the card's holder the run's ``customer``; too many wrong ones lock the card."""

    Config = VerifyPinConfig
    meta = NodeMeta(
        type="customer.verify_pin",
        family="customer",
        icon="lock-keyhole",
        runs=Runs.QUICK,
        title=text("验证密码", "Verify PIN"),
        help=text("核对卡号和密码，多次输错则锁定", "Checks card and PIN; wrong PINs lock the card"),
    )
    example: ClassVar[Mapping[str, Any]] = {"card": "nodes.card.digits", "pin": "nodes.pin.digits"}

    def ports(self, config: VerifyPinConfig) -> Sequence[Port]:
        return [
            Port(name="ok", title=text("正确", "Right")),
            Port(name="wrong", title=text("错误", "Wrong")),
            Port(name="locked", title=text("已锁定", "Locked")),
            Port(name="unknown", title=text("卡号不存在", "Unknown card")),
        ]

    def outputs(self, config: VerifyPinConfig) -> Sequence[Output]:
        return [Output(name="left", type="number", title=text("剩余次数", "Tries left"))]

    async def run(self, ctx: Context, config: VerifyPinConfig) -> Outcome:
        found = await ctx.services.customers.check_pin(
            card=_digits(config.card), pin=_digits(config.pin), tries=config.tries, key=ctx.key
        )
        customer = known(found.customer, ctx.services.secrets) if found.customer else None
        return Outcome(port=found.result, outputs={"left": found.left}, customer=customer)


def _digits(value: Any) -> str:
    return "" if value is None else str(value).strip()
