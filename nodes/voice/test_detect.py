import pytest

from nodes.sdk.testing import HANGS_UP, Example, ScriptedCall, run_node
from nodes.voice.detect import Detect
from telephony.call import Detected, DetectedKind

PORTS: dict[DetectedKind, str] = {
    "person": "person",
    "machine": "machine",
    "fax": "fax",
    "modem": "fax",
    "busy": "busy",
    "ringback": "ringback",
    "sit": "unreachable",
    "silence": "unknown",
    "unsure": "unknown",
}


def _finds(kind: DetectedKind) -> ScriptedCall:
    return ScriptedCall(detected=[kind])


EXAMPLES = [
    Example("person", {}, call=lambda: _finds("person")),
    Example("machine", {}, call=lambda: _finds("machine")),
    Example("fax", {}, call=lambda: _finds("fax")),
    Example("busy", {}, call=lambda: _finds("busy")),
    Example("ringback", {}, call=lambda: _finds("ringback")),
    Example("unreachable", {}, call=lambda: _finds("sit")),
    Example("unknown", {}, call=lambda: _finds("unsure")),
]


@pytest.mark.parametrize(("kind", "port"), PORTS.items())
async def test_each_finding_has_its_port(kind: DetectedKind, port: str) -> None:
    outcome = await run_node(Detect(), {}, call=_finds(kind))
    assert outcome.port == port and outcome.outputs["kind"] == kind


async def test_what_decided_it_is_told() -> None:
    found = Detected("machine", 0.85, "greeting of 2300 ms", 2840, beep=True)
    outcome = await run_node(Detect(), {"wait_for_beep": True}, call=ScriptedCall(detected=[found]))
    assert outcome.outputs == {
        "kind": "machine",
        "confidence": 0.85,
        "cause": "greeting of 2300 ms",
        "seconds": 2.84,
        "beep": True,
    }


async def test_nothing_is_said() -> None:
    call = _finds("person")
    await run_node(Detect(), {}, call=call)
    assert call.log == ["detect"]


async def test_the_far_end_may_leave() -> None:
    assert (await run_node(Detect(), {}, call=ScriptedCall(HANGS_UP))).port == "hangup"
