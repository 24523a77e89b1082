"""The driver over a real Asterisk, with SIPp as the far end."""

import asyncio
import time
from pathlib import Path

import pytest

from telephony.asterisk.config import AsteriskConfig
from telephony.asterisk.driver import AsteriskDriver
from telephony.asterisk.testing import Events, Sipp, alaw, loudness, read_wav, tone
from telephony.driver import (
    Answered,
    BridgeEntered,
    BridgeLeft,
    Digit,
    Hangup,
    HangupCause,
    Incoming,
    PlaybackFinished,
    RecordingFinished,
    Ringing,
    TalkingStarted,
    TalkingStopped,
    TransferRequested,
)
from telephony.errors import DriverError
from telephony.speech.audio import write_wav

pytestmark = pytest.mark.asterisk


def stream(folder: Path, hertz: float) -> Path:
    """A second of tone that SIPp repeats."""
    path = folder / f"{hertz:.0f}.al"
    path.write_bytes(alaw(tone(hertz, 1)))
    return path


async def test_incoming_answer_play_keys_and_hang_up(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    write_wav(sounds / "one.wav", tone(440, 0.3))
    write_wav(sounds / "two.wav", tone(600, 0.3))
    sipp = await Sipp.start("caller_keys", asterisk, service="8400", KEYS="12#")
    call = await events.wait(Incoming)
    assert (call.caller, call.called, call.caller_name) == ("5550001", "8400", "Ann")
    assert call.anonymous and call.trunk == "" and call.sip_call_id
    await driver.ring(call.channel)
    await driver.answer(call.channel)
    await driver.answer(call.channel)
    begun = time.monotonic()
    await driver.play(call.channel, "play-1", [sounds / "one.wav", sounds / "two.wav"])
    await driver.play(call.channel, "play-1", [sounds / "one.wav", sounds / "two.wav"])
    assert await events.wait(PlaybackFinished) == PlaybackFinished(call.channel, "play-1")
    assert time.monotonic() - begun > 0.5
    assert [(await events.wait(Digit)).digit for _ in range(3)] == ["1", "2", "#"]
    await driver.hang_up(call.channel)
    await driver.hang_up(call.channel)
    assert await events.wait(Hangup) == Hangup(call.channel, "normal", 0, 16)
    await sipp.ended()
    with pytest.raises(DriverError) as gone:
        await driver.answer(call.channel)
    assert gone.value.reason == "not_found"
    assert len(events.of(PlaybackFinished)) == 1 and len(events.of(Hangup)) == 1


async def test_keys_by_sip_info(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    sipp = await Sipp.start("caller_info", asterisk, KEY="7")
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    assert (await events.wait(Digit)).digit == "7"
    await driver.hang_up(call.channel)
    await sipp.ended()


async def test_playing_can_be_stopped_and_a_missing_file_fails(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    write_wav(sounds / "long.wav", tone(440, 20))
    sipp = await Sipp.start("caller", asterisk)
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.play(call.channel, "long", [sounds / "long.wav"])
    await asyncio.sleep(0.3)
    await driver.stop_playing("long")
    assert not (await events.wait(PlaybackFinished, playback="long", timeout=15)).failed
    await driver.stop_playing("long")
    await driver.play(call.channel, "missing", [sounds / "missing.wav"])
    assert (await events.wait(PlaybackFinished, playback="missing")).failed
    with pytest.raises(DriverError):
        await driver.play(call.channel, "bad", [Path("relative.wav")])
    await driver.hang_up(call.channel)
    await sipp.ended()


async def test_caller_leaves_during_a_prompt(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    write_wav(sounds / "long.wav", tone(440, 20))
    sipp = await Sipp.start("caller_leaves", asterisk, MS=300)
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.play(call.channel, "p", [sounds / "long.wav"])
    assert (await events.wait(Hangup)).cause == "normal"
    await sipp.ended()
    assert (await driver.snapshot()).channels == {}


async def test_thirty_calls_leave_nothing_behind(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    write_wav(sounds / "long.wav", tone(440, 20))

    async def serve(call: Incoming) -> None:
        await driver.answer(call.channel)
        await driver.tap(call.channel, f"t-{call.channel}")
        await driver.play(call.channel, f"p-{call.channel}", [sounds / "long.wav"])
        # It waits for the end of the prompt, which the caller does not.
        await driver.record(call.channel, f"r-{call.channel}")

    sipp = await Sipp.start("caller_leaves", asterisk, calls=30, arguments=("-r", "15"), MS=700)
    calls = [await events.wait(Incoming) for _ in range(30)]
    await asyncio.gather(*map(serve, calls))
    for call in calls:
        assert (await events.wait(Hangup, channel=call.channel)).cause == "normal"
        assert not (await events.wait(RecordingFinished, name=f"t-{call.channel}")).failed
        await events.wait(RecordingFinished, name=f"r-{call.channel}")
    await sipp.ended()
    assert (await driver.snapshot()).channels == {}
    assert not driver._channels and not driver._playbacks and not driver._recordings


async def test_caller_gives_up_while_it_rings(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    sipp = await Sipp.start("caller_cancels", asterisk)
    call = await events.wait(Incoming)
    await driver.ring(call.channel)
    assert (await events.wait(Hangup, channel=call.channel)).cause == "cancelled"
    await sipp.ended()


@pytest.mark.parametrize(
    ("cause", "code"), [("busy", 486), ("rejected", 603), ("unknown_number", 404), ("congestion", 503)]
)
async def test_refused_callers_see_the_cause(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, cause: HangupCause, code: int
) -> None:
    sipp = await Sipp.start("caller_refused", asterisk, CODE=code)
    call = await events.wait(Incoming)
    await driver.reject(call.channel, cause)
    assert (await events.wait(Hangup)).cause == cause
    await sipp.ended()


async def test_calls_of_a_trunk_are_known_by_its_address(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events
) -> None:
    sipp = await Sipp.start("caller", asterisk, host="127.0.0.2", service="+862155556666")
    call = await events.wait(Incoming)
    assert (call.trunk, call.anonymous, call.called) == ("city", False, "+862155556666")
    await driver.answer(call.channel)
    await asyncio.sleep(0.2)
    await driver.hang_up(call.channel)
    await sipp.ended()


async def test_extensions_register_with_their_password_only(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events
) -> None:
    await (await Sipp.start("register", asterisk, service="8002", USER="8002", PASSWORD="wrong", CODE=401)).ended()
    await driver.originate("to-8002", "extension:8002", caller_id="100", timeout=5)
    assert (await events.wait(Hangup, channel="to-8002")).cause == "unavailable"
    await driver.originate("to-8009", "extension:8009", caller_id="100", timeout=5)
    assert (await events.wait(Hangup, channel="to-8009")).cause == "unknown_number"
    phone = await Sipp.start("register", asterisk, service="8001", USER="8001", PASSWORD="secret-8001", CODE=200)
    await phone.ended()
    callee = await Sipp.start("callee", asterisk, port=phone.port, MS=100)
    await driver.originate("to-8001", "extension:8001", caller_id='"Hotline" <100>', timeout=5)
    await events.wait(Ringing, channel="to-8001")
    await events.wait(Answered, channel="to-8001")
    assert '"Hotline" <sip:100@' in callee.messages()
    await driver.hang_up("to-8001")
    assert (await events.wait(Hangup, channel="to-8001")).cause == "normal"
    await callee.ended()


@pytest.mark.parametrize(
    ("code", "cause"),
    [(486, "busy"), (603, "rejected"), (403, "rejected"), (404, "unknown_number"), (480, "unavailable"),
     (503, "congestion"), (500, "failed")],
)  # fmt: skip
async def test_refused_outgoing_calls(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, code: int, cause: str
) -> None:
    callee = await Sipp.start("callee_refuses", asterisk, CODE=code)
    channel = f"out-{code}"
    await driver.originate(channel, callee.uri, caller_id="5551000", timeout=5)
    end = await events.wait(Hangup, channel=channel)
    assert (end.cause, end.sip_code) == (cause, code)
    assert not events.of(Answered)
    await callee.ended()


async def test_nobody_answers(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    callee = await Sipp.start("callee_rings", asterisk)
    begun = time.monotonic()
    await driver.originate("quiet", callee.uri, caller_id="5551000", timeout=1)
    await events.wait(Ringing, channel="quiet")
    assert await events.wait(Hangup, channel="quiet") == Hangup("quiet", "no_answer", 0, 19)
    assert time.monotonic() - begun > 0.8
    await callee.ended()


async def test_we_give_up_on_an_outgoing_call(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    callee = await Sipp.start("callee_rings", asterisk)
    await driver.originate("given-up", callee.uri, caller_id="5551000", timeout=20)
    await events.wait(Ringing, channel="given-up")
    await driver.hang_up("given-up")
    assert (await events.wait(Hangup, channel="given-up")).cause == "cancelled"
    await callee.ended()


async def test_the_same_id_dials_once(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    callee = await Sipp.start("callee", asterisk, MS=50)
    for _ in range(2):
        await driver.originate("once", callee.uri, caller_id="5551000", timeout=5, variables={"COLOUR": "red"})
    await events.wait(Answered, channel="once")
    await driver.hang_up("once")
    await events.wait(Hangup, channel="once")
    await driver.originate("once", callee.uri, caller_id="5551000", timeout=5)
    await callee.ended()
    await asyncio.sleep(0.2)
    assert len(events.of(Answered)) == 1 and len(events.of(Hangup)) == 1
    with pytest.raises(DriverError, match="cannot be dialled"):
        await driver.originate("evil", "trunk:city:1@elsewhere", caller_id="1", timeout=5)


async def test_recording_ends_by_key_limit_and_order(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    sipp = await Sipp.start("caller", asterisk, AUDIO=stream(sounds, 500))
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.record(call.channel, "limit", max_seconds=1, beep=True)
    await driver.record(call.channel, "limit", max_seconds=1)
    assert await driver.recording("limit") is None
    done = await events.wait(RecordingFinished, name="limit")
    assert not done.failed and 0.7 < done.seconds < 2.1 and done.channel == call.channel
    assert await driver.recording("limit") == done.path
    assert loudness(read_wav(done.path)[2000:], 500) > 0.05
    await driver.record(call.channel, "ordered", terminators="12")
    await asyncio.sleep(0.5)
    await driver.stop_recording("ordered")
    done = await events.wait(RecordingFinished, name="ordered")
    assert done.seconds > 0.3
    await driver.stop_recording("ordered")
    await driver.record(call.channel, "limit", max_seconds=1)
    assert (await events.wait(RecordingFinished, name="limit")).path == await driver.recording("limit")
    with pytest.raises(DriverError):
        await driver.record(call.channel, "../evil")
    await driver.hang_up(call.channel)
    await sipp.ended()


async def test_recording_ends_by_any_of_some_keys(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events
) -> None:
    sipp = await Sipp.start("caller_keys", asterisk, KEYS="52")
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.record(call.channel, "by-key", terminators="12", max_seconds=10)
    done = await events.wait(RecordingFinished, name="by-key")
    assert done.seconds < 3
    await driver.hang_up(call.channel)
    await sipp.ended()


async def test_a_recording_is_kept_when_the_caller_leaves(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events
) -> None:
    sipp = await Sipp.start("caller_leaves", asterisk, MS=700)
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.tap(call.channel, "tap-left")
    await driver.record(call.channel, "left")
    await events.wait(Hangup)
    done = await events.wait(RecordingFinished, name="left")
    tapped = await events.wait(RecordingFinished, name="tap-left")
    assert not done.failed and await driver.recording("left") == done.path
    assert not tapped.failed and tapped.channel == call.channel
    await sipp.ended()


async def test_tap_records_both_directions_and_pauses(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    write_wav(sounds / "prompt.wav", tone(1000, 6))
    sipp = await Sipp.start("caller", asterisk, AUDIO=stream(sounds, 440))
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.tap(call.channel, "both")
    await driver.tap(call.channel, "both")
    await driver.play(call.channel, "prompt", [sounds / "prompt.wav"])
    began = time.monotonic()
    await asyncio.sleep(1.2)
    await driver.pause_recording("both", True)
    await driver.pause_recording("both", True)
    paused = time.monotonic()
    await asyncio.sleep(1.2)
    paused = time.monotonic() - paused
    await driver.pause_recording("both", False)
    await asyncio.sleep(0.6)
    assert set((await driver.snapshot()).channels) == {call.channel}
    await driver.stop_recording("both")
    done = await events.wait(RecordingFinished, name="both")
    audio = read_wav(done.path)
    assert 1.3 < done.seconds < time.monotonic() - began - paused + 0.6, "the pause is cut out"
    middle = audio[3000:9000]
    assert loudness(middle, 440) > 0.05 and loudness(middle, 1000) > 0.05
    await driver.hang_up(call.channel)
    await sipp.ended()
    assert [event.channel for event in events.of(Hangup)] == [call.channel]


async def test_bridge_of_two(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path) -> None:
    caller = await Sipp.start("caller", asterisk, AUDIO=stream(sounds, 440))
    call = await events.wait(Incoming)
    callee = await Sipp.start("callee", asterisk, AUDIO=stream(sounds, 1000), MS=50)
    await driver.originate("agent", callee.uri, caller_id=call.caller, timeout=5)
    await driver.start_music(call.channel)
    await events.wait(Answered, channel="agent")
    await driver.answer(call.channel)
    await driver.stop_music(call.channel)
    for _ in range(2):
        await driver.create_bridge("talk")
        for channel in (call.channel, "agent"):
            await driver.add_to_bridge("talk", channel)
    await events.wait(BridgeEntered, channel="agent", bridge="talk")
    await driver.tap("agent", "agent-tap")
    await driver.record("talk", "talk-recording")
    await driver.mute(call.channel, True)
    await driver.mute(call.channel, False)
    await driver.hold("agent", True)
    await driver.hold("agent", False)
    await driver.send_digits(call.channel, "5")
    await asyncio.sleep(1.5)
    snapshot = await driver.snapshot()
    assert snapshot.bridges["talk"] == {call.channel, "agent"}
    assert snapshot.channels["agent"].up and snapshot.channels[call.channel].caller == "5550001"
    await driver.stop_recording("talk-recording")
    done = await events.wait(RecordingFinished, name="talk-recording")
    audio = read_wav(done.path)[6000:]
    assert loudness(audio, 440) > 0.05 and loudness(audio, 1000) > 0.05
    write_wav(sounds / "both.wav", tone(600, 0.2))
    await driver.play("talk", "to-both", [sounds / "both.wav"])
    assert await events.wait(PlaybackFinished) == PlaybackFinished("talk", "to-both")
    await driver.play("agent", "to-one", [sounds / "both.wav"])
    assert await events.wait(PlaybackFinished, playback="to-one") == PlaybackFinished("agent", "to-one")
    assert (await driver.snapshot()).bridges["talk"] == {call.channel, "agent"}
    await driver.remove_from_bridge("talk", call.channel)
    await driver.remove_from_bridge("talk", call.channel)
    await events.wait(BridgeLeft, channel=call.channel)
    await driver.hang_up("agent")
    await events.wait(Hangup, channel="agent")
    tapped = await events.wait(RecordingFinished, name="agent-tap")
    both = read_wav(tapped.path)[6000:12000]
    assert loudness(both, 440) > 0.05 and loudness(both, 1000) > 0.05
    await driver.destroy_bridge("talk")
    await driver.destroy_bridge("talk")
    with pytest.raises(DriverError) as gone:
        await driver.add_to_bridge("talk", "agent")
    # Asterisk may still be about to forget the two.
    assert gone.value.reason in ("not_found", "refused")
    await driver.hang_up(call.channel)
    await caller.ended()
    await callee.ended()


async def test_snoop_hears_what_is_said(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    sipp = await Sipp.start("caller", asterisk, AUDIO=stream(sounds, 700))
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await driver.snoop(call.channel, "ear", spy="in", whisper="none")
    await driver.snoop(call.channel, "ear", spy="in", whisper="none")
    await driver.record("ear", "heard", max_seconds=1)
    done = await events.wait(RecordingFinished, name="heard")
    assert loudness(read_wav(done.path)[2000:], 700) > 0.05
    await driver.hang_up(call.channel)
    assert {(await events.wait(Hangup)).channel for _ in range(2)} == {call.channel, "ear"}
    await sipp.ended()


async def test_talking_is_detected(
    asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events, sounds: Path
) -> None:
    audio = stream(sounds, 300)
    audio.write_bytes(alaw(tone(300, 0.8)) + b"\xd5" * 16000)
    sipp = await Sipp.start("caller", asterisk, AUDIO=audio)
    call = await events.wait(Incoming)
    await driver.detect_talking(call.channel, True)
    await driver.answer(call.channel)
    await events.wait(TalkingStarted, channel=call.channel)
    assert (await events.wait(TalkingStopped, channel=call.channel)).seconds > 0.3
    await driver.detect_talking(call.channel, False)
    await driver.hang_up(call.channel)
    await sipp.ended()


async def test_transfer_sends_the_caller_away(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    sipp = await Sipp.start("caller_referred", asterisk)
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    await asyncio.sleep(0.1)
    await driver.transfer(call.channel, "8001")
    await asyncio.sleep(0.3)
    messages = sipp.messages()
    await driver.hang_up(call.channel)
    await sipp.ended()
    assert f"Refer-To: sip:8001@127.0.0.1:{asterisk.sip_port}" in messages
    with pytest.raises(DriverError):
        await driver.transfer(call.channel, "sip:a@b\r\nEvil: yes")


async def test_a_phone_asks_for_a_transfer(asterisk: AsteriskConfig, driver: AsteriskDriver, events: Events) -> None:
    sipp = await Sipp.start("caller_refers", asterisk, host="127.0.0.2")
    call = await events.wait(Incoming)
    await driver.answer(call.channel)
    asked = await events.wait(TransferRequested)
    assert asked.channel == call.channel and asked.target == "888"
    await driver.transfer_result(call.channel, True)
    await asyncio.sleep(0.2)
    assert "SIP/2.0 200 OK" in sipp.messages().rpartition("message/sipfrag")[2]
    await driver.hang_up(call.channel)
    await sipp.ended()
