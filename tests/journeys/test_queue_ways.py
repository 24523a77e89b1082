"""Where a queue leads to: an agent at an outside number, another queue's agents, the queue's own number, and what
callers hear until then."""

import asyncio
import time
from pathlib import Path

import pytest

from backend.runtime.testing import Product
from telephony.speech.audio import RATE
from tests.journeys import scenes
from tests.journeys.scenes import ERRORS, LIKE, both_talk, change, hears_words, until, words
from tests.journeys.test_queues import become, floor, live, state_of, waiting_flow, waits
from tests.journeys.walker import Caller
from tests.phones.audio import find, load
from tests.phones.phone import Phone, PhoneCall

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]

HERS, HOUSE = "13800138001", "13800138002"


async def rings_at(provider: Phone, number: str) -> PhoneCall:
    """The next call outward, which must be to that number."""
    reached = await provider.incoming(timeout=20)
    assert number in reached.local or number in reached.invite
    return reached


async def comes_to(product: Product, user: str, state: str) -> None:
    async def there() -> bool:
        return await state_of(product, user) == state

    await until(there, f"the agent is {state}")


async def rules(product: Product, name: str, **more: object) -> None:
    """Rules of a queue beside those that `floor` gave it."""
    await change(
        product,
        f"mutation($q: QueueInput!) {{ saveQueue(queue: $q) {{ value {{ name }} {ERRORS} }} }}",
        q={"name": name, "labelZh": "热线", "labelEn": "Hotline", "strategy": "ring_order", "ringSeconds": 5, **more},
    )


async def test_an_agent_at_an_outside_number_and_then_the_queues_own_number_are_reached_by_the_trunk(
    product: Product, tmp_path: Path
) -> None:
    people = await floor(product, "outward")
    ann = people["8001"]
    await change(
        product,
        'mutation($u: String!, $n: String!) { saveAgent(userId: $u, agent: {extension: "8001", phoneKind: "outside",'
        f" outsideNumber: $n, wrapUpSeconds: 1}}) {{ value {{ userId }} {ERRORS} }} }}",
        u=ann,
        n=HERS,
    )
    await rules(product, "outward", outsideNumber=HOUSE, outsideAfter=1)
    await scenes.put_live(product, waiting_flow("outward"), "744")
    target = f"sip:744@127.0.0.1:{product.sip_port}"
    async with (
        scenes.provider(product, tmp_path, auto="ring") as provider,
        Phone("13900139003", folder=tmp_path / "customer", host="127.0.0.2") as customer,
    ):
        await become(product, ann, "ready")
        call = await customer.call(target)
        reached = await rings_at(provider, HERS)
        assert await state_of(product, ann) == "offered"
        await reached.answer()
        await asyncio.gather(call.confirmed(), reached.confirmed())
        await both_talk(call, reached, tmp_path)
        assert await state_of(product, ann) == "talking"
        await call.hang_up()
        await reached.ended()
        await comes_to(product, ann, "wrap_up")
        await comes_to(product, ann, "ready")

        # She is busy on the next one: after one try in vain the caller goes to the queue's own number.
        call = await customer.call(target)
        await (await rings_at(provider, HERS)).reject(486)
        reached = await rings_at(provider, HOUSE)
        assert (await live(product, "outward"))["waiting"] == 1, "the place in line is kept while it rings"
        await reached.answer()
        await asyncio.gather(call.confirmed(), reached.confirmed())
        await both_talk(call, reached, tmp_path)
        assert await state_of(product, ann) == "ready"
        await reached.hang_up()
        await call.ended()
    await floor(product, "outward")


async def test_callers_hear_their_place_and_music_and_overflow_to_the_agents_of_another_queue(
    product: Product, caller: Caller, colleague: Phone
) -> None:
    people = await floor(product, "neighbours")
    await floor(product, "home")
    for name, extension in (("home", "8001"), ("neighbours", "8002")):
        await change(
            product,
            f"mutation($n: String!, $u: [String!]!) {{ setQueueMembers(name: $n, userIds: $u) {{ value {ERRORS} }} }}",
            n=name,
            u=[people[extension]],
        )
    await rules(product, "home", overflow=[{"queue": "neighbours", "afterSeconds": 5}])
    flow = waiting_flow("home")
    flow["nodes"]["wait"]["config"] |= {"tell_wait": False, "announcement": words("Thank you for your patience.")}
    await scenes.put_live(product, flow, "745")
    await colleague.behave("answer")
    await become(product, people["8002"], "ready")
    first, second = await caller(), await caller()
    await first.dial("745")
    await waits(product, "home", 1)
    began = time.time()
    await second.dial("745")
    await hears_words(second, "You are number 2 in line.")
    thanks = await hears_words(second, "Thank you for your patience.")

    async def music() -> bool:
        """The house's tune, and nothing else, in what came last."""
        heard = load(second.call.heard)[round((thanks.start + 2.0) * RATE) :]
        tune = product.settings.engine_folder / "music" / "default" / "calm.wav"
        return len(heard) > 2 * RATE and find(heard[-2 * RATE :], tune).score >= LIKE

    await until(music, "the caller hears the music of the house", every=0.3)
    theirs = await colleague.incoming(timeout=20)
    waited = theirs.events[0]["t"] - began
    assert waited > 4, f"the neighbours were asked after {waited:.1f} s already"
    await theirs.confirmed()
    assert await state_of(product, people["8002"]) == "talking"
    assert await state_of(product, people["8001"]) == "not_ready"
    await first.call.hang_up()
    await theirs.ended()
    await second.call.hang_up()
    await floor(product, "home")
