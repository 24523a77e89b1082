"""Calls from flows without a call."""

import pytest
from pydantic import ValidationError

from nodes.sdk.node import Woken
from nodes.sdk.outcome import NodeError
from nodes.sdk.services import PlacedCall
from nodes.sdk.testing import Example, MemoryDialler, MemoryServices, run_node
from nodes.voice.call_out import CallOut, CallOutConfig

BASIC = {"number": "13800000001", "connect": "8001"}


def told(result: str) -> list[Woken]:
    return [Woken(by="signal", data={"result": result, "seconds": 31.5, "outcome": "completed"})]


async def test_a_call_is_placed_once_and_its_end_waited_for() -> None:
    services = MemoryServices()
    for _ in range(2):
        outcome = await run_node(CallOut(), BASIC, services=services, woken=told("answered"))
    assert outcome.port == "answered"
    assert outcome.outputs["seconds"] == 31.5 and outcome.outputs["outcome"] == "completed"
    assert list(services.dialler.placed.values()) == [("13800000001", "8001")]


async def test_what_may_not_be_dialled_is_an_error() -> None:
    refusing = MemoryServices(dialler=MemoryDialler(NodeError("not_allowed", "no")))
    assert (await run_node(CallOut(), BASIC, services=refusing)).outputs["error"] == "not_allowed"


@pytest.mark.parametrize("config", [{"number": "1"}, {**BASIC, "flow": "x"}])
def test_a_number_or_a_flow_is_needed(config: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CallOutConfig.model_validate(config)


EXAMPLES = [
    Example("answered", BASIC, woken=told("answered")),
    Example("busy", BASIC, woken=told("busy")),
    Example("no_answer", BASIC, woken=told("no_answer")),
    Example("failed", BASIC, woken=told("failed")),
    Example("failed", BASIC, woken=[Woken(by="timeout")]),
    Example("hangup", BASIC, woken=[Woken(by="hangup")]),
]


async def test_what_is_known_at_once_needs_no_signal() -> None:
    at_once = MemoryServices(dialler=MemoryDialler(PlacedCall(call_id="c", result="busy")))
    assert (await run_node(CallOut(), BASIC, services=at_once)).port == "busy"
