"""Split by percentage."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.context import FlowScope
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.text import text


class Share(NodeConfig):
    name: str = field(
        title=text("出口", "Port"),
        help=text("出口名称：小写字母、数字和下划线", "Name of the way out: small letters, digits and underscores"),
        widget="text",
        example="a",
        port=True,
        pattern=r"^[a-z0-9_]{1,32}$",
    )
    percent: float = field(
        title=text("百分比", "Percent"),
        help=text("走该出口的比例", "Share of the runs that go this way"),
        widget="number",
        example=50,
        ge=0,
        le=100,
    )


class SplitConfig(NodeConfig):
    shares: list[Share] = field(
        title=text("比例", "Shares"),
        help=text("各出口的百分比，合计 100", "Percentages of the ways out, 100 together"),
        widget="choices",
        unique=["name"],
        min_length=2,
        max_length=20,
    )

    @model_validator(mode="after")
    def _shares_are_whole(self) -> Self:
        names = [share.name for share in self.shares]
        if len(set(names)) < len(names):
            raise FieldError("shares", "每个出口名称只能用一次，请改名", "each name may be used once: rename one")
        if taken := {"error", "hangup"} & set(names):
            raise FieldError(
                "shares", f"名称 {min(taken)} 已被占用，请改名", f"the name {min(taken)} is taken, choose another"
            )
        total = sum(share.percent for share in self.shares)
        if abs(total - 100) > 1e-6:
            raise FieldError(
                "shares",
                f"百分比合计应为 100，现在是 {total:g}",
                f"the percentages must add up to 100, not {total:g}",
            )
        return self


class Split(Node[SplitConfig]):
    """Send runs different ways by chance, the same way on replay."""

    Config = SplitConfig
    meta = NodeMeta(
        type="logic.split",
        family="logic",
        icon="percent",
        runs=Runs.IN_WORKFLOW,
        title=text("按比例分流", "Split by percentage"),
        help=text("按百分比随机分流", "Sends runs different ways by chance"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "shares": [{"name": "a", "percent": 50}, {"name": "b", "percent": 50}],
    }

    def ports(self, config: SplitConfig) -> Sequence[Port]:
        ports = []
        for share in config.shares:
            label = f"{share.name} {share.percent:g}%"
            ports.append(Port(name=share.name, title=text(label, label)))
        return ports

    def decide(self, scope: FlowScope, config: SplitConfig) -> Outcome:
        reached = 0.0
        chances = [share for share in config.shares if share.percent > 0]
        for share in chances:
            reached += share.percent / 100
            if scope.draw < reached:
                return Outcome(port=share.name)
        # The sum of the shares may fall short of 1 by a rounding error.
        return Outcome(port=chances[-1].name)
