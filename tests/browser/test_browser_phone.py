"""The phone in the browser: a real Chromium registers through the web server, calls, hears and presses keys."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.runtime.testing import Product
from tests.journeys.people import at_a_browser
from tests.journeys.scenes import document, node, put_live, spoken, until, words
from tests.journeys.walker import Caller
from tests.phones.audio import find
from tests.phones.browser import BrowserPhone, browsers
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def keys_flow(key: str, greeting: str) -> dict[str, Any]:
    """A flow that greets, asks for two digits and says them."""
    return document(
        key,
        {
            "answer": node("voice.answer"),
            "hello": node("voice.say", prompt=words(greeting)),
            "ask": node("voice.collect", prompt=words("Please enter two digits."), minimum=2, maximum=2),
            "said": node("voice.say", prompt=words("You entered {{ nodes.ask.digits }}.")),
            "bye": node("voice.hangup"),
        },
        ["answer.next>hello", "hello.next>ask", "ask.next>said", "said.next>bye"],
    )


async def hears(phone: BrowserPhone, caller: Caller, sentence: str, timeout: float = 20.0) -> None:
    """Wait until the page has heard a sentence of the product."""
    wanted = await spoken(await caller(), sentence)

    async def heard() -> bool:
        found = await asyncio.to_thread(find, wanted, await phone.heard())
        return found.score > 0.6

    await until(heard, f"the browser hears {sentence!r}", timeout, every=0.5)


@pytest.mark.soak  # with more than one page in test_voices.py
async def test_a_browser_calls_a_number_hears_and_presses_keys(
    product: Product, caller: Caller, tmp_path: Path
) -> None:
    await put_live(product, keys_flow("keys-by-browser", "Welcome to the test line. Please listen."), "700")
    async with (
        browsers() as chromium,
        at_a_browser(product, chromium, tmp_path, "webann", "agent", "8101") as phone,
    ):
        await phone.start()
        assert (await phone.snapshot())["number"] == "8101"
        await phone.call("700")
        await phone.state("active")
        await hears(phone, caller, "Welcome to the test line. Please listen.")
        await hears(phone, caller, "Please enter two digits.")
        quality = await phone.quality()
        assert quality["received"] > 100 and quality["bytes"] > 10_000, quality
        await phone.do("sendKeys", "47")
        await hears(phone, caller, "You entered 47.")
        ended = await phone.state("ended")
        assert ended["error"] is None
        found = await product.graphql("{ calls(first: 1) { nodes { caller called anonymous state outcome } } }")
        assert found["calls"]["nodes"][0]["caller"] == "8101"
        assert found["calls"]["nodes"][0]["called"] == "700"


START = """mutation($k: String!, $n: String, $w: Boolean!, $c: String!) {
  startTestCall(flowKey: $k, number: $n, web: $w, caller: $c) {
    value { id dial callId version } errors { code field message { en } } } }"""


@pytest.mark.soak  # from the designer in test_publishing.py
async def test_the_author_of_a_draft_hears_it_in_the_browser_and_at_a_phone(
    product: Product, caller: Caller, agent: Phone, tmp_path: Path
) -> None:
    flow = keys_flow("never-published", "This draft is heard by its author only.")
    saved = await product.graphql(
        "mutation($d: JSON!) { importFlow(document: $d, replace: true) { errors { code } } }", d=flow
    )
    assert saved["importFlow"]["errors"] == []
    async with (
        browsers() as chromium,
        at_a_browser(product, chromium, tmp_path, "webboss", "supervisor") as phone,
    ):
        await phone.start()
        # Without an extension it is a phone for test calls.
        assert (await phone.snapshot())["number"] == ""
        started = (await phone.ask(START, k="never-published", n=None, w=True, c="13800138000"))["startTestCall"]
        assert started["errors"] == [] and started["value"]["version"] == 0, started
        trial = started["value"]
        assert trial["callId"] is None
        await phone.call(trial["dial"])
        await phone.state("active")
        await hears(phone, caller, "This draft is heard by its author only.")

        async def begun() -> str | None:
            found = await phone.ask("query($i: String!) { testCall(id: $i) { callId } }", i=trial["id"])
            return found["testCall"]["callId"]  # type: ignore[no-any-return]

        call_id = await until(begun, "the test call has a call")
        await phone.do("hangUp")

        async def over() -> Any:
            found = await phone.ask("query($i: String!) { call(id: $i) { caller flowVersion state } }", i=call_id)
            return found["call"] if found["call"]["state"] == "ended" else None

        assert await until(over, "the call is over") == {"caller": "13800138000", "flowVersion": 0, "state": "ended"}
        # What was dialled once leads nowhere any more.
        await phone.call(trial["dial"])
        again = await phone.until(lambda one: one["current"] is None, "the second call is over")
        assert again["calls"][-1]["state"] == "ended"
        # The same draft at a telephone.
        rung = (await phone.ask(START, k="never-published", n="8001", w=False, c=""))["startTestCall"]
        assert rung["errors"] == [], rung
        ringing = await agent.incoming()
        await ringing.answer()
        await ringing.confirmed()
        wanted = await spoken(await caller(), "This draft is heard by its author only.")

        async def heard() -> bool:
            return find(wanted, ringing.heard).score > 0.6

        await until(heard, "the telephone hears the draft", every=0.5)
        await ringing.hang_up()


async def test_an_extension_rings_at_its_telephone_and_its_browser(
    product: Product, caller: Caller, agent: Phone, tmp_path: Path
) -> None:
    async with (
        browsers() as chromium,
        at_a_browser(product, chromium, tmp_path, "webtwin", "agent", "8001") as phone,
    ):
        await phone.start(tone=440)
        walker = await caller()
        flow = document(
            "dials-both",
            {
                "answer": node("voice.answer"),
                "ring": node("voice.dial", number="8001", announcement=words("Wait.")),
                "bye": node("voice.hangup"),
            },
            ["answer.next>ring", *(f"ring.{port}>bye" for port in ("done", "busy", "no_answer", "failed"))],
        )
        await put_live(product, flow, "704")
        call = await walker.dial("704")
        ringing = await agent.incoming(timeout=20)
        shown = await phone.state("incoming")
        assert shown["serverId"], "the browser is told which call of the API it is"
        await phone.do("answer")
        await phone.state("active")
        await ringing.ended()
        assert ringing.final_code != 200
        await asyncio.sleep(2)
        await phone.do("hangUp")
        await phone.state("ended")
        await call.hang_up()
        # And the other way round: the telephone answers, the browser stops ringing.
        call = await walker.dial("704")
        ringing = await agent.incoming(timeout=20)
        await phone.until(lambda one: any(c["state"] == "incoming" for c in one["calls"]), "the browser rings")
        await ringing.answer()
        await ringing.confirmed()
        await phone.until(lambda one: one["current"] is None, "the browser rings no more")
        await call.hang_up()
        await ringing.ended()


async def test_who_may_not_is_told_why(product: Product, tmp_path: Path) -> None:
    async with browsers() as chromium:
        async with at_a_browser(product, chromium, tmp_path, "webnone", "agent") as phone:
            with pytest.raises(Exception, match="no_extension"):
                await phone.start()
            assert (await phone.snapshot())["error"] == "credentials_refused"
        async with at_a_browser(product, chromium, tmp_path, "webann", "agent", "8101") as phone:
            await phone.start()
            await phone.page.evaluate(
                "() => { navigator.mediaDevices.getUserMedia = () =>"
                " Promise.reject(new DOMException('no', 'NotAllowedError')) }"
            )
            with pytest.raises(Exception, match="NotAllowedError"):
                await phone.call("700")
            assert (await phone.snapshot())["error"] == "microphone_denied"
    # Nobody who is not signed in, and no page of another site, gets a way to Asterisk.
    import websockets

    address = f"ws://127.0.0.1:{product.http_port}/sip"
    for headers in ({}, {"Origin": "http://evil.example", "Authorization": product.client.headers["authorization"]}):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with websockets.connect(address, subprotocols=["sip"], additional_headers=headers, proxy=None):  # type: ignore[list-item]
                pass
    async with httpx.AsyncClient(base_url=product.http_url) as stranger:
        answer = await stranger.post(
            "/graphql", json={"query": "mutation { webPhone { errors { code } } }"}, headers={"x-callweave": "1"}
        )
    assert answer.json()["errors"][0]["extensions"]["code"] == "unauthenticated"
