"""The driver's pure parts: causes, destinations, events, unfinished files."""

import struct
from pathlib import Path
from typing import Any

import pytest

from telephony.asterisk.causes import hangup_cause
from telephony.asterisk.driver import AsteriskDriver, complete_wav, endpoint_of, incoming_of
from telephony.asterisk.process import Registration, registrations_of
from telephony.asterisk.testing import Events, alaw, tone
from telephony.driver import (
    Answered,
    BridgeEntered,
    Digit,
    Hangup,
    Incoming,
    PlaybackFinished,
    Ringing,
    TalkingStopped,
    TransferRequested,
)
from telephony.errors import DriverError
from telephony.speech.audio import write_wav


@pytest.mark.parametrize(
    ("q850", "sip", "cause"),
    [(17, 486, "busy"), (0, 600, "busy"), (21, 603, "rejected"), (1, 404, "unknown_number"), (19, 480, "unavailable"),
     (0, 487, "no_answer"), (34, 503, "congestion"), (0, 499, "failed"), (17, 0, "busy"), (19, 0, "no_answer"),
     (20, 0, "unavailable"), (99, 0, "failed")],
)  # fmt: skip
def test_causes_of_unanswered_outgoing_calls(q850: int, sip: int, cause: str) -> None:
    assert hangup_cause(q850, sip, inbound=False, answered=False) == cause


def test_causes_of_other_calls() -> None:
    assert hangup_cause(16, 0, inbound=True, answered=True) == "normal"
    assert hangup_cause(44, 0, inbound=False, answered=True) == "lost", "Asterisk heard nothing for too long"
    assert hangup_cause(44, 0, inbound=False, answered=True, ordered="normal") == "normal"
    assert hangup_cause(16, 0, inbound=False, answered=True, ordered="lost") == "lost", "we heard nothing for too long"
    assert hangup_cause(16, 0, inbound=True, answered=False) == "cancelled"
    assert hangup_cause(17, 0, inbound=True, answered=False, ordered="busy") == "busy"
    assert hangup_cause(0, 487, inbound=False, answered=False, ordered="normal") == "cancelled"


@pytest.mark.parametrize(
    ("destination", "endpoint"),
    [
        ("extension:8001", "PJSIP/8001"),
        ("trunk:city:+862155556666", "PJSIP/+862155556666@trunk-city"),
        ("sip:bob@10.0.0.1:5062", "PJSIP/direct/sip:bob@10.0.0.1:5062"),
        ("sip:bob@[::1]:5062;transport=tcp", "PJSIP/direct/sip:bob@[::1]:5062;transport=tcp"),
    ],
)
def test_destinations(destination: str, endpoint: str) -> None:
    assert endpoint_of(destination) == endpoint


@pytest.mark.parametrize(
    "destination",
    ["", "8001", "extension:80x1", "extension:8001&trunk", "trunk:city", "trunk:city:1@evil", "trunk:a/b:1",
     "sip:bob", "sip:bob@host/x", "sip:a@b?Header=1", "Local/1@from-trunk", "trunk:city:1&PJSIP/2", "sip:a@b\r\nX: y"],
)  # fmt: skip
def test_bad_destinations(destination: str) -> None:
    with pytest.raises(DriverError) as refused:
        endpoint_of(destination)
    assert refused.value.reason == "refused"


async def test_a_phone_that_would_join_two_of_its_calls_names_no_number() -> None:
    for more, target in (
        ({}, "8002"),
        ({"protocol_id": "a84b4c76e66710"}, ""),
        ({"destination": "8002?Replaces=a84b4c76e66710"}, ""),
    ):
        driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/tmp"))
        heard: list[object] = []
        driver.subscribe(heard.append)
        driver._handle(
            {
                "type": "ChannelTransfer",
                "refer_to": {"requested_destination": {"destination": "8002", **more}},
                "referred_by": {"source_channel": {"id": "c1"}},
            }
        )
        assert heard == [TransferRequested("c1", target)]
        await driver.close()


CHANNEL = {
    "id": "c1",
    "state": "Ring",
    "caller": {"name": "Ann", "number": "5550001"},
    "dialplan": {"exten": "100"},
    "protocol_id": "abc@host",
}


def test_incoming_by_kind() -> None:
    trunk = incoming_of(CHANNEL, ["incoming", "trunk", "trunk-city"])
    assert trunk == Incoming("c1", "5550001", "100", "Ann", "city", False, "abc@host")
    extension = incoming_of(CHANNEL, ["incoming", "extension", "8001"])
    assert (extension.trunk, extension.anonymous) == ("", False)
    assert incoming_of(CHANNEL, ["incoming", "anonymous", "anonymous"]).anonymous
    assert incoming_of(CHANNEL, ["incoming"]).anonymous, "what nobody vouches for is anonymous"


