"""A provider's trunk: it is signed in to by digest, brings callers, takes calls outward, and has so many lines.
The house as a whole has so many lines, too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.calls.models import Call
from backend.database import Database, read
from backend.runtime import probe_phone
from backend.runtime.probe_phone import ProbeError, ProbePhone
from backend.runtime.testing import Product, running_product
from tests.journeys import scenes
from tests.journeys.scenes import LIKE, document, node, spoken, until, words
from tests.journeys.walker import Caller
from tests.phones.audio import Samples, find
from tests.phones.provider import Provider

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

ERRORS = "errors { code field message { en } }"
HELLO = "Good day, this is the office."
DID = "741"
SECOND = "742"
CALLER = "13900139000"
OTHER = "13900139001"
ABROAD = "13800138000"


async def save(product: Product, **trunk: Any) -> str:
    """Make or change the trunk; its id."""
    known = {one["name"]: one["id"] for one in (await product.graphql("{ trunks { id name } }"))["trunks"]}
    saved = await product.graphql(
        f"mutation($t: TrunkInput!, $i: String) {{ saveTrunk(input: $t, id: $i) {{ value {{ id }} {ERRORS} }} }}",
        t=trunk,
        i=known.get(trunk["name"]),
    )
    assert saved["saveTrunk"]["errors"] == []
    return str(saved["saveTrunk"]["value"]["id"])


async def test_a_trunk_signs_in_and_carries_calls_both_ways(
    product: Product, database: Database, caller: Caller, tmp_path: Path
) -> None:
    flow = document(
        "office",
        {
            "answer": node("voice.answer"),
            "hello": node("voice.say", prompt=words(HELLO)),
            "wait": node("voice.collect", prompt=words("Please press a key."), maximum=1, tries=3),
            "bye": node("voice.hangup"),
        },
        ["answer.next>hello", "hello.next>wait", "wait.next>bye", "wait.timeout>bye", "wait.invalid>bye"],
    )
    await scenes.put_live(product, flow, DID)
    async with Provider(DID, "the-password-741") as provider:
        trunk = {
            "name": "provider",
            "host": provider.host,
            "port": provider.port,
            "username": DID,
            "password": "the-password-741",
            "registers": True,
            "codecs": ["ulaw"],
            "maxCalls": 1,
        }
        id = await save(product, **trunk)
        try:
            contact = await provider.registered()
            assert contact.startswith(f"sip:{DID}@127.0.0.1:{product.sip_port}")
            assert provider.challenged == ["REGISTER"], "the first request proves nothing, the second must"

            # Somebody outside calls the number of the account; the trunk is known by its address.
            async with ProbePhone("127.0.0.1", product.sip_port, user=CALLER, local=provider.host) as outside:
                await outside.call(DID)
                hello = await spoken(await caller(), HELLO)

                async def heard() -> bool:
                    return find(hello, loudness(outside.heard)).score >= LIKE

                await until(heard, "the caller hears the flow")
                assert (await stand(product, "provider"))["calls"] == 1
                # The trunk has one line, and they are on it.
                full = await place(product)
                assert [one["code"] for one in full["errors"]] == ["trunk_full"], full
                await outside.press("5")
                assert await outside.wait_ended(20)
            (record,) = await until(lambda: ended(database, CALLER), "the record of the incoming call")
            assert (record.trunk, record.called, record.anonymous, record.cause) == ("provider", DID, False, "normal")
            assert provider.calls == []

            # Many providers ask for the account as it has registered, and put the number into To alone.
            await scenes.put_live(product, flow, SECOND)
            async with ProbePhone("127.0.0.1", product.sip_port, user=OTHER, local=provider.host) as outside:
                await outside.call(SECOND, uri=contact)
                assert await outside.hears_sound(0.5, 20)
                await outside.press("5")
                assert await outside.wait_ended(30)
            (record,) = await until(lambda: ended(database, OTHER), "the record of the call to the second number")
            assert (record.trunk, record.called, record.flow_key) == ("provider", SECOND, "office")

            placed = await place(product)
            assert placed["errors"] == []
            call = await provider.incoming()
            assert call.number.endswith(ABROAD)
            assert provider.challenged.count("INVITE") == 1, "the provider asked who it is, and was told"

            async def reached() -> bool:
                return len(call.heard) > len(hello) and find(hello, loudness(call.heard)).score >= LIKE

            await until(reached, "who was called hears the flow")
            assert [one["code"] for one in (await place(product))["errors"]] == ["trunk_full"]
            provider.hang_up(call)

            async def over() -> Call | None:
                async with read(database) as session:
                    row = await session.get(Call, placed["value"])
                return row if row is not None and row.state == "ended" else None

            row = await until(over, "the record of the placed call")
            assert (row.direction, row.trunk, row.answered_at is not None, row.cause) == (
                "outbound",
                "provider",
                True,
                "normal",
            )
            idle = {"name": "provider", "state": "registered", "calls": 0, "maxCalls": 1}

            async def seen_idle() -> bool:
                return bool(await stand(product, "provider") == idle)

            await until(seen_idle, "the trunk is seen signed in, without a call", 30)
        finally:
            deleted = await product.graphql(f"mutation($i: String!) {{ deleteTrunk(id: $i) {{ {ERRORS} }} }}", i=id)
            assert deleted["deleteTrunk"]["errors"] == []
    await scenes.no_channels(product)


async def stand(product: Product, name: str) -> Any:
    """How a trunk stands, as the wall and the number plan show it."""
    found = (await product.graphql("{ trunksLive { name state calls maxCalls } }"))["trunksLive"]
    return next(one for one in found if one["name"] == name)


def loudness(heard: probe_phone.Samples) -> Samples:
    """What a phone heard, as our ears take it."""
    return (heard / 32768).astype(np.float32)


async def place(product: Product) -> Any:
    """Call somebody outside."""
    asked = 'mutation($n: String!) { placeCall(number: $n, flow: "office") { value errors { code message { en } } } }'
    return (await product.graphql(asked, n=ABROAD))["placeCall"]


async def ended_at_all(database: Database, number: str) -> list[Call]:
    return [call for call in await scenes.calls_of(database, number) if call.state == "ended"]


async def ended(database: Database, number: str) -> list[Call]:
    return [call for call in await scenes.calls_of(database, number) if call.state == "ended" and call.outcome]


@pytest.mark.soak
async def test_more_calls_than_the_house_has_lines_hear_busy(tmp_path: Path) -> None:
    async with running_product(tmp_path, {"CALLWEAVE_MAX_CALLS": "2"}) as small:

        def phone(user: str) -> ProbePhone:
            return ProbePhone("127.0.0.1", small.sip_port, user=user)

        async with phone("5551001") as first, phone("5551002") as second, phone("5551003") as third:
            await first.call("100")
            await second.call("100")
            with pytest.raises(ProbeError):
                await third.call("100")
            assert third.final_status == 486
            database = Database(small.settings.database)
            try:
                (refused,) = await until(lambda: ended_at_all(database, "5551003"), "the record of the refused call")
            finally:
                await database.close()
            assert (refused.cause, refused.sip_code, refused.called) == ("congestion", 486, "100")
            assert refused.answered_at is None and not refused.run_id
            assert first.up and second.up, "who talks already is left in peace"
            await first.hang_up()

            async def let_in() -> bool:
                async with phone("5551004") as fourth:
                    try:
                        await fourth.call("100")
                    except ProbeError:
                        return False
                    return await fourth.hears_sound(0.5, 10)

            await until(let_in, "a line that came free is given to the next caller", every=0.5)
