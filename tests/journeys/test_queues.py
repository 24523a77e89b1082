"""Callers wait for people at real phones: through a killed process, past who does not answer, and called back."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from backend.database import Database
from backend.runtime.testing import Product
from telephony.speech.audio import RATE
from tests.journeys import scenes
from tests.journeys.scenes import ERRORS, both_talk, change, document, node, until, words
from tests.journeys.walker import Caller
from tests.phones.audio import has_tone, load
from tests.phones.phone import Phone

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session")]


async def floor(product: Product, name: str, *, by_hand: str = "") -> dict[str, str]:
    """A queue of 8001 and 8002 in that order, with both signed in and not ready; ids of the agents by extension.

    The agent at the extension `by_hand` hangs up themselves when the caller has.
    """
    known = {
        one["extension"]: one["userId"] for one in (await product.graphql("{ agents { extension userId } }"))["agents"]
    }
    for extension in ("8001", "8002"):
        if extension not in known:
            user = await change(
                product,
                'mutation($n: String!) { createUser(name: $n, password: "orbit-lantern-4711", role: "agent",'
                f" mustChangePassword: false) {{ value {{ id }} {ERRORS} }} }}",
                n=f"agent{extension}",
            )
            known[extension] = user["id"]
        # Another test may have given the extension to somebody else meanwhile.
        have = {
            one["number"]: one["id"] for one in (await product.graphql("{ extensions { id number } }"))["extensions"]
        }
        await change(
            product,
            "mutation($i: String!, $n: String!, $u: String!) { saveExtension(id: $i, number: $n, userId: $u)"
            f" {{ value {{ extension {{ id }} }} {ERRORS} }} }}",
            i=have[extension],
            n=extension,
            u=known[extension],
        )
        await change(
            product,
            "mutation($u: String!, $e: String!, $r: Boolean!) { saveAgent(userId: $u, agent: {extension: $e,"
            f' phoneKind: "sip", autoRelease: $r, maxMisses: 1, wrapUpSeconds: 1}})'
            f" {{ value {{ userId }} {ERRORS} }} }}",
            u=known[extension],
            e=extension,
            r=extension != by_hand,
        )
    await change(
        product,
        'mutation($n: String!) { saveQueue(queue: {name: $n, labelZh: "热线", labelEn: "Hotline",'
        f' strategy: "ring_order", ringSeconds: 5}}) {{ value {{ name }} {ERRORS} }} }}',
        n=name,
    )
    await change(
        product,
        f"mutation($n: String!, $u: [String!]!) {{ setQueueMembers(name: $n, userIds: $u) {{ value {ERRORS} }} }}",
        n=name,
        u=[known["8001"], known["8002"]],
    )
    for user in known.values():
        await become(product, user, "not_ready")
    return known


async def become(product: Product, user: str, state: str) -> None:
    await change(
        product,
        "mutation($u: String!, $s: String!) { forceAgentState(userId: $u, state: $s)"
        f" {{ value {{ state }} {ERRORS} }} }}",
        u=user,
        s=state,
    )


async def live(product: Product, queue: str) -> dict[str, Any]:
    found = await product.graphql(
        "{ queuesLive { name waiting talking answered abandoned callers { entryId place state kind } } }"
    )
    return next(one for one in found["queuesLive"] if one["name"] == queue)


async def state_of(product: Product, user: str) -> str:
    found = await product.graphql("{ agentsLive { userId state } }")
    return next(str(one["state"]) for one in found["agentsLive"] if one["userId"] == user)


def waiting_flow(queue: str) -> dict[str, Any]:
    return document(
        f"{queue}-flow",
        {
            "answer": node("voice.answer"),
            "wait": node(
                "queue.enter", queue=queue, welcome=words("Please hold."), offers=[{"key": "2", "label": "call back"}]
            ),
            "thanks": node("voice.say", prompt=words("Thank you for your call.")),
            "back": node("queue.callback", queue=queue),
            "kept": node("voice.say", prompt=words("We will call you back.")),
            "bye": node("voice.hangup"),
        },
        [
            "answer.next>wait", "wait.done>thanks", "wait.timeout>bye", "wait.full>bye", "wait.closed>bye",
            "wait.2>back", "back.kept>kept", "back.refused>bye", "kept.next>bye", "thanks.next>bye",
        ],
    )  # fmt: skip


async def waits(product: Product, queue: str, number: int) -> list[dict[str, Any]]:
    """The callers of a queue, as soon as so many wait."""

    async def look() -> list[dict[str, Any]] | None:
        found = await live(product, queue)
        return found["callers"] if found["waiting"] == number else None

    return await until(look, f"{number} callers wait in {queue}")


async def test_a_killed_process_takes_no_place_and_the_caller_reaches_who_is_ready(
    product: Product, database: Database, caller: Caller, agent: Phone, colleague: Phone, tmp_path: Path
) -> None:
    people = await floor(product, "plain")
    await scenes.put_live(product, waiting_flow("plain"), "741")
    await agent.behave("ring")
    await colleague.behave("ring")
    first, second = await caller(), await caller()
    await first.dial("741")
    (before,) = await waits(product, "plain", 1)
    await second.dial("741")
    line = await waits(product, "plain", 2)
    product.kill_python()
    await product.healthy()
    assert [one["entryId"] for one in await waits(product, "plain", 2)] == [one["entryId"] for one in line]
    assert line[0]["entryId"] == before["entryId"]
    await asyncio.sleep(3)
    began = time.monotonic()
    await become(product, people["8001"], "ready")
    theirs = await agent.incoming(timeout=15)
    print(f"ready to ringing {(time.monotonic() - began) * 1000:.0f} ms")  # noqa: T201
    await theirs.answer()
    await theirs.confirmed()
    await both_talk(first.call, theirs, tmp_path)
    assert (await live(product, "plain"))["talking"] == 1
    assert await state_of(product, people["8001"]) == "talking"
    # Killed while they talk: the talk goes on, and ends as talks do.
    product.kill_python()
    await product.healthy()
    assert theirs.state == "confirmed" and first.call.state == "confirmed"
    await asyncio.sleep(4)
    await theirs.hang_up()
    await first.finished()
    assert ("wait", "done") in await first.path()
    # The agent who is ready again rings for who waited behind.
    again = await agent.incoming(timeout=20)
    await second.call.hang_up()
    await again.ended()

    async def left() -> bool:
        found = await live(product, "plain")
        return bool(found["waiting"] == 0 and found["abandoned"] == 1)

    await until(left, "the second caller has abandoned the queue")


async def test_no_answer_goes_on_to_the_next_who_hangs_up_by_hand(
    product: Product, caller: Caller, agent: Phone, colleague: Phone, tmp_path: Path
) -> None:
    people = await floor(product, "next", by_hand="8002")
    await scenes.put_live(product, waiting_flow("next"), "742")
    await agent.behave("ring")
    await colleague.behave("answer")
    for user in people.values():
        await become(product, user, "ready")
    walker = await caller()
    await walker.dial("742")
    await agent.incoming(timeout=15)
    theirs = await colleague.incoming(timeout=20)
    await theirs.confirmed()
    await both_talk(walker.call, theirs, tmp_path)
    assert await state_of(product, people["8001"]) == "not_ready"
    await walker.call.hang_up()

    async def told() -> bool:
        return has_tone(load(theirs.heard)[-RATE:], 450)

    await until(told, "the agent hears that the other side has hung up")
    assert theirs.state == "confirmed" and await state_of(product, people["8002"]) == "talking"
    await theirs.hang_up()

    async def wrapped_up() -> bool:
        return await state_of(product, people["8002"]) == "ready"

    await until(wrapped_up, "the agent is ready after the work after the call")
    await floor(product, "next")


async def test_a_caller_who_leaves_is_called_back_when_it_is_their_turn(
    product: Product, caller: Caller, agent: Phone, colleague: Phone, tmp_path: Path
) -> None:
    people = await floor(product, "later")
    await scenes.put_live(product, waiting_flow("later"), "743")
    await agent.behave("answer")
    await colleague.behave("answer")
    walker = await caller()
    flow = waiting_flow("later")
    flow["nodes"]["back"]["config"] |= {"number": "8002", "attempts": 2, "pause": 1}
    await scenes.put_live(product, flow, "743")
    await walker.dial("743")
    await waits(product, "later", 1)
    await asyncio.sleep(2)
    await walker.call.press("2")
    await walker.finished()
    (kept,) = await waits(product, "later", 1)
    assert kept["kind"] == "callback"
    # Who is called back does not want to be at first: tried again after the pause.
    await colleague.behave("busy")
    await become(product, people["8001"], "ready")
    in_vain = await agent.incoming(timeout=15)
    await colleague.incoming(timeout=15)
    await in_vain.ended()
    await colleague.behave("answer")
    theirs = await agent.incoming(timeout=15)
    customer = await colleague.incoming(timeout=15)
    await theirs.confirmed()
    await customer.confirmed()
    await both_talk(customer, theirs, tmp_path)
    assert await state_of(product, people["8001"]) == "talking"
    await customer.hang_up()
    await theirs.ended()

    async def over() -> bool:
        found = await live(product, "later")
        return bool(found["answered"] == 1 and found["talking"] == 0)

    await until(over, "the call-back is over")
