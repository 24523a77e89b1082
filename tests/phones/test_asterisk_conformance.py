"""The Asterisk driver does what every driver must do, with phones of another make at the far end."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from telephony import conformance
from telephony.asterisk.testing import running_asterisk
from telephony.speech.audio import tone, write_wav
from tests.phones import Phone, PhoneCall
from tests.phones.phone import Auto

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(90)]

AUTO: Mapping[conformance.Behaviour, Auto] = {
    "answers": "answer",
    "busy": "busy",
    "rejects": "decline",
    "rings": "ring",
}


class PhoneEnd:
    """A phone's call as the checks see it."""

    def __init__(self, call: PhoneCall, speech: Path) -> None:
        self.phone_call = call
        self.speech = speech

    async def press(self, digits: str) -> None:
        await self.phone_call.confirmed()
        await self.phone_call.press(digits)

    async def speak(self, seconds: float) -> None:
        await self.phone_call.confirmed()
        path = self.speech / f"speech-{seconds}.wav"
        write_wav(path, tone([300, 700], seconds))
        await self.phone_call.play(path)

    async def hang_up(self) -> None:
        await self.phone_call.confirmed()
        await self.phone_call.hang_up()

    async def ended(self) -> int:
        await self.phone_call.ended()
        return self.phone_call.final_code


class PhonePeople:
    def __init__(self, stack: AsyncExitStack, folder: Path, server: str) -> None:
        self.stack = stack
        self.folder = folder
        self.server = server
        self.phones: dict[str, Phone] = {}

    async def _phone(self, name: str, auto: Auto = "off") -> Phone:
        if name not in self.phones:
            self.phones[name] = await self.stack.enter_async_context(Phone(name, folder=self.folder, auto=auto))
        return self.phones[name]

    async def call(self, number: str) -> PhoneEnd:
        caller = await self._phone("5550001")
        return PhoneEnd(await caller.call(f"sip:{number}@{self.server}"), self.folder)

    async def destination(self, behaviour: conformance.Behaviour) -> str:
        return (await self._phone(behaviour, AUTO[behaviour])).uri

    async def picked_up(self) -> PhoneEnd:
        return PhoneEnd(await self.phones["answers"].incoming(), self.folder)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check: conformance.Check, tmp_path: Path) -> None:
    def sound(seconds: float) -> Path:
        path = tmp_path / f"{seconds}.wav"
        if not path.exists():
            write_wav(path, tone([440], seconds))
        return path

    async with AsyncExitStack() as stack:
        config, driver = await stack.enter_async_context(running_asterisk(tmp_path / "asterisk"))
        people = PhonePeople(stack, tmp_path, f"127.0.0.1:{config.sip_port}")
        await conformance.run(check, conformance.Stage(driver, people, sound))
