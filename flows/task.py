"""What travels between the machine's drivers and the code that executes nodes, and the doors to the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from nodes.sdk.context import Context
from nodes.sdk.node import Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.services import Services
from telephony.call import Call


class CallFacts(BaseModel):
    """The call a flow runs on, as plain data."""

    model_config = ConfigDict(frozen=True)

    id: str
    gateway: str = ""
    caller: str = ""
    called: str = ""
    language: str = ""
    anonymous: bool = False


class FlowStart(BaseModel):
    """Everything a run begins with. ``plan`` is the content hash of the compiled version, to which the run is pinned.

    ``timezone``       the business's zone (IANA name): expressions see ``now`` in it
    ``history_limit``  history events after which the run continues as new; 0 leaves it to Temporal's advice
    ``engine``         the rules of `flows.workflow` that the run keeps to its end; `flows.temporal.start_flow` sets it
    """

    run_id: str
    business_id: str
    flow_id: str
    version: int
    plan: str
    kind: str
    inputs: dict[str, Any] = Field(default_factory=dict)
    call: CallFacts | None = None
    step_limit: int = 10_000
    alias: str = ""
    campaign: str = ""
    timezone: str = "UTC"
    history_limit: int = 0
    engine: int = 1


class Record(BaseModel):
    """A model that the machine changes in place, many times a step: fields are set without pydantic's ceremony."""

    if not TYPE_CHECKING:
        __setattr__ = object.__setattr__


class TrailStep(Record):
    """One step of a run's path. Written once when entered, completed when left. Times are UTC.

    ``changes`` is what the step changed besides its outputs (``variables``, ``call``, ``customer``): with it a run can
    be walked again.
    """

    seq: int
    node_id: str
    node_type: str
    node_name: str = ""
    flow_id: str = ""
    attempt: int = 1
    entered: datetime
    left: datetime | None = None
    port: str | None = None
    outputs: dict[str, Any] = Field(default_factory=dict)
    said: list[str] = Field(default_factory=list)
    error: str | None = None
    error_message: str | None = None
    changes: dict[str, Any] = Field(default_factory=dict)


class NodeTask(BaseModel):
    """One execution of a node outside the workflow. ``config`` is rendered: no template or expression is left.

    ``trail`` carries the steps that changed since the last task, for the trail sink; when ``enters`` is set, the
    execution's own step begins with it and its record follows from the task (`seen`).
    ``timeout`` is the node's limit in seconds from its policy, None for the limit of its kind.
    """

    run_id: str
    business_id: str
    flow_id: str
    version: int
    step: int
    attempt: int
    node_id: str
    node_type: str
    type_version: int = 1
    node_name: str = ""
    runs: Runs
    config: dict[str, Any]
    now: datetime
    call: CallFacts | None = None
    shortcuts: list[str] = Field(default_factory=list)
    trail: list[TrailStep] = Field(default_factory=list)
    enters: bool = False
    timeout: float | None = None

    def seen(self) -> list[TrailStep]:
        """What the trail sink should know by now."""
        if not self.enters:
            return self.trail
        own = TrailStep(
            seq=self.step,
            node_id=self.node_id,
            node_type=self.node_type,
            node_name=self.node_name,
            flow_id=self.flow_id,
            entered=self.now,
        )
        return [*self.trail, own]


class FlowResult(BaseModel):
    """How a run ended: ``completed`` at an end, ``hangup``, ``failed`` with a reason, ``stopped`` by a person.

    With ``hand_over`` the call goes on elsewhere, see `nodes.sdk.outcome.Outcome`; the reason is ``handed_over`` then.
    """

    outcome: Literal["completed", "hangup", "failed", "stopped"]
    reason: str = ""
    outputs: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict)
    steps: int = 0
    hand_over: dict[str, str] | None = None


class EffectsLedger(Protocol):
    """Intent before the act, outcome before it returns (architecture section 5)."""

    async def begin(self, task: NodeTask) -> tuple[Literal["new", "done", "unfinished"], Outcome | None]:
        """``new``: the intent is now recorded, act. ``done``: here is the recorded outcome. ``unfinished``: an
        earlier attempt of the infrastructure left an intent without outcome."""
        ...

    async def finish(self, task: NodeTask, outcome: Outcome) -> None: ...


class TrailSink(Protocol):
    """Takes trail steps and the end of runs; writes in batches; idempotent by run and seq."""

    async def steps(self, run_id: str, steps: Sequence[TrailStep]) -> None:
        """May return before the steps are durable."""
        ...

    async def finished(self, start: FlowStart, result: FlowResult, steps: Sequence[TrailStep]) -> None:
        """Returns when everything is durable."""
        ...


class Calls(Protocol):
    """The live calls of this process."""

    async def get(self, call_id: str) -> Call | None:
        """The live call, or None when it is over or unknown here."""
        ...


class PlanStore(Protocol):
    """Compiled plans by content hash."""

    async def load(self, plan_hash: str) -> bytes:
        """Raises KeyError."""
        ...


class ServicesFor(Protocol):
    """Services of one business."""

    def __call__(self, business_id: str) -> Services: ...


__all__ = [
    "CallFacts",
    "Calls",
    "Context",
    "EffectsLedger",
    "FlowResult",
    "FlowStart",
    "NodeTask",
    "PlanStore",
    "Record",
    "ServicesFor",
    "TrailSink",
    "TrailStep",
]
