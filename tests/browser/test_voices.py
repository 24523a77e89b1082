"""Two agents and a supervisor at their real pages, a customer at a telephone: who hears whom, mode by mode.

Everything is done by the buttons that people have; what each of them hears is told apart by the tone that each says
(see `tests.browser.voices` for how, and why it is real sound over the network).
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error, expect

from backend.runtime.testing import Product
from tests.browser.pages import People
from tests.browser.voices import Customer, Voice, Voices
from tests.journeys.scenes import Document, document, hears_words, node, put_live, words
from tests.journeys.walker import Caller
from tests.phones.phone import Phone

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

NUMBER = re.compile(r"555\s?7400")
SILENT = 2.0
"""Longer than so many seconds nobody may listen to a dead line."""
AGENT, THIRD, BOSS = "7401", "7402", "7403"


@pytest_asyncio.fixture(loop_scope="session")
async def voices(product: Product, people: People, tmp_path: Path) -> AsyncIterator[Voices]:
    async with Phone("5557400", folder=tmp_path / "customer") as phone:
        yield Voices(product, people, Customer(phone, tmp_path))


async def hotline(product: Product, queue: str, number: str, members: Sequence[Voice], **more: object) -> None:
    """A queue of these agents, and the number that leads into it."""
    errors = "errors { code field message { en } }"
    made = await product.graphql(
        f"mutation($q: QueueInput!) {{ saveQueue(queue: $q) {{ {errors} }} }}",
        q={"name": queue, "labelZh": queue, "labelEn": queue, "strategy": "ring_order", **more},
    )
    assert made["saveQueue"]["errors"] == [], made
    given = await product.graphql(
        f"mutation($n: String!, $u: [String!]!) {{ setQueueMembers(name: $n, userIds: $u) {{ {errors} }} }}",
        n=queue,
        u=[one.user_id for one in members],
    )
    assert given["setQueueMembers"]["errors"] == [], given
    flow = document(
        f"{queue}-flow",
        {
            "answer": node("voice.answer"),
            "wait": node("queue.enter", queue=queue, welcome=words("Hello.")),
            "bye": node("voice.hangup"),
        },
        ["answer.next>wait", *(f"wait.{port}>bye" for port in ("done", "timeout", "full", "closed"))],
    )
    await put_live(product, flow, number)


QUESTION = "Please rate our service from one to five."


def rating() -> Document:
    """A flow that asks one question after a talk."""
    return document(
        "rating",
        {"ask": node("voice.collect", prompt=words(QUESTION), maximum=1), "bye": node("voice.hangup")},
        ["ask.next>bye", "ask.timeout>bye", "ask.invalid>bye"],
    )


async def test_who_hears_whom_in_every_mode(voices: Voices, product: Product) -> None:
    agent = await voices.sits("agent", AGENT)
    third = await voices.sits("third", THIRD)
    boss = await voices.sits("boss", BOSS, role="supervisor", path="/floor")
    await hotline(product, "voices", "750", [agent])
    call = await voices.customer.calls(product, "750")

    # Talk.
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    # Mute: at the browser's own phone.
    await agent.presses("Mute")
    await voices.hear(customer="", agent="customer")
    await agent.presses("Unmute")
    # Hold.
    await agent.presses("Hold")
    await voices.hear(customer="music", agent="")
    await agent.presses("Resume")
    await voices.hear(customer="agent", agent="customer")

    # Consult, to and fro, all three, back to two.
    await agent.chooses("Consult", THIRD, "Consult")
    await third.answers()
    await voices.hear(customer="music", agent="third", third="agent")
    await agent.presses("Back to the customer")
    await voices.hear(customer="agent", agent="customer", third="music")
    await agent.presses("To ")
    await voices.hear(customer="music", agent="third", third="agent")
    await agent.presses("All together")
    await voices.hear(customer="agent third", agent="customer third", third="customer agent")
    await agent.presses("Without ")
    await voices.hear(customer="agent", agent="customer")

    # The supervisor listens, whispers, joins, leaves.
    tile = boss.page.locator(".cw-tile").filter(has_text=AGENT)
    watching = boss.page.locator(".cw-watching")
    await tile.get_by_role("button", name="Listen").click()
    await watching.get_by_role("button", name="Listen").click()
    await voices.hear(customer="agent", agent="customer", boss="customer agent")
    await watching.get_by_text("Whisper", exact=True).click()
    await voices.hear(customer="agent", agent="customer boss", boss="customer agent")
    await watching.get_by_text("Barge in", exact=True).click()
    await voices.hear(customer="agent boss", agent="customer boss", boss="customer agent")
    await watching.get_by_role("button", name="Leave the call").click()
    await voices.hear(customer="agent", agent="customer")
    await expect(watching).to_be_hidden()

    # Attended transfer: the first agent is out of it.
    await agent.chooses("Consult", THIRD, "Consult")
    await third.answers()
    await voices.hear(customer="music", agent="third", third="agent")
    await agent.presses("Hand over")
    await voices.hear(customer="third", third="customer")
    await expect(agent.page.locator(".cw-callbar")).to_contain_text("No call")
    await expect(agent.page.locator(".cw-state-button")).to_contain_text("Ready")

    # The supervisor takes the call of the second agent over.
    tile = boss.page.locator(".cw-tile").filter(has_text=THIRD)
    await tile.get_by_role("button", name="Listen").click()
    await watching.get_by_role("button", name="Listen").click()
    await voices.hear(customer="third", third="customer", boss="customer third")
    await watching.get_by_role("button", name="Take over").click()
    await voices.hear(customer="boss", boss="customer")
    await expect(third.page.locator(".cw-callbar")).to_contain_text("No call")
    await call.hang_up()


async def test_a_page_that_is_loaded_again_gets_the_call_back_and_gives_the_caller_to_a_flow(
    voices: Voices, product: Product, caller: Caller
) -> None:
    agent = await voices.sits("agent", AGENT)
    await hotline(product, "reload", "751", [agent])
    call = await voices.customer.calls(product, "751")
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    since = voices.customer.now()
    await agent.page.reload()
    await expect(agent.page.locator(".cw-ring")).to_contain_text(NUMBER)
    await voices.hear(customer="music")
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    assert await voices.customer.longest_silence(since) < SILENT
    await expect(agent.page.locator(".cw-callbar")).to_contain_text(NUMBER)
    await agent.presses("Hold")
    await voices.hear(customer="music", agent="")
    await agent.presses("Resume")

    # The agent gives the caller to a flow that asks how it was, and is free again when the caller has gone.
    await put_live(product, rating())
    since = voices.customer.now()
    await agent.chooses("Transfer", "rating", "Transfer now", kind="Flow")
    await hears_words(await caller(), QUESTION, after=since, call=call)
    await call.press("5")
    await call.ended()
    await expect(agent.page.locator(".cw-state-button")).to_contain_text("Ready")
    told = await product.graphql("{ calls(first: 1) { nodes { trail { flowKey nodeId outputs } } } }")
    steps = told["calls"]["nodes"][0]["trail"]
    assert [one["outputs"]["digits"] for one in steps if (one["flowKey"], one["nodeId"]) == ("rating", "ask")] == ["5"]


@pytest.mark.soak
async def test_a_page_that_is_closed_in_a_call_leaves_the_customer_with_music_and_the_next_agent(
    voices: Voices, product: Product
) -> None:
    agent, third = await voices.sits("agent", AGENT), await voices.sits("third", THIRD)
    await hotline(product, "closing", "752", [agent, third])
    call = await voices.customer.calls(product, "752")
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    since = voices.customer.now()
    await agent.page.close(run_before_unload=False)
    await voices.hear(customer="music")
    assert await voices.state("agent") == "offered", "it is offered back first"
    await expect(third.page.locator(".cw-ring")).to_be_visible(timeout=40_000)
    await third.answers()
    await voices.hear(customer="third", third="customer")
    assert await voices.state("agent") == "not_ready"
    assert await voices.customer.longest_silence(since) < SILENT
    await call.hang_up()


@pytest.mark.soak  # at a telephone the same is in CI
async def test_an_agent_who_hangs_up_by_hand_is_told_that_the_caller_has_gone(voices: Voices, product: Product) -> None:
    agent = await voices.sits("agent", AGENT)
    saved = await product.graphql(
        'mutation($u: String!, $e: String!) { saveAgent(userId: $u, agent: {extension: $e, phoneKind: "browser",'
        " autoRelease: false, wrapUpSeconds: 0}) { errors { code } } }",
        u=agent.user_id,
        e=AGENT,
    )
    assert saved["saveAgent"]["errors"] == []
    await hotline(product, "byhand", "755", [agent])
    call = await voices.customer.calls(product, "755")
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    await call.hang_up()
    bar = agent.page.locator(".cw-callbar")
    await expect(bar).to_contain_text("the other side has hung up")
    await expect(bar.get_by_role("button", name="Hold")).to_be_hidden()
    assert await voices.state("agent") == "talking", "the phone is still in use"
    await agent.presses("Hang up")
    await expect(bar).to_contain_text("No call")
    await expect(agent.page.locator(".cw-state-button")).to_contain_text("Ready")


async def test_two_who_take_the_same_caller_at_once(voices: Voices, product: Product) -> None:
    agent, third = await voices.sits("agent", AGENT), await voices.sits("third", THIRD)
    await hotline(product, "both", "753", [agent, third])
    call = await voices.customer.calls(product, "753")
    await expect(agent.page.locator(".cw-ring .cw-answer")).to_be_visible()
    line = await product.graphql("{ queuesLive { name callers { entryId } } }")
    (waiting,) = next(one["callers"] for one in line["queuesLive"] if one["name"] == "both")

    async def give() -> str:
        """A supervisor gives the caller to the other agent."""
        told = await product.graphql(
            "mutation($e: String!, $u: String!) { giveWaiting(entryId: $e, userId: $u) { errors { code } } }",
            e=waiting["entryId"],
            u=third.user_id,
        )
        errors = told["giveWaiting"]["errors"]
        return errors[0]["code"] if errors else ""

    async def take() -> None:
        # It may have stopped to ring just now.
        with contextlib.suppress(Error):
            await agent.page.locator(".cw-ring .cw-answer").click(timeout=3000)

    code, _ = await asyncio.gather(give(), take())
    assert code in ("", "not_waiting"), "who comes too late is told so"
    winner, loser = (agent, third) if code else (third, agent)
    if winner is third:
        await third.answers()
    await voices.hear(customer=winner.name, **{winner.name: "customer"})
    await expect(loser.page.locator(".cw-callbar")).to_contain_text("No call")
    await expect(loser.page.locator(".cw-state-button")).to_contain_text("Ready")
    await expect(loser.page.locator(".cw-ring")).to_be_hidden()
    await call.hang_up()


@pytest.mark.soak
async def test_a_supervisor_whose_page_closes_leaves_the_call_as_it_was(voices: Voices, product: Product) -> None:
    agent = await voices.sits("agent", AGENT)
    boss = await voices.sits("boss", BOSS, role="supervisor", path="/floor")
    await hotline(product, "left", "754", [agent])
    call = await voices.customer.calls(product, "754")
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    watching = boss.page.locator(".cw-watching")
    modes = {
        "Listen": {"customer": "agent", "agent": "customer"},
        "Whisper": {"customer": "agent", "agent": "customer boss"},
        "Barge in": {"customer": "agent boss", "agent": "customer boss"},
    }
    for mode, heard in modes.items():
        await boss.page.locator(".cw-tile").filter(has_text=AGENT).get_by_role("button", name="Listen").click()
        await watching.get_by_role("button", name="Listen").click()
        await voices.hear(customer="agent", agent="customer", boss="customer agent")
        await watching.get_by_text(mode, exact=True).click()
        await voices.hear(**heard, boss="customer agent")
        await (boss.page.close() if mode == "Barge in" else boss.page.reload())
        await voices.hear(customer="agent", agent="customer")
    await agent.presses("Hold")
    await voices.hear(customer="music", agent="")
    await call.hang_up()


@pytest.mark.soak
async def test_a_call_is_given_on_to_a_number_and_to_a_queue(voices: Voices, product: Product) -> None:
    agent, third = await voices.sits("agent", AGENT), await voices.sits("third", THIRD)
    await hotline(product, "first", "755", [agent])
    await hotline(product, "second", "756", [third])
    call = await voices.customer.calls(product, "755")
    await agent.answers()
    await voices.hear(customer="agent", agent="customer")
    # Blind, to a number.
    await agent.chooses("Transfer", THIRD, "Transfer now", kind="Number")
    await voices.hear(customer="music")
    await expect(agent.page.locator(".cw-callbar")).to_contain_text("No call")
    await third.answers()
    await voices.hear(customer="third", third="customer")
    # Attended, to a number.
    await third.chooses("Transfer", AGENT, "Ask first", kind="Number")
    await agent.answers()
    await voices.hear(customer="music", agent="third", third="agent")
    await third.presses("Hand over")
    await voices.hear(customer="agent", agent="customer")
    await expect(third.page.locator(".cw-state-button")).to_contain_text("Ready")
    # To a queue: whoever is ready there gets the caller, and who gave them on is free for others.
    await agent.chooses("Transfer", "second", "Transfer now", kind="Queue")
    await third.answers()
    await voices.hear(customer="third", third="customer")
    await expect(agent.page.locator(".cw-state-button")).to_contain_text("Ready")
    await call.hang_up()
