"""The whole state of a run, the events that move it and the commands that come of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from flows.task import FlowResult, FlowStart, NodeTask, Record, TrailStep
from nodes.sdk.outcome import Outcome

Phase = Literal["ready", "running", "waiting", "backoff", "pausing", "joining", "subflow"]


class Token(Record):
    """One position of a run. A call has one; parallel branches have one each.

    ``running``  the driver executes the node          ``backoff``  a retry is due at ``deadline``
    ``waiting``  the node waits for timer or signal    ``pausing``  a long run of quick steps takes a breath
    ``joining``  waits for its sister branches         ``subflow``  the frame ``child`` runs

    ``groups`` are the parallel forks the token is inside of, the innermost last.
    """

    id: int
    frame: int
    node: str
    step: int = 0
    attempt: int = 1
    phase: Phase = "ready"
    groups: list[int] = Field(default_factory=list)
    timer: int | None = None
    deadline: datetime | None = None
    signal: str | None = None
    memory: dict[str, Any] = Field(default_factory=dict)
    child: int | None = None


class Frame(Record):
    """A flow that runs: the root or a subflow, with variables of its own. ``parent`` is the token that waits for it."""

    id: int
    flow: str
    parent: int | None = None
    variables: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    visits: dict[str, int] = Field(default_factory=dict)
    results: dict[str, Any] = Field(default_factory=dict)
    outcome: str = ""
    hung: bool = False
    hangup_handled: bool = False
    errors_handled: int = 0


class State(Record):
    """Everything a run is. It survives as JSON: continue-as-new carries it, queries answer from it.

    ``ended_by_flow``  a node of the flow itself ended the call
    ``ending``         the result that follows once the apology has been played
    ``dirty``          numbers of trail steps that the sink has not seen as they are now
    """

    start: FlowStart
    status: Literal["running", "finished"] = "running"
    now: datetime
    call: dict[str, Any] = Field(default_factory=dict)
    customer: dict[str, Any] = Field(default_factory=dict)
    hung_up: bool = False
    hangup_cause: str = ""
    ended_by_flow: bool = False
    frames: dict[int, Frame] = Field(default_factory=dict)
    tokens: dict[int, Token] = Field(default_factory=dict)
    signals: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    trail: list[TrailStep] = Field(default_factory=list)
    dirty: list[int] = Field(default_factory=list)
    steps: int = 0
    streak: int = 0
    next_id: int = 1
    ending: FlowResult | None = None
    result: FlowResult | None = None

    @property
    def positions(self) -> list[str]:
        """The nodes where the run stands."""
        return [token.node for token in self.tokens.values()]


# --- events -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeDone:
    """The driver executed a node."""

    token: int
    step: int
    attempt: int
    outcome: Outcome
    now: datetime


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer ran out."""

    timer: int
    now: datetime


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """Someone outside told the run something: a person finished a task, an agent answered ..."""

    name: str
    data: dict[str, Any]
    now: datetime


@dataclass(frozen=True, slots=True)
class HungUp:
    """The call is over."""

    cause: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """A person ends the run."""

    reason: str
    now: datetime


Event = NodeDone | TimerFired | SignalReceived | HungUp | Stop


# --- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunNode:
    """Execute a node and report with `NodeDone`."""

    token: int
    task: NodeTask


@dataclass(frozen=True, slots=True)
class CancelNode:
    """Nobody waits for this execution any more."""

    token: int
    step: int


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Report with `TimerFired` after so many seconds."""

    timer: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Nobody waits for this timer any more."""

    timer: int


@dataclass(frozen=True, slots=True)
class WriteTrail:
    """The run waits: let the trail sink see where, without waiting for the next node."""

    steps: list[TrailStep]


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over. ``steps`` is the trail that the sink may lack."""

    result: FlowResult
    steps: list[TrailStep]


Command = RunNode | CancelNode | StartTimer | CancelTimer | WriteTrail | Finish
"""An apology is a `RunNode` of the type `flows.runner.APOLOGISE`, before `Finish`."""
