"""Phones against each other over real SIP and RTP: before they judge an engine, they prove themselves."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from telephony.speech.audio import RATE, tone, write_wav
from tests.phones import Phone, PhoneError, audio
from tests.phones.test_audio import speechlike

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(60)]


async def test_audio_and_digits_go_both_ways(tmp_path: Path) -> None:
    hello, answer = tmp_path / "hello.wav", tmp_path / "answer.wav"
    write_wav(hello, speechlike(1.5, 1))
    write_wav(answer, speechlike(1.5, 2))
    async with Phone("alice", folder=tmp_path) as alice, Phone("bob", folder=tmp_path) as bob:
        there = await alice.call(bob.uri, headers={"X-Test": "yes"})
        here = await bob.incoming()
        assert "alice" in here.remote and "X-Test: yes" in here.invite
        await here.ring()
        await there.ringing()
        await here.answer()
        await asyncio.gather(there.confirmed(), here.confirmed())
        await there.play(hello)
        await here.play(answer)
        await there.press("12#")
        await here.press("*9", info=True)
        await here.wait(lambda call: call.digits == "12#", 5, "digits")
        await there.wait(lambda call: call.digits == "*9", 5, "digits")
        assert {event["method"] for event in here._all("digit")} == {"rfc4733"}
        assert {event["method"] for event in there._all("digit")} == {"info"}
        assert (await there.statistics())["received"] > 50
        await there.hang_up()
        await here.ended()
    assert there.final_code == 200
    assert audio.contains(hello, here.heard)
    assert audio.contains(answer, there.heard)
    assert audio.find(answer, here.heard).score < 0.6


@pytest.mark.parametrize(("auto", "code"), [("busy", 486), ("decline", 603)])
async def test_refusals_carry_their_code(tmp_path: Path, auto: str, code: int) -> None:
    async with Phone("alice", folder=tmp_path) as alice, Phone("bob", folder=tmp_path, auto=auto) as bob:  # type: ignore[arg-type]
        call = await alice.call(bob.uri)
        await call.ended()
        assert call.final_code == code
        with pytest.raises(PhoneError, match="not answered"):
            await call.confirmed()


async def test_a_phone_that_only_rings_is_cancelled(tmp_path: Path) -> None:
    async with Phone("alice", folder=tmp_path) as alice, Phone("bob", folder=tmp_path, auto="ring") as bob:
        call = await alice.call(bob.uri)
        await call.ringing()
        await call.hang_up()
        assert call.final_code == 487
        assert (await (await bob.incoming()).ended()).codes[-1] == 487


async def test_hold_and_transfer(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone([700], 8.0))
    async with (
        Phone("alice", folder=tmp_path) as alice,
        Phone("bob", folder=tmp_path, auto="answer") as bob,
        Phone("carol", folder=tmp_path, auto="answer") as carol,
    ):
        call = await (await alice.call(bob.uri)).confirmed()
        at_bob = await bob.incoming()
        await at_bob.confirmed()
        await call.play(tmp_path / "tone.wav", loop=True)
        await asyncio.sleep(0.5)
        await call.hold()
        await asyncio.sleep(1.0)
        await call.hold(False)
        await asyncio.sleep(0.5)
        assert await call.transfer(carol.uri) == 200
        at_carol = await (await carol.incoming()).confirmed()
        assert "bob" in at_carol.remote
        await call.hang_up()
    assert audio.has_tone(at_bob.heard, 700)
    assert [event["status"] for event in at_bob._all("media")][:3] == [1, 3, 1], "active, held, active again"


async def test_missing_events_say_what_came_instead(tmp_path: Path) -> None:
    async with Phone("alice", folder=tmp_path) as alice:
        with pytest.raises(PhoneError, match="no an incoming call within"):
            await alice.incoming(timeout=0.2)
        call = await alice.call(alice.uri)
        await (await alice.incoming()).reject(404)
        await call.ended()
        assert call.final_code == 404
        with pytest.raises(PhoneError, match="the call has ended"):
            await call.press("1")


def test_nothing_of_the_ears_needs_stereo() -> None:
    assert audio.load(np.zeros(RATE, np.float32)).shape == (RATE,)