async def test_events_of_an_outgoing_call() -> None:
    driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))
    events = Events(driver)

    def say(kind: str, state: str = "", **more: Any) -> None:
        driver._handle({"type": kind, "channel": {"id": "leg", "state": state}, **more})

    say("ChannelStateChange", "Ringing")
    assert events.all == [], "not ours"
    say("StasisStart", "Up", args=["out"])
    say("ChannelStateChange", "Ringing")
    say("ChannelDtmfReceived", digit="5")
    say("ChannelTalkingFinished", duration=1500)
    say("ChannelEnteredBridge", bridge={"id": "b"})
    say("ChannelHangupRequest", cause=16)
    say("StasisEnd")
    say("ChannelDestroyed", cause=0)
    say("ChannelDestroyed", cause=16)
    driver._handle({"type": "PlaybackFinished", "playback": {"id": "p", "state": "done", "target_uri": "channel:leg"}})
    driver._handle({"type": "SomethingNew"})
    assert events.all == [
        Answered("leg"),
        Digit("leg", "5"),
        TalkingStopped("leg", 1.5),
        BridgeEntered("b", "leg"),
        Hangup("leg", "normal", 0, 16),
        PlaybackFinished("leg", "p"),
    ]
    assert not events.of(Ringing)
    await driver.close()


@pytest.mark.parametrize(("code", "told"), [(488, 0), (491, 0), (503, 0), (408, 408), (481, 481), (0, 0)])
async def test_a_refusal_within_a_call_is_not_the_code_of_its_end(code: int, told: int) -> None:
    driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))
    events = Events(driver)
    driver._handle({"type": "StasisStart", "channel": {"id": "leg", "state": "Up"}, "args": ["out"]})
    end = {"channel": {"id": "leg", "state": "Up"}, "cause": 16, "tech_cause": code}
    driver._handle({"type": "ChannelHangupRequest", **end})
    driver._handle({"type": "ChannelDestroyed", **end})
    assert events.of(Hangup) == [Hangup("leg", "normal", told, 16)]
    await driver.close()


async def test_a_failing_handler_does_not_stop_the_others() -> None:
    driver = AsteriskDriver("http://127.0.0.1:1", "u", "p", recordings=Path("/nowhere"))

    def fail(event: object) -> None:
        raise RuntimeError("on purpose")

    driver.subscribe(fail)
    events = Events(driver)
    driver._handle({"type": "ChannelDtmfReceived", "channel": {"id": "c"}, "digit": "1"})
    assert events.all == [Digit("c", "1")]
    with pytest.raises(DriverError, match="closed"):
        await driver.answer("c")


def test_an_unfinished_recording_is_put_right(tmp_path: Path) -> None:
    path = tmp_path / "r.wav"
    write_wav(path, tone(440, 1))
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", 0)
    path.write_bytes(data)
    assert complete_wav(path) == pytest.approx(1)
    assert struct.unpack_from("<I", path.read_bytes(), 40)[0] == 16000
    assert complete_wav(path) == pytest.approx(1)
    path.write_bytes(b"")
    assert complete_wav(path) == 0


def test_alaw_of_the_test_kit() -> None:
    assert alaw(tone(0, 0.01))[:1] == b"\xd5"


TOLD = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 trunk-mobile/sip:127.0.0.3:5070                         trunk-mobile                Rejected          (exp. 287s)
 trunk-city/sip:127.0.0.2:51414                          trunk-city                  Registered        (exp. 516s)
 trunk-north/sip:127.0.0.1:9                             trunk-north                 Rejected          (exp. 4s ago)
 trunk-new/sip:127.0.0.1:9                               n/a                         Unregistered      (exp. 12s)

Objects found: 4
"""


def test_registrations_as_asterisk_tells_them() -> None:
    assert registrations_of(TOLD) == {
        "mobile": Registration("failed", 287),
        "city": Registration("registered", 516),
        "north": Registration("failed", -4),
        "new": Registration("unregistered", 12),
    }
    assert registrations_of("Unable to connect to remote asterisk") == {}


def test_a_far_end_that_refuses_is_told_from_one_that_is_silent_by_the_pause_it_gets() -> None:
    def walk(*seconds: int) -> list[bool]:
        told, refused, before = [], False, None
        for one in (Registration("failed", value) for value in seconds):
            refused = one.refused(before, refused)
            told.append(refused)
            before = one
        return told

    assert walk(30, 25, 0, -20, 30, 25) == [False] * 6, "silence"
    assert walk(299, 30, 5, -1, 299) == [True] * 5, "a pause that runs out is the same pause"
    assert walk(299, 3, 30, 25) == [True, True, False, False], "refused once, silent later"
    assert walk(12, 299) == [False, True]
