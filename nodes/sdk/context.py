"""What a node's code gets to see and use while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nodes.sdk.services import Services
from telephony.call import Call


@dataclass(frozen=True, slots=True)
class FlowScope:
    """The deterministic view of an IN_WORKFLOW node: plain data, the workflow's clock and random draw.

    ``visits``  how often this node was entered before in this run (0 at first)
    ``memory``  what the node stored at its last execution in this frame, and may replace through
                ``Outcome.outputs``
    ``draw``    a number in [0, 1) from the run's seeded source, the same on replay
    """

    now: datetime
    variables: Mapping[str, Any]
    call: Mapping[str, Any]
    customer: Mapping[str, Any]
    outputs: Mapping[str, Any]
    visits: int
    draw: float


@dataclass(slots=True)
class Context:
    """What `Node.run` works with.

    ``run_id``/``step``/``attempt`` name the execution: `key` built from them is stable over retries by
    the infrastructure and is what idempotent effects are keyed by. ``partial`` holds outputs to keep
    when the caller hangs up in the middle. ``said`` collects the words the caller heard,
    which the runner puts into the outcome when the node did not.
    """

    run_id: str
    step: int
    attempt: int
    node_id: str
    business_id: str
    now: datetime
    services: Services
    language: str
    shortcuts: frozenset[str] = frozenset()
    maybe_call: Call | None = None
    partial: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Identity of this execution, the same when the infrastructure runs it again."""
        return f"{self.run_id}-{self.step}-{self.attempt}"

    @property
    def call(self) -> Call:
        """The call this node runs on. Only nodes that need a call may ask."""
        if self.maybe_call is None:
            raise RuntimeError("this node runs without a call")
        return self.maybe_call
