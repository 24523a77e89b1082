"""The node contract: a class with a typed config gives palette entry, form, validation, docs and activity."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from nodes.sdk.config import NodeConfig
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.outcome import ERROR, HANGUP, Outcome, WaitFor
from nodes.sdk.text import Text, text

Family = Literal["voice", "logic", "queue", "customer", "ticket", "messaging", "campaign", "web"]
FlowKind = Literal["ivr", "campaign", "callback", "ticket", "subflow"]


class Runs(StrEnum):
    """Where a node's code runs (architecture section 4).

    ``IN_WORKFLOW``  deterministic, no I/O; may wait for timers and signals: override `decide` (and `resume`)
    ``QUICK``        idempotent database work of at most a second: a local activity; override `run`
    ``ACTIVITY``     longer or outside work (HTTP, mail, SMS), cancellable: an activity; override `run`
    ``CALL_SHORT``   on the call, bounded to ~2 s (answer, hang up): a local activity in the gateway; override `run`
    ``ON_CALL``      on the call, waiting for people: an activity in the gateway; override `run`
    """

    IN_WORKFLOW = "in_workflow"
    QUICK = "quick"
    ACTIVITY = "activity"
    CALL_SHORT = "call_short"
    ON_CALL = "on_call"

    @property
    def needs_call(self) -> bool:
        """Whether the node can only run where a call is."""
        return self in (Runs.CALL_SHORT, Runs.ON_CALL)


class Port(BaseModel):
    """A way out of a node.

    ``required`` ports must be wired before publish; the others end the flow quietly when unwired.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: Text
    required: bool = True


class Output(BaseModel):
    """A value that the node leaves behind as ``nodes.<id>.<name>``. A secret one travels encrypted."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: Literal["string", "number", "boolean", "object", "list", "any"] = "any"
    title: Text
    secret: bool = False


class NodeMeta(BaseModel):
    """What the palette, the docs and the engine know about a node type.

    ``effects``  the node acts on the world (dials, sends, records, charges, writes outside): the runner
                 keeps a ledger row per execution so that a retry never repeats the act
    ``terminal`` the flow may end here without an edge
    """

    model_config = ConfigDict(frozen=True)

    type: str
    version: int = 1
    family: Family
    icon: str
    runs: Runs
    title: Text
    help: Text
    effects: bool = False
    terminal: bool = False
    kinds: tuple[FlowKind, ...] = ("ivr", "campaign", "callback", "ticket", "subflow")


class Woken(BaseModel):
    """Why a wait ended: the timer (``timeout``), a signal with its data, or the caller's hang-up."""

    model_config = ConfigDict(frozen=True)

    by: Literal["timeout", "signal", "hangup"]
    data: dict[str, Any] = {}
    memory: dict[str, Any] = {}


ConfigT = TypeVar("ConfigT", bound=NodeConfig)


class Node(Generic[ConfigT]):
    """Base of all nodes. Stateless: one instance serves every execution.

    Rules:
    - exactly one declared port fires per execution, or ``error`` / ``hangup`` / a shortcut, which every
      node of the right kind has without declaring them
    - `run` lets `telephony.errors.HungUp` pass; what is worth keeping is put into ``ctx.partial`` first
    - `run` may be cancelled at any await and must not swallow the cancellation
    """

    Config: ClassVar[type[NodeConfig]] = NodeConfig
    meta: ClassVar[NodeMeta]
    example: ClassVar[Mapping[str, Any]] = {}
    """A small valid config: what the designer puts on the canvas and the docs show."""

    def ports(self, config: ConfigT) -> Sequence[Port]:
        """The ports of a node with this config, without ``error`` and ``hangup`` (see `all_ports`)."""
        return [NEXT]

    def outputs(self, config: ConfigT) -> Sequence[Output]:
        """The values the node leaves behind."""
        return []

    async def run(self, ctx: Context, config: ConfigT) -> Outcome:
        """Do the work (QUICK, ACTIVITY, CALL_SHORT, ON_CALL)."""
        raise NotImplementedError(f"{self.meta.type} has no run()")

    async def reconcile(self, ctx: Context, config: ConfigT) -> Outcome | None:
        """Called when an effect began and its outcome was lost: ask the outside world what happened.

        None means "cannot be known": the runner then fires ``error`` with the reason ``unknown``.
        """
        return None

    def decide(self, scope: FlowScope, config: ConfigT) -> "Outcome | WaitFor":
        """Decide at once, without I/O (IN_WORKFLOW)."""
        raise NotImplementedError(f"{self.meta.type} has no decide()")

    def resume(self, scope: FlowScope, config: ConfigT, woken: Woken) -> "Outcome | WaitFor":
        """Go on after a `WaitFor` (IN_WORKFLOW), or after `run` left with `Outcome.waiting`."""
        raise NotImplementedError(f"{self.meta.type} has no resume()")

    def all_ports(self, config: ConfigT) -> list[Port]:
        """Declared ports plus the ones every node of its kind has."""
        ports = [*self.ports(config), ERROR_PORT]
        if self.meta.runs.needs_call:
            ports.append(HANGUP_PORT)
        return ports


__all__ = [
    "ERROR_PORT",
    "HANGUP_PORT",
    "NEXT",
    "Family",
    "FlowKind",
    "Node",
    "NodeMeta",
    "Output",
    "Port",
    "Runs",
    "WaitFor",
    "Woken",
]

NEXT = Port(name="next", title=text("下一步", "Next"))
ERROR_PORT = Port(name=ERROR, title=text("出错", "Error"), required=False)
HANGUP_PORT = Port(name=HANGUP, title=text("挂机", "Hung up"), required=False)
