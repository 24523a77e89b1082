"""Go several ways at once. The machine itself executes it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from nodes.sdk.config import FieldError, NodeConfig, field
from nodes.sdk.node import Node, NodeMeta, Port, Runs
from nodes.sdk.text import text


class ParallelConfig(NodeConfig):
    branches: list[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]] = field(
        default_factory=lambda: ["a", "b"],
        title=text("支路", "Branches"),
        help=text("同时进行的支路名称，每个一个出口", "Names of the branches that run at once, each a way out"),
        widget="choices",
        port=True,
        min_length=2,
        max_length=20,
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len(set(self.branches)) < len(self.branches):
            raise FieldError("branches", "每个名称只能用一次，请改名", "each name may be used once: rename one")
        if taken := {"error", "hangup"} & set(self.branches):
            raise FieldError(
                "branches", f"名称 {min(taken)} 已被占用，请改名", f"the name {min(taken)} is taken, choose another"
            )
        return self


class Parallel(Node[ParallelConfig]):
    """Start every branch at once; a join brings them together. A call has one place at a time, so it has none."""

    Config = ParallelConfig
    meta = NodeMeta(
        type="logic.parallel",
        family="logic",
        icon="git-fork",
        runs=Runs.IN_WORKFLOW,
        title=text("并行", "Parallel"),
        help=text("同时进行多个支路", "Runs several branches at once"),
        kinds=("campaign", "callback", "ticket", "subflow"),
    )
    example: ClassVar[Mapping[str, Any]] = {"branches": ["a", "b"]}

    def ports(self, config: ParallelConfig) -> Sequence[Port]:
        return [Port(name=name, title=text(name, name)) for name in config.branches]
