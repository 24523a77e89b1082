import asyncio
from typing import Any

import pytest

from nodes.queue.enter import Enter
from nodes.sdk.outcome import Outcome
from nodes.sdk.queue_double import MemoryQueues, QueueAgent
from nodes.sdk.services import QueueAsk, QueueTurn
from nodes.sdk.testing import (
    HANGS_UP,
    SILENT,
    Example,
    MemoryServices,
    MemoryTelephones,
    ScriptedCall,
    context,
    run_node,
    simulated_call,
)
from telephony.call import DialResult, Talk, TransferTarget
from telephony.simulated import Callee, run_virtual

CONFIG = {"queue": "hotline", "offers": [{"key": "1", "label": "留言"}, {"key": "2", "label": "回拨"}]}


def services(*agents: QueueAgent, full: bool = False, ahead: int = 0) -> MemoryServices:
    return MemoryServices(queues=MemoryQueues(*agents, full=full, ahead=ahead, queues=["hotline", "night"]))


def busy() -> MemoryServices:
    return services(QueueAgent(free_after=None), ahead=2)


def handed(kind: str, key: str) -> ScriptedCall:
    return ScriptedCall(talk=Talk(9.0, "transfer", target=TransferTarget(kind, key, "ann")))  # type: ignore[arg-type]


EXAMPLES = [
    Example("done", CONFIG),
    Example("1", CONFIG, services=busy, call=lambda: ScriptedCall("1")),
    Example("2", CONFIG, services=busy, call=lambda: ScriptedCall(SILENT, "2")),
    Example("timeout", {**CONFIG, "longest_wait": 20}, services=busy),
    Example("full", CONFIG, services=lambda: services(QueueAgent(), full=True)),
    Example("closed", CONFIG, services=services),
    Example("transfer", CONFIG, call=lambda: handed("flow", "pin")),
    Example("error", {"queue": "nowhere"}, services=busy),
    Example("@0", CONFIG, services=busy, call=lambda: ScriptedCall("0"), shortcuts=("0",)),
]


async def test_the_first_free_agent_talks_with_the_caller() -> None:
    call = ScriptedCall(talk=Talk(42.0, "other"))
    given = services(QueueAgent("8001", "ann"))
    outcome = await run_node(Enter(), CONFIG, call=call, services=given)
    assert call.log == ["say", "dial extension:8001 as 13800138000", "talk"]
    assert outcome.outputs | {"waited": 0} == {
        "queue": "hotline", "waited": 0, "place": 1, "answered_by": "ann", "agent_name": "ann", "seconds": 42.0,
        "ended_by": "other",
    }  # fmt: skip
    assert given.queues.log == ["enter hotline", "answered", "ended by other"]
    assert list(call.agents.values()) == ["id-of-ann"], "the leg tells whose phone it is, wherever it may be"


@pytest.mark.parametrize("result", ["no_answer", "busy", "rejected", "failed"])
async def test_an_agent_who_does_not_answer_costs_nothing_but_the_ringing(result: str) -> None:
    call = ScriptedCall(legs=[result])
    given = services(QueueAgent("8001", "ann"), QueueAgent("8002", "bob"))
    outcome = await run_node(Enter(), CONFIG, call=call, services=given)
    assert outcome.port == "done" and outcome.outputs["answered_by"] == "bob"
    assert given.queues.log == ["enter hotline", result, "answered", "ended by other"]


@pytest.mark.parametrize(("own", "heard"), [("default", "jazz"), ("rain", "rain")])
def test_the_queues_own_music_plays_unless_the_flow_has_chosen(own: str, heard: str) -> None:
    async def walk() -> None:
        given = MemoryServices(
            queues=MemoryQueues(QueueAgent(free_after=None), music="jazz", clock=asyncio.get_running_loop().time)
        )
        async with simulated_call() as (call, line):
            waiting = asyncio.ensure_future(run_node(Enter(), {**CONFIG, "music": own}, call=call, services=given))
            await asyncio.sleep(20)
            assert {one.text for one in line.heard if one.kind == "music"} == {f"♪ {heard}"}
            line.hang_up()
            await waiting

    run_virtual(walk())


