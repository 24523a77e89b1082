"""What an execution of a node comes to: exactly one port, and what it leaves behind."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

HANGUP = "hangup"
ERROR = "error"
TIMEOUT = "timeout"
SHORTCUT_PREFIX = "@"


class NodeFailure(BaseModel):
    """Why a node left by its ``error`` port.

    ``reason`` is a stable code that flows branch on (``unknown`` means: an effect began, nobody knows
    whether it happened, and it is not repeated). ``retryable`` says that another try may succeed and
    can do no harm.
    """

    model_config = ConfigDict(frozen=True)

    reason: str
    message: str = ""
    retryable: bool = False


class WaitFor(BaseModel):
    """A node asks the machine to wait; `Node.resume` is called with what came.

    ``seconds``   a timer from now, or None for none
    ``signal``    a signal name that ends the wait, or None
    ``memory``    plain data handed back to `resume`
    """

    model_config = ConfigDict(frozen=True)

    seconds: float | None = None
    signal: str | None = None
    memory: dict[str, Any] = {}


class Outcome(BaseModel):
    """The result of one execution.

    ``port``      the port that fires; ``@<key>`` is a flow-wide shortcut key, fed by the engine
    ``outputs``   the node's declared outputs, seen as ``nodes.<id>.<output>``
    ``variables`` changes of ``vars``
    ``call``      changes of the call's facts (``language`` ...)
    ``customer``  the customer now known, or None for no change
    ``said``      the words the caller heard, in order, for the trail
    ``wait``      no port fires yet, see `waiting`
    ``hand_over`` somebody has sent the caller to a queue or a flow, ``{"kind": ..., "key": ...}``: when the port leads
                  nowhere, the run ends and the call goes on there
    """

    model_config = ConfigDict(frozen=True)

    port: str
    outputs: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict)
    call: dict[str, Any] = Field(default_factory=dict)
    customer: dict[str, Any] | None = None
    said: list[str] = Field(default_factory=list)
    failure: NodeFailure | None = None
    wait: WaitFor | None = None
    hand_over: dict[str, str] | None = None

    @classmethod
    def waiting(cls, wait: WaitFor) -> "Outcome":
        """`run` has done its part (a task is written, a call is placed): the machine waits, then asks `resume`."""
        return cls(port="", wait=wait)

    @classmethod
    def shortcut(cls, key: str, **outputs: Any) -> "Outcome":
        """The caller pressed one of the flow's shortcut keys (``0`` for a person)."""
        return cls(port=f"{SHORTCUT_PREFIX}{key}", outputs=outputs)

    @classmethod
    def error(cls, reason: str, message: str = "", *, retryable: bool = False) -> "Outcome":
        """Leave by the ``error`` port; ``nodes.<id>.error`` holds the reason."""
        return cls(
            port=ERROR,
            outputs={"error": reason},
            failure=NodeFailure(reason=reason, message=message, retryable=retryable),
        )


class NodeError(Exception):
    """Raised inside a node to leave by its ``error`` port."""

    def __init__(self, reason: str, message: str = "", *, retryable: bool = False) -> None:
        super().__init__(message or reason)
        self.failure = NodeFailure(reason=reason, message=message or reason, retryable=retryable)
