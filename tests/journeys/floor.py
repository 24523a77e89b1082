"""People of a call centre for journeys: telephones that say one tone each, and hands on the API."""

import asyncio
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np

from backend.runtime.testing import Product
from telephony.speech.audio import RATE
from tests.journeys import scenes
from tests.journeys.people import PASSWORD, make_user
from tests.phones.audio import Samples, load
from tests.phones.phone import Phone, PhoneCall

HERTZ = {"customer": 620.0, "agent": 910.0, "third": 1270.0, "boss": 1730.0}
LOUD, QUIET_DB = 0.03, -45.0


def strength(samples: Samples, hertz: float) -> float:
    """How strong a tone is, 0 to 1."""
    at = np.arange(len(samples)) / RATE
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * at))))


@dataclass
class Person:
    """Somebody with a telephone whose microphone says a tone, and who may be signed in at the console."""

    name: str
    phone: Phone
    api: httpx.AsyncClient | None = None
    call: PhoneCall | None = None
    user_id: str = ""

    async def answers(self, folder: Path, timeout: float = 20.0) -> PhoneCall:
        """Take the next call and begin to say the tone."""
        call = await self.phone.incoming(timeout)
        await call.answer()
        return await self.speaks(call, folder)

    async def speaks(self, call: PhoneCall, folder: Path) -> PhoneCall:
        await call.confirmed()
        await call.play(scenes.tone(folder / f"{self.name}.wav", HERTZ[self.name], 120.0), loop=True)
        self.call = call
        return call

    async def ask(self, query: str, **variables: Any) -> Any:
        """Ask the API as this person."""
        assert self.api is not None
        reply = await self.api.post("/graphql", json={"query": query, "variables": variables})
        told = reply.json()
        assert not told.get("errors"), told
        return told["data"]

    async def does(self, mutation: str, call_id: str, *, op: str = "", **arguments: Any) -> str:
        """Steer a call; the code of the refusal, empty when it was done."""
        kinds = {str: "String!", bool: "Boolean!"}
        names = "".join(f", ${name}: {kinds[type(value)]}" for name, value in arguments.items())
        given = "".join(f", {name}: ${name}" for name in arguments)
        told = await self.ask(
            f"mutation($c: String!, $o: String!{names}) {{ {mutation}(callId: $c, op: $o{given})"
            " { errors { code message { zh en } } } }",
            c=call_id,
            o=op or uuid.uuid4().hex,
            **arguments,
        )
        errors = told[mutation]["errors"]
        return errors[0]["code"] if errors else ""

    async def calls(self) -> list[dict[str, Any]]:
        """One's own live calls as the console shows them."""
        told = await self.ask(
            "{ myCalls { callId legId role state direction number recording thirdResult"
            " parties { role number name up hears muted watching mine } } }"
        )
        found: list[dict[str, Any]] = told["myCalls"]
        return found


@dataclass
class Floor:
    """The people of one journey."""

    product: Product
    folder: Path
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    people: dict[str, Person] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    async def person(self, name: str, extension: str, role: str = "agent") -> Person:
        """A signed-in person at a telephone of their own."""
        user = f"floor{name}"
        user_id = await make_user(self.product, user, role, extension)
        have = await self.product.graphql("{ extensions { id number } }")
        id = next(one["id"] for one in have["extensions"] if one["number"] == extension)
        given = await self.product.graphql(
            "mutation($n: String!, $i: String, $p: String, $u: String) { saveExtension(number: $n, id: $i,"
            " password: $p, userId: $u) { errors { code } } }",
            n=extension,
            i=id,
            p=PASSWORD,
            u=user_id,
        )
        assert given["saveExtension"]["errors"] == []
        await self._in_force(extension)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        phone = await self.stack.enter_async_context(
            Phone(
                extension, folder=folder, password=PASSWORD, registrar=f"127.0.0.1:{self.product.sip_port}", auto="ring"
            )
        )
        api = await self.stack.enter_async_context(
            httpx.AsyncClient(base_url=self.product.http_url, headers={"x-callweave": "1"}, trust_env=False)
        )
        person = self.people[name] = Person(name, phone, api, user_id=user_id)
        told = await person.ask(
            "mutation($n: String!, $p: String!) { login(name: $n, password: $p) { errors { code } } }",
            n=user,
            p=PASSWORD,
        )
        assert told["login"]["errors"] == []
        return person

    async def _in_force(self, extension: str) -> None:
        """Wait until the telephone engine has taken the extension over."""
        file = self.product.settings.engine_folder / "etc" / "pjsip.conf"

        async def there() -> bool:
            text = await asyncio.to_thread(file.read_text)
            return f"[{extension}]\ntype=auth\nauth_type=userpass\nusername={extension}\npassword={PASSWORD}" in text

        await scenes.until(there, f"extension {extension} is in force", 20)
        await asyncio.sleep(0.5)

    async def customer(self, number: str) -> Person:
        """Somebody outside."""
        folder = self.folder / "customer"
        folder.mkdir(exist_ok=True)
        phone = await self.stack.enter_async_context(Phone(number, folder=folder))
        person = self.people["customer"] = Person("customer", phone)
        return person

    async def hears(self, **expected: str) -> None:
        """Wait until everybody hears exactly whom they should: ``customer="agent third"``, ``music`` or nothing."""
        wanted = {name: set(whom.split()) for name, whom in expected.items()}
        end = time.monotonic() + 12.0
        found: dict[str, set[str]] = {}
        while time.monotonic() < end:
            await asyncio.sleep(0.4)
            found = {name: await asyncio.to_thread(self._heard_by, name) for name in wanted}
            if found == wanted:
                # Not only in passing.
                await asyncio.sleep(0.8)
                found = {name: await asyncio.to_thread(self._heard_by, name) for name in wanted}
                if found == wanted:
                    return
        raise AssertionError(f"heard: {found}; wanted: {wanted}")

    def _heard_by(self, name: str) -> set[str]:
        call = self.people[name].call
        assert call is not None
        last = load(call.heard)[-int(0.7 * RATE) :]
        if len(last) < RATE // 2:
            return {"nothing yet"}
        heard = {other for other, hertz in HERTZ.items() if other != name and strength(last, hertz) > LOUD}
        if not heard:
            level = 20 * np.log10(float(np.sqrt(np.mean(last.astype(np.float64) ** 2))) + 1e-9)
            if level > QUIET_DB:
                heard = {"music"}
        return heard