async def test_an_agent_whom_no_line_leads_to_is_followed_by_the_next() -> None:
    queues = MemoryQueues(QueueAgent("13800138001", "ann"), QueueAgent("8002", "bob"))
    given = MemoryServices(queues=queues, telephones=MemoryTelephones(barred=["13800138001"]))
    outcome = await run_node(Enter(), CONFIG, services=given)
    assert outcome.port == "done" and outcome.outputs["answered_by"] == "bob"
    assert queues.log == ["enter hotline", "failed", "answered", "ended by other"]


async def test_a_lost_agent_is_followed_by_the_next() -> None:
    class Lost(ScriptedCall):
        async def talk(self, channel: str, *, release_key: str | None = None) -> Talk:
            talk = await super().talk(channel, release_key=release_key)
            self.conversation = Talk(30.0, "other")
            return talk

    given = services(QueueAgent("8001", "ann"), QueueAgent("8002", "bob"))
    outcome = await run_node(Enter(), CONFIG, call=Lost(talk=Talk(5.0, "other_lost")), services=given)
    assert outcome.port == "done" and outcome.outputs["answered_by"] == "bob"


async def test_a_phone_rings_no_more_when_the_caller_is_given_to_somebody_else() -> None:
    class Taken(MemoryQueues):
        async def withdrawn(self, key: str, offer: int) -> None:
            if offer > 1:
                await super().withdrawn(key, offer)
            place = self.places[key]
            place.tried.add("ann")
            place.state, place.agent = "waiting", None

    class Rings(ScriptedCall):
        async def dial(self, channel: str, destination: str, **more: Any) -> DialResult:
            if destination.endswith("8001"):
                await asyncio.Event().wait()
            return await super().dial(channel, destination, **more)

        async def hang_up_leg(self, channel: str) -> None:
            self.log.append("stop ringing")

    queues = Taken(QueueAgent("8001", "ann"), QueueAgent("8002", "bob"))
    call = Rings()
    outcome = await asyncio.wait_for(
        run_node(Enter(), CONFIG, call=call, services=MemoryServices(queues=queues)), timeout=5
    )
    assert outcome.port == "done" and outcome.outputs["answered_by"] == "bob"
    assert "stop ringing" in call.log
    assert queues.log == ["enter hotline", "answered", "ended by other"], "nobody missed anything"


async def test_a_lost_phone_gets_a_moment_of_music_before_it_rings_again() -> None:
    class Back(MemoryQueues):
        async def turn(self, key: str, *, seconds: float) -> QueueTurn:
            return (await super().turn(key, seconds=seconds)).model_copy(update={"back": True})

    call = ScriptedCall()
    given = MemoryServices(queues=Back(QueueAgent("8001", "ann")))
    outcome = await run_node(Enter(), CONFIG, call=call, services=given)
    assert outcome.port == "done"
    assert [one.split()[0] for one in call.log] == ["say", "music", "dial", "talk"]


async def test_a_transfer_to_another_queue_waits_there() -> None:
    class Once(ScriptedCall):
        async def talk(self, channel: str, *, release_key: str | None = None) -> Talk:
            talk = await super().talk(channel, release_key=release_key)
            self.conversation = Talk(30.0, "other")
            return talk

    given = services(QueueAgent("8001", "ann", queues=["hotline"]), QueueAgent("8002", "bob", queues=["night"]))
    target = TransferTarget("queue", "night", "ann")
    outcome = await run_node(Enter(), CONFIG, call=Once(talk=Talk(5.0, "transfer", target=target)), services=given)
    assert outcome.port == "done" and outcome.outputs["queue"] == "night" and outcome.outputs["answered_by"] == "bob"
    places = list(given.queues.places.values())
    assert [place.ask.transferred for place in places] == [False, True]


