from typing import Any

import pytest

from nodes.sdk.outcome import Outcome
from nodes.sdk.testing import (
    HANGS_UP,
    Example,
    MemoryServices,
    MemoryTelephones,
    ScriptedCall,
    context,
    run_node,
)
from nodes.voice.dial import Dial
from telephony.call import Detected, DetectedKind, DialResult, Talk, TransferTarget
from telephony.errors import DriverError

CONFIG = {"number": "8001"}
LEG = "test-run-1-1-leg"
EXAMPLES = [
    Example("done", CONFIG),
    Example("busy", CONFIG, call=lambda: ScriptedCall(legs=["busy"])),
    Example("busy", CONFIG, call=lambda: ScriptedCall(legs=["rejected"])),
    Example("no_answer", CONFIG, call=lambda: ScriptedCall(legs=["no_answer"])),
    Example("failed", CONFIG, call=lambda: ScriptedCall(legs=["failed"])),
    Example("machine", {**CONFIG, "only_people": True}, call=lambda: ScriptedCall(detected=["machine"])),
    Example("error", {"number": "none"}),
    Example(
        "transfer",
        CONFIG,
        call=lambda: ScriptedCall(talk=Talk(9.0, "transfer", target=TransferTarget("queue", "sales"))),
    ),
    Example("@0", CONFIG, call=lambda: ScriptedCall("0"), shortcuts=("0",)),
]


async def test_connects_and_goes_on_after_the_talk() -> None:
    call = ScriptedCall(talk=Talk(42.0, "other"))
    outcome = await run_node(Dial(), {"number": " 8001 "}, call=call)
    assert call.log == ["say", "dial extension:8001 as 02112345678", "talk"]
    assert outcome.outputs == {"result": "answered", "sip_code": 200, "seconds": 42.0, "ended_by": "other"}


async def test_the_result_and_code_are_told() -> None:
    call = ScriptedCall(legs=[DialResult("rejected", "", sip_code=603)])
    outcome = await run_node(Dial(), {"number": "13900000000", "caller_id": "95555"}, call=call)
    assert outcome.outputs == {"result": "rejected", "seconds": 0.0, "sip_code": 603}
    assert call.log[-1] == "dial trunk:main:13900000000 as 95555"


@pytest.mark.parametrize(("number", "reason"), [("abc", "bad_number"), ("110", "not_allowed")])
async def test_bad_and_barred_numbers_are_errors_before_anything_is_said(number: str, reason: str) -> None:
    services = MemoryServices(telephones=MemoryTelephones(barred=["110"]))
    call = ScriptedCall()
    outcome = await run_node(Dial(), {"number": number}, call=call, services=services)
    assert outcome.port == "error" and outcome.outputs == {"error": reason} and call.log == []


async def test_a_caller_who_leaves_keeps_the_result() -> None:
    for call in (ScriptedCall(talk=Talk(5.0, "caller")), ScriptedCall(HANGS_UP)):
        outcome = await run_node(Dial(), {**CONFIG, "announcement": {}}, call=call)
        assert outcome.port == "hangup"
    assert outcome.outputs["result"] == "cancelled"


async def test_a_caller_who_is_handed_on_leaves_with_the_place_to_go() -> None:
    target = TransferTarget("queue", "sales", "ann")
    outcome = await run_node(Dial(), CONFIG, call=ScriptedCall(talk=Talk(9.0, "transfer", target=target)))
    assert outcome.port == "transfer" and outcome.hand_over == {"kind": "queue", "key": "sales"}
    assert (outcome.outputs["transfer_kind"], outcome.outputs["transfer_to"]) == ("queue", "sales")


async def test_the_release_key_ends_the_talk() -> None:
    outcome = await run_node(Dial(), {**CONFIG, "release_key": "*"}, call=ScriptedCall("*"))
    assert outcome.port == "done" and outcome.outputs["ended_by"] == "key"


async def reconcile(call: ScriptedCall | None) -> Outcome | None:
    node = Dial()
    return await node.reconcile(context(node, call=call), node.Config.model_validate(CONFIG))


async def test_a_leg_that_is_up_is_joined_again_and_never_dialled() -> None:
    call = ScriptedCall()
    call.leg_states[LEG] = "up"
    outcome = await reconcile(call)
    assert outcome is not None and outcome.port == "done" and call.log == ["talk"]


async def test_a_leg_that_rings_is_waited_for() -> None:
    call = ScriptedCall(legs=["busy"])
    call.leg_states[LEG] = "ringing"
    outcome = await reconcile(call)
    assert outcome is not None and outcome.port == "busy"


async def test_a_lost_leg_is_unknown() -> None:
    assert await reconcile(ScriptedCall()) is None
    assert await reconcile(None) is None


# --------------------------------------------------------------------------- people only


@pytest.mark.parametrize("kind", ["person", "unsure", "silence"])
async def test_a_person_is_connected_and_in_doubt_it_is_one(kind: DetectedKind) -> None:
    call = ScriptedCall(detected=[kind])
    outcome = await run_node(Dial(), {**CONFIG, "only_people": True}, call=call)
    assert outcome.port == "done" and outcome.outputs["answered_by"] == kind
    assert call.log[1:] == ["dial extension:8001 as 02112345678", f"detect {LEG}", "talk"]


@pytest.mark.parametrize(
    ("kind", "port"),
    [("machine", "machine"), ("fax", "machine"), ("busy", "busy"), ("ringback", "no_answer"), ("sit", "failed")],
)
async def test_whoever_is_no_person_is_hung_up_and_told(kind: DetectedKind, port: str) -> None:
    call = ScriptedCall(detected=[kind])
    outcome = await run_node(Dial(), {**CONFIG, "only_people": True}, call=call)
    assert outcome.port == port
    assert outcome.outputs == {"answered_by": kind, "result": port, "seconds": 0.0, "sip_code": 200}
    assert call.log[-1] == f"hang up {LEG}"


async def test_a_leg_that_ends_while_we_listen_is_no_answer() -> None:
    class Leaves(ScriptedCall):
        async def detect(self, channel: str | None = None, **options: Any) -> Detected:
            raise DriverError("not_found", "gone")

    outcome = await run_node(Dial(), {**CONFIG, "only_people": True}, call=Leaves())
    assert outcome.port == "no_answer"
