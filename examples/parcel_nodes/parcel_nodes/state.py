"""Where is the parcel?"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.context import Context
from nodes.sdk.node import Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.text import text


class StateConfig(NodeConfig):
    number: Any = field(
        title=text("单号", "Number"),
        help=text("给出单号的表达式", "An expression giving the parcel number"),
        expression=True,
        example="nodes.check.number",
    )
    service: str = field(
        title=text("服务地址", "Service"),
        help=text("查询服务的地址，单号接在后面", "Address of the tracking service; the number is put behind it"),
        pattern=r"^https?://\S+$",
        example="https://tracking.example.com/parcels/",
    )


class ParcelState(Node[StateConfig]):
    """``found`` and ``unknown`` are answers of the service; a service that fails for now may be asked again."""

    Config = StateConfig
    meta = NodeMeta(
        type="parcel.state",
        family="web",
        icon="truck",
        runs=Runs.ACTIVITY,
        title=text("查询包裹", "Parcel state"),
        help=text("向查询服务询问包裹状态", "Asks the tracking service where a parcel is"),
    )
    example: ClassVar[Mapping[str, Any]] = {
        "number": "nodes.check.number",
        "service": "https://tracking.example.com/parcels/",
    }

    def ports(self, config: StateConfig) -> Sequence[Port]:
        return [
            Port(name="found", title=text("已找到", "Found")),
            Port(name="unknown", title=text("未找到", "Unknown")),
        ]

    def outputs(self, config: StateConfig) -> Sequence[Output]:
        return [
            Output(name="state", type="string", title=text("状态", "State")),
            Output(name="place", type="string", title=text("所在地", "Place")),
        ]

    async def run(self, ctx: Context, config: StateConfig) -> Outcome:
        reply = await ctx.services.web.request(
            "GET",
            f"{config.service}{config.number}",
            headers={"accept": "application/json"},
            query={},
            body=None,
            timeout=5,
            credential=None,
            max_bytes=100_000,
        )
        if reply.status == 404:
            return Outcome(port="unknown")
        if reply.status >= 500:
            raise NodeError("service_failed", f"the tracking service said {reply.status}", retryable=True)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise NodeError("bad_answer", f"the tracking service said {reply.status} without a parcel")
        found = {name: str(reply.body.get(name, "")) for name in ("state", "place")}
        return Outcome(port="found", outputs=found)