async def test_who_hangs_up_in_line_has_abandoned_it_and_who_talked_was_served() -> None:
    waiting, talking = busy(), services(QueueAgent())
    outcome = await run_node(Enter(), CONFIG, call=ScriptedCall(SILENT, HANGS_UP), services=waiting)
    assert outcome.port == "hangup" and waiting.queues.log[-1] == "leave abandoned"
    assert outcome.outputs["queue"] == "hotline" and "answered_by" not in outcome.outputs
    outcome = await run_node(Enter(), CONFIG, call=ScriptedCall(talk=Talk(5.0, "caller")), services=talking)
    assert outcome.port == "hangup" and outcome.outputs["answered_by"] == "agent"
    assert talking.queues.log[-1] == "ended by caller"


async def reconcile(call: ScriptedCall | None, given: MemoryServices) -> Outcome | None:
    node = Enter()
    return await node.reconcile(context(node, call=call, services=given), node.Config.model_validate(CONFIG))


async def test_after_a_crash_the_place_the_ringing_and_the_talk_are_found_again() -> None:
    given = services(QueueAgent("8001", "ann"))
    node = Enter()
    ctx = context(node, call=ScriptedCall(), services=given)
    await given.queues.enter(QueueAsk(queue="hotline"), key=ctx.key)
    outcome = await reconcile(ScriptedCall(), given)
    assert outcome is not None and outcome.port == "done" and given.queues.log.count("enter hotline") == 1

    given = services(QueueAgent("8001", "ann"))
    await given.queues.enter(QueueAsk(queue="hotline"), key=ctx.key)
    turn = await given.queues.turn(ctx.key, seconds=0)
    assert await given.queues.answered(ctx.key, turn.offer)
    call = ScriptedCall()
    call.leg_states[f"{ctx.key}-1-leg"] = "up"
    outcome = await reconcile(call, given)
    assert outcome is not None and outcome.port == "done" and call.log == ["talk"]

    gone = services(QueueAgent(free_after=None))
    await gone.queues.enter(QueueAsk(queue="hotline"), key=ctx.key)
    assert await reconcile(None, gone) is None
    assert gone.queues.log[-1] == "leave abandoned"


def test_music_plays_place_and_wait_are_told_until_somebody_is_free() -> None:
    async def walk() -> None:
        loop = asyncio.get_running_loop()
        agent = QueueAgent("8001", "ann", free_after=70.0)
        given = MemoryServices(queues=MemoryQueues(agent, ahead=2, clock=loop.time))
        async with simulated_call(callees={"extension:8001": Callee("answered", after=2.0)}) as (call, line):
            began = loop.time()
            config = {**CONFIG, "announcement": {"parts": [{"kind": "text", "text": {"zh": "留言请按1。"}}]}}
            waiting = asyncio.ensure_future(run_node(Enter(), config, call=call, services=given))
            await asyncio.sleep(75)
            heard = " ".join(one.text for one in line.heard)
            assert heard.count("您排在第3位。") == 3 and heard.count("预计等待约9分钟。") == 3
            assert heard.count("留言请按1。") == 3 and "♪ default" in heard
            await asyncio.sleep(5)
            line.hang_up()
            outcome = await waiting
            assert outcome.port == "hangup" and outcome.outputs["answered_by"] == "ann"
            assert 70 <= outcome.outputs["waited"] < 75 and loop.time() - began < 90

    run_virtual(walk())


def test_nobody_who_is_free_waits_for_an_announcement_to_end() -> None:
    async def walk() -> None:
        loop = asyncio.get_running_loop()
        given = MemoryServices(queues=MemoryQueues(QueueAgent("8001", "ann", free_after=4.0), ahead=2, clock=loop.time))
        words = {"parts": [{"kind": "text", "text": {"zh": "请稍候，我们很快为您服务。" * 12}}]}
        async with simulated_call(callees={"extension:8001": Callee("answered", after=1.0)}) as (call, line):
            config = {**CONFIG, "welcome": {"parts": []}, "announcement": words}
            began = loop.time()
            waiting = asyncio.ensure_future(run_node(Enter(), config, call=call, services=given))
            while "answered" not in given.queues.log:
                await asyncio.sleep(0.05)
            assert loop.time() - began < 5.5
            line.hang_up()
            assert (await waiting).outputs["answered_by"] == "ann"

    run_virtual(walk())
