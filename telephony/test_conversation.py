"""Who hears whom in every mode of a talk, over the simulated engine and a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.call import Talk, TransferTarget
from telephony.comfort import GuardTimes
from telephony.conversation import AlreadyDoneError, ControlError, Conversation
from telephony.errors import HungUp
from telephony.live_call import STAY_SECONDS, LiveCall
from telephony.simulated import Callee, Line, Person, SimulatedDriver, run_virtual
from telephony.test_live_call import Hall, hall, virtual

AGENT, THIRD, BOSS, BUSY = "extension:8001", "extension:8002", "extension:8009", "extension:8003"


@dataclass
class Room:
    """A customer and an agent in a talk, and others who may be called."""

    h: Hall
    call: LiveCall
    customer: Line
    talking: "asyncio.Task[Talk]"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def talk(self) -> Conversation:
        assert self.call.conversation is not None
        return self.call.conversation

    def line(self, name: str) -> Line:
        id = self.call.id
        channel = {"customer": id, "agent": "leg", "third": f"{id}-third-t1", "boss": f"{id}-watch-w1"}
        return self.h.driver.lines[(channel | self.extra)[name]]

    async def hears(self) -> dict[str, set[str]]:
        """Everybody says a word in turn: who heard whom, and who hears music."""
        names = [
            name
            for name in ("customer", "agent", "third", "boss")
            if self._there(name) and not self.line(name).ended and self.line(name).answered_at is not None
        ]
        heard: dict[str, set[str]] = {name: set() for name in names}
        for speaker in names:
            marks = {name: len(self.line(name).heard) for name in names}
            await self.line(speaker).speak(0.2, f"word of {speaker}")
            for name in names:
                if any(one.text == f"word of {speaker}" for one in self.line(name).heard[marks[name] :]):
                    heard[name].add(speaker)
        for name in names:
            if any(one.kind == "music" and one.until is None for one in self.line(name).heard):
                heard[name].add("music")
        return heard

    def _there(self, name: str) -> bool:
        try:
            self.line(name)
        except KeyError:
            return False
        return True


async def room(*, third_after: float = 1.0, guard: GuardTimes | None = None) -> Room:
    driver = SimulatedDriver(
        callees={
            AGENT: Callee(after=1, person=Person()),
            THIRD: Callee(after=third_after, person=Person()),
            BOSS: Callee(after=1, person=Person()),
            BUSY: Callee("busy"),
        }
    )
    h = hall(driver, guard=guard or GuardTimes(comfort=1e9, apology=1e9))
    call, line = await h.call()
    await call.dial("leg", AGENT, caller_id="100", ring_seconds=30)
    talking = asyncio.create_task(call.talk("leg"))
    await asyncio.sleep(0.5)
    return Room(h, call, line, talking)


BOTH = {"customer": {"agent"}, "agent": {"customer"}}


@virtual
async def test_hold_gives_music_to_the_customer_and_resume_brings_them_back() -> None:
    r = await room()
    assert await r.hears() == BOTH and r.talk.view().mode == "talking"
    await r.talk.hold()
    await r.talk.hold()
    assert await r.hears() == {"customer": {"music"}, "agent": set()} and r.talk.view().mode == "held"
    await r.talk.resume()
    await r.talk.resume()
    assert await r.hears() == BOTH and r.talk.view().mode == "talking"


@virtual
async def test_a_muted_agent_hears_and_is_not_heard() -> None:
    r = await room()
    await r.talk.mute(True)
    assert await r.hears() == {"customer": set(), "agent": {"customer"}}
    assert [one.muted for one in r.talk.view().parties] == [False, True]
    await r.talk.mute(False)
    assert await r.hears() == BOTH


@virtual
async def test_consult_swap_and_complete() -> None:
    r = await room(third_after=3)
    await r.talk.consult("t1", THIRD, caller_id="8001")
    await asyncio.sleep(1)
    assert any(one.kind == "ringback" for one in r.line("agent").heard), "the agent hears that it rings"
    assert await r.hears() == {"customer": {"music"}, "agent": set()} and r.talk.view().mode == "consulting"
    await asyncio.sleep(4)
    assert all(one.until is not None for one in r.line("agent").heard if one.kind == "ringback")
    apart = {"customer": {"music"}, "agent": {"third"}, "third": {"agent"}}
    assert await r.hears() == apart
    await r.talk.swap("customer")
    assert await r.hears() == {"customer": {"agent"}, "agent": {"customer"}, "third": {"music"}}
    await r.talk.swap("third")
    assert await r.hears() == apart
    await r.talk.complete()
    assert await r.hears() == {"customer": {"third"}, "third": {"customer"}}
    assert r.line("agent").ended and not r.talking.done()
    r.line("third").hang_up()
    assert (await r.talking).ended_by == "other" and not r.call.ended
    # Nothing of it is left.
    state = await r.h.driver.snapshot()
    assert set(state.channels) == {r.call.id} and state.bridges == {}


@virtual
async def test_three_way_goes_on_when_one_of_them_leaves() -> None:
    everybody = {
        "customer": {"agent", "third"},
        "agent": {"customer", "third"},
        "third": {"customer", "agent"},
    }
    for who, left in (
        ("third", BOTH),
        ("agent", {"customer": {"third"}, "third": {"customer"}}),
    ):
        r = await room()
        await r.talk.consult("t1", THIRD, caller_id="8001")
        await asyncio.sleep(2)
        await r.talk.join()
        assert await r.hears() == everybody and r.talk.view().mode == "conference"
        r.line(who).hang_up()
        await asyncio.sleep(1)
        assert await r.hears() == left
        r.line("customer").hang_up()
        with pytest.raises(HungUp):
            await r.talking


@virtual
async def test_a_consulted_party_that_refuses_or_leaves_gives_the_customer_back() -> None:
    r = await room()
    await r.talk.consult("t1", BUSY, caller_id="8001")
    await asyncio.sleep(4)
    assert await r.hears() == BOTH and r.talk.view().third_result == "busy"
    await r.talk.consult("t2", THIRD, caller_id="8001")
    await asyncio.sleep(2)
    r.h.driver.leave(f"{r.call.id}-third-t2")
    await asyncio.sleep(1)
    assert {k: v for k, v in (await r.hears()).items() if k in BOTH} == BOTH
    await r.talk.consult("t3", THIRD, caller_id="8001")
    await asyncio.sleep(0.5)
    await r.talk.drop_third()
    await asyncio.sleep(1)
    assert r.h.driver.lines[f"{r.call.id}-third-t3"].cause == "cancelled"
    assert r.talk.view().mode == "talking"


@virtual
async def test_hanging_up_in_a_consultation_transfers() -> None:
    r = await room()
    await r.talk.consult("t1", THIRD, caller_id="8001")
    await asyncio.sleep(2)
    r.line("agent").hang_up()
    await asyncio.sleep(1)
    assert await r.hears() == {"customer": {"third"}, "third": {"customer"}}


@virtual
async def test_a_blind_transfer_lets_the_agent_go_at_once() -> None:
    r = await room(third_after=5)
    await r.talk.transfer("t1", THIRD, caller_id="100")
    await asyncio.sleep(1)
    assert r.line("agent").ended and await r.hears() == {"customer": {"music"}}
    assert r.talk.view().mode == "transferring"
    await asyncio.sleep(6)
    assert await r.hears() == {"customer": {"third"}, "third": {"customer"}}
    assert r.talk.view().mode == "talking" and not r.talking.done()


@virtual
async def test_a_colleague_who_gets_the_call_steers_it_an_outside_number_does_not() -> None:
    r = await room()
    await r.talk.transfer("t1", THIRD, caller_id="100")
    await asyncio.sleep(3)
    await r.talk.hold()
    assert await r.hears() == {"customer": {"music"}, "third": set()}
    await r.talk.resume()
    # Also to one's own phone again, as after a page that was loaded anew.
    await r.talk.transfer("t2", THIRD, caller_id="100")
    await asyncio.sleep(3)
    r.extra["third"] = f"{r.call.id}-third-t2"
    assert await r.hears() == {"customer": {"third"}, "third": {"customer"}}
    assert [one.role for one in r.talk.view().parties] == ["customer", "agent"]
    r.h.driver.callees["trunk:t:10086"] = Callee(after=1, person=Person())
    await r.talk.transfer("t3", "trunk:t:10086", caller_id="100")
    await asyncio.sleep(3)
    with pytest.raises(ControlError):
        await r.talk.mute(True)
    with pytest.raises(ControlError):
        await r.talk.transfer("t4", THIRD, caller_id="100")
    assert [one.role for one in r.talk.view().parties] == ["customer", "third"]


@virtual
async def test_an_agent_at_a_phone_outside_steers_the_call_they_get() -> None:
    r = await room()
    r.h.driver.callees["trunk:t:13900001111"] = Callee(after=1, person=Person())
    await r.talk.transfer("t1", "trunk:t:13900001111", caller_id="100", agent="u-ann")
    await asyncio.sleep(3)
    assert [one.role for one in r.talk.view().parties] == ["customer", "agent"]
    assert r.call.agents == {f"{r.call.id}-third-t1": "u-ann"}
    await r.talk.mute(True)
    assert await r.hears() == {"customer": set(), "third": {"customer"}}


async def of_two(*, third_after: float = 1.0) -> Room:
    """A telephone of the house has called a colleague: the call is the caller's own phone."""
    r = await room(third_after=third_after)
    r.talk.agent_side = "call"
    return r


@virtual
async def test_of_two_of_the_house_whoever_gives_an_order_is_the_agent() -> None:
    r = await of_two()
    r.talk.speaks("leg")
    await r.talk.hold()
    assert await r.hears() == {"customer": {"music"}, "agent": set()}, "who called hears music"
    with pytest.raises(ControlError):
        r.talk.speaks(r.call.id)
    r.talk.speaks("leg")
    await r.talk.resume()
    await r.talk.mute(True)
    r.talk.speaks(r.call.id)
    await r.talk.hold()
    assert await r.hears() == {"agent": {"music"}, "customer": set()}
    assert [one.muted for one in r.talk.view().parties] == [False, True], "who was muted is"
    await r.talk.resume()
    # Who was called may give the caller on, as with any call.
    r.talk.speaks("leg")
    await r.talk.transfer("t1", THIRD, caller_id="100")
    await asyncio.sleep(3)
    assert await r.hears() == {"customer": {"third"}, "third": {"customer"}}


@virtual
async def test_who_called_leaves_the_other_one_as_a_call_of_their_own() -> None:
    for asked in (False, True):
        r = await of_two()
        if asked:
            await r.talk.consult("t1", THIRD, caller_id="8001")
            await asyncio.sleep(2)
            assert (await r.hears())["agent"] == {"music"}
        made = await r.talk.part("p1", with_third=asked)
        talk = await r.talking
        assert (talk.ended_by, talk.target) == ("transfer", None)
        assert made.id == "leg" and made.answered and made.caller == "8001" and set(r.h.book.live) == {r.call.id, "leg"}
        await r.call.hang_up()
        await asyncio.sleep(2)
        assert not made.ended and set((await r.h.driver.snapshot()).channels) == {"leg", *made.legs}
        third = f"{r.call.id}-third-t1"
        if not asked:
            third = "leg-other"
            assert (await made.dial(third, THIRD, caller_id="8001", ring_seconds=9)).result == "answered"
        going_on = asyncio.create_task(made.talk(third))
        await asyncio.sleep(0.5)
        r.extra["third"] = third
        assert await r.hears() == {"agent": {"third"}, "third": {"agent"}}
        r.line("third").hang_up()
        assert (await going_on).ended_by == "other"


@virtual
async def test_a_blind_transfer_to_nobody_offers_the_customer_again() -> None:
    r = await room()
    await r.talk.transfer("t1", BUSY, caller_id="100")
    assert (await r.talking).ended_by == "other_lost"
    assert await r.hears() == {"customer": {"music"}} and not r.call.ended
    await r.call.dial("leg-2", AGENT, caller_id="100", ring_seconds=20)
    assert "music" not in (await r.hears())["customer"], "the next command ends the music"


@virtual
async def test_to_a_queue_or_a_flow_the_talk_ends_with_its_target() -> None:
    r = await room()
    await r.talk.hold()
    await r.talk.hand_over(TransferTarget("queue", "sales", "ann"))
    talk = await r.talking
    assert talk.ended_by == "transfer" and talk.target == TransferTarget("queue", "sales", "ann")
    await asyncio.sleep(0.1)
    assert r.line("agent").ended and await r.hears() == {"customer": set()}
    with pytest.raises(AssertionError):
        _ = r.talk


@virtual
async def test_a_lost_agent_leaves_the_customer_with_music() -> None:
    r = await room()
    r.line("agent").hang_up("lost")
    talk = await r.talking
    assert talk.ended_by == "other_lost" and await r.hears() == {"customer": {"music"}}
    # In a consultation a lost agent has not meant to transfer.
    r = await room()
    await r.talk.consult("t1", THIRD, caller_id="8001")
    await asyncio.sleep(2)
    r.line("agent").hang_up("lost")
    assert (await r.talking).ended_by == "other_lost"
    await asyncio.sleep(0.1)
    assert r.line("third").ended and await r.hears() == {"customer": {"music"}}


@virtual
async def test_who_talks_with_a_browser_that_fell_silent_hears_music_until_it_is_back() -> None:
    r = await room()
    driver, mode = r.h.driver, r.talk.view().mode
    driver.sending("leg", False)
    await asyncio.sleep(0.1)
    assert await r.hears() == {"customer": {"music"}, "agent": set()}
    assert [one.away for one in r.talk.view().parties] == [False, True] and r.talk.view().mode == mode
    assert r.h.book.silent_at(AGENT) == ["leg"] and r.h.book.silent_at(THIRD) == []
    driver.sending("leg", True)
    await asyncio.sleep(0.1)
    assert await r.hears() == BOTH and not any(one.away for one in r.talk.view().parties)
    assert r.h.book.silent_at(AGENT) == []
    # Gone for good: the music goes on, and the talk ends as with any phone that is lost.
    driver.sending("leg", False)
    await asyncio.sleep(5)
    began = [one.at for one in r.line("customer").heard if one.kind == "music"][-1]
    r.line("agent").hang_up("lost")
    assert (await r.talking).ended_by == "other_lost"
    await asyncio.sleep(1)
    assert await r.hears() == {"customer": {"music"}}
    assert [one.at for one in r.line("customer").heard if one.kind == "music"][-1] == began, "without a gap"


@virtual
async def test_a_silent_browser_matters_to_nobody_who_hears_somebody_else() -> None:
    r = await room()
    await r.talk.hold()
    r.h.driver.sending("leg", False)
    await asyncio.sleep(0.1)
    assert await r.hears() == {"customer": {"music"}, "agent": set()} and r.talk.view().mode == "held"
    r.h.driver.sending("leg", True)
    await asyncio.sleep(0.1)
    assert await r.hears() == {"customer": {"music"}, "agent": set()}, "what was held stays held"
    await r.talk.consult("t1", THIRD, caller_id="8001")
    await asyncio.sleep(2)
    r.h.driver.sending("leg", False)
    await asyncio.sleep(0.1)
    assert await r.hears() == {"customer": {"music"}, "agent": set(), "third": {"music"}}
    await r.talk.join()
    together = {"customer": {"agent", "third"}, "agent": {"customer", "third"}, "third": {"agent", "customer"}}
    assert await r.hears() == together
    r.h.driver.sending("leg", True)
    # The customer at a browser of the house: it is the agent who waits.
    await r.talk.drop_third()
    r.h.driver.sending(r.call.id, False)
    await asyncio.sleep(0.1)
    assert await r.hears() == {"customer": set(), "agent": {"music"}}


def tone_of_the_end(line: Line) -> bool:
    return any(one.text == "♪ over" and one.until is None for one in line.heard)


@virtual
async def test_a_phone_that_is_hung_up_by_hand_stays_and_hears_that_the_talk_is_over() -> None:
    for seconds in (20.0, 400.0):
        r = await room()
        r.call.by_hand.add("leg")
        talked = r.h.book.now()
        r.customer.hang_up()
        with pytest.raises(HungUp):
            await r.talking
        await asyncio.sleep(3)
        agent = r.line("agent")
        assert not agent.ended and tone_of_the_end(agent)
        (end,) = r.h.ends
        assert end.staying == ("leg",) and end.legs[0].talk_seconds < r.h.book.now() - talked
        assert (await r.h.driver.snapshot()).bridges == {}
        assert [channel for _, channel in r.h.book.staying(r.call.id)] == ["leg"]
        await asyncio.sleep(seconds)
        if seconds < STAY_SECONDS:
            assert not agent.ended
            agent.hang_up()
            await asyncio.sleep(0.1)
        # Whoever forgets it is helped after a while.
        assert r.h.book.staying(r.call.id) == [] and len(r.h.ends) == 1
        assert r.line("agent").ended


@virtual
async def test_any_other_phone_is_hung_up_with_the_caller() -> None:
    r = await room()
    r.customer.hang_up()
    with pytest.raises(HungUp):
        await r.talking
    await asyncio.sleep(0.2)
    assert r.line("agent").ended
    await asyncio.sleep(2)
    assert r.h.ends[0].staying == ()


@virtual
async def test_after_the_release_key_the_flow_goes_on_and_the_phone_stays() -> None:
    r = await room()
    r.call.by_hand.add("leg")
    await r.talk.release()
    assert (await r.talking).ended_by == "other"
    await asyncio.sleep(0.2)
    assert r.line("agent").ended, "an order is no waiting for a hand"
    await r.call.dial("leg-2", AGENT, caller_id="100", ring_seconds=20)
    r.call.by_hand.add("leg-2")
    r.extra["agent"] = "leg-2"
    talking = asyncio.create_task(r.call.talk("leg-2", release_key="*"))
    await asyncio.sleep(0.5)
    await r.customer.press("*")
    assert (await talking).ended_by == "key"
    await asyncio.sleep(1)
    assert not r.call.ended
    assert tone_of_the_end(r.line("agent"))
    r.line("agent").hang_up()
    await asyncio.sleep(0.1)
    await r.call.hang_up()
    await asyncio.sleep(2)
    assert r.h.ends[0].staying == ()


@virtual
async def test_a_supervisor_listens_whispers_joins_and_leaves() -> None:
    r = await room()
    boss = await r.talk.watch("w1", BOSS, "listen", caller_id="100")
    assert await r.hears() == BOTH, "nothing changes while the supervisor's phone rings"
    await asyncio.sleep(2)
    assert await r.hears() == {**BOTH, "boss": {"customer", "agent"}}
    await r.talk.change_watch(boss, "whisper")
    assert await r.hears() == {
        "customer": {"agent"},
        "agent": {"customer", "boss"},
        "boss": {"customer", "agent"},
    }
    await r.talk.change_watch(boss, "barge")
    assert await r.hears() == {
        "customer": {"agent", "boss"},
        "agent": {"customer", "boss"},
        "boss": {"customer", "agent"},
    }
    assert r.talk.view().mode == "conference"
    await r.talk.change_watch(boss, "listen")
    assert await r.hears() == {**BOTH, "boss": {"customer", "agent"}}
    await r.talk.stop_watch(boss)
    assert await r.hears() == BOTH and r.line("boss").ended
    state = await r.h.driver.snapshot()
    assert set(state.channels) == {r.call.id, "leg"} and len(state.bridges) == 1


@virtual
async def test_a_supervisor_who_hangs_up_in_any_mode_leaves_the_talk_as_it_was() -> None:
    for mode in ("listen", "whisper", "barge"):
        r = await room()
        await r.talk.watch("w1", BOSS, mode, caller_id="100")
        await asyncio.sleep(2)
        assert "boss" in await r.hears()
        r.line("boss").hang_up()
        await asyncio.sleep(1)
        assert await r.hears() == BOTH and r.talk.view().mode == "talking"
        state = await r.h.driver.snapshot()
        assert set(state.channels) == {r.call.id, "leg"} and len(state.bridges) == 1, mode


@virtual
async def test_a_supervisor_takes_over_or_ends_the_talk() -> None:
    r = await room()
    boss = await r.talk.watch("w1", BOSS, "listen", caller_id="100")
    with pytest.raises(ControlError):
        await r.talk.take_over(boss)
    await asyncio.sleep(2)
    await r.talk.take_over(boss)
    assert await r.hears() == {"customer": {"boss"}, "boss": {"customer"}} and r.line("agent").ended
    await r.talk.release()
    assert (await r.talking).ended_by == "other" and not r.call.ended


@virtual
async def test_keys_and_recording_on_demand() -> None:
    r = await room()
    await r.talk.keys("12#", op="k1")
    with pytest.raises(AlreadyDoneError):
        await r.talk.keys("12#", op="k1")
    assert r.h.driver.sent_digits == [(r.call.id, "12#")]
    with pytest.raises(ControlError):
        await r.talk.keys("hello")
    assert r.talk.view().recording == "off"
    await r.talk.record("on")
    assert r.talk.view().recording == "on"
    await r.talk.record("paused")
    assert r.talk.view().recording == "paused"
    await r.talk.record("on")
    assert r.talk.view().recording == "on"


@virtual
async def test_two_orders_at_once_are_carried_out_one_after_the_other() -> None:
    r = await room()
    r.h.driver.latency = 0.1
    await r.talk.consult("t1", THIRD, caller_id="8001")
    await asyncio.sleep(3)
    done = await asyncio.gather(
        r.talk.complete("o1"), r.talk.drop_third("o2"), r.talk.join("o3"), return_exceptions=True
    )
    assert done[0] is None and all(isinstance(one, ControlError) for one in done[1:]), done
    assert await r.hears() == {"customer": {"third"}, "third": {"customer"}}


@virtual
async def test_the_customer_s_end_ends_everything() -> None:
    r = await room()
    await r.talk.consult("t1", THIRD, caller_id="8001")
    await r.talk.watch("w1", BOSS, "whisper", caller_id="100")
    await asyncio.sleep(2)
    talk = r.talk
    r.customer.hang_up()
    with pytest.raises(HungUp):
        await r.talking
    with pytest.raises(HungUp):
        await talk.hold()
    await asyncio.sleep(2)
    state = await r.h.driver.snapshot()
    assert state.channels == {} and state.bridges == {}


async def _crash(r: Room, guard: GuardTimes) -> Room:
    """The process dies in the middle of it, and another one takes the calls on."""
    assert r.h.book._unsubscribe is not None
    r.h.book._unsubscribe()
    for task in [r.talking, *r.h.book._tasks]:
        task.cancel()
    await asyncio.gather(r.talking, return_exceptions=True)
    after = hall(r.h.driver, guard=guard)
    (again,) = await after.book.adopt({r.call.id})
    await asyncio.sleep(0.2)
    return Room(after, again, r.customer, asyncio.create_task(again.talk("leg")), r.extra)


@virtual
async def test_the_ringing_of_a_consultation_outlives_its_process_and_ends_with_the_answer() -> None:
    def ringing(r: Room) -> list[bool]:
        return [one.until is None for one in r.line("agent").heard if one.kind == "ringback"]

    for answered_meanwhile in (False, True):
        r = await room(third_after=6)
        await r.talk.consult("t1", THIRD, caller_id="8001")
        await asyncio.sleep(1)
        assert ringing(r) == [True]
        if answered_meanwhile:
            assert r.h.book._unsubscribe is not None
            r.h.book._unsubscribe()
            await asyncio.sleep(6)
            r.h.book.start()
        r = await _crash(r, GuardTimes())
        assert any(ringing(r)) is not answered_meanwhile
        assert len(ringing(r)) == 1 + answered_meanwhile, "it goes on as it was, and is not begun anew"
        await asyncio.sleep(7)
        assert not any(ringing(r))
        assert await r.hears() == {"customer": {"music"}, "agent": {"third"}, "third": {"agent"}}


@virtual
async def test_after_a_crash_every_mode_goes_on_and_can_be_ended() -> None:
    def held(r: Room) -> object:
        return r.talk.hold()

    async def consulting(r: Room) -> None:
        await r.talk.consult("t1", THIRD, caller_id="1")
        await asyncio.sleep(2)

    async def swapped(r: Room) -> None:
        await consulting(r)
        await r.talk.swap("customer")

    async def conference(r: Room) -> None:
        await consulting(r)
        await r.talk.join()

    async def transferred(r: Room) -> None:
        await consulting(r)
        await r.talk.complete()

    async def plain(r: Room) -> None:
        pass

    for put in (plain, held, consulting, swapped, conference, transferred):
        for mode in (None, "listen", "whisper", "barge"):
            if put is not plain and mode not in (None, "whisper"):
                continue
            r = await room()
            await put(r)  # type: ignore[misc]
            if mode is not None:
                await r.talk.watch("w1", BOSS, mode, caller_id="100")
                await asyncio.sleep(2)
            before, view = await r.hears(), r.talk.view()
            r = await _crash(r, GuardTimes())
            assert await r.hears() == before, (put, mode)
            assert r.talk.view().mode == view.mode, (put, mode)
            assert not any(one.kind == "comfort" for one in r.customer.heard)
            assert await r.call.leg("leg") == "up"
            await r.talk.release()
            assert (await r.talking).ended_by == "other"
            await asyncio.sleep(2)
            state = await r.h.driver.snapshot()
            assert set(state.channels) == {r.call.id} and state.bridges == {}, (put, mode, state)


ORDERS = ("hold", "resume", "mute", "unmute", "consult", "customer", "third", "join", "drop", "listen", "whisper",
          "barge", "unwatch", "third leaves", "boss leaves", "wait")  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ORDERS), max_size=12))
def test_whatever_is_ordered_everybody_hears_something_and_the_way_back_is_open(orders: list[str]) -> None:
    """No order of orders leaves a customer in silence, two customers crossed, or a talk that cannot become normal."""

    async def work() -> None:
        r = await room()
        boss = f"{r.call.id}-watch-w1"
        numbers = iter(range(100))
        third = ""
        reasons = set[str]()
        for order in orders:
            talk = r.talk
            if order == "consult":
                third = f"t{next(numbers)}"
            by_name: dict[str, Callable[[], Awaitable[None]]] = {
                "hold": talk.hold,
                "resume": talk.resume,
                "mute": partial(talk.mute, True),
                "unmute": partial(talk.mute, False),
                "consult": partial(talk.consult, third, THIRD, caller_id="1"),
                "customer": partial(talk.swap, "customer"),
                "third": partial(talk.swap, "third"),
                "join": talk.join,
                "drop": talk.drop_third,
                "listen": partial(talk.change_watch, boss, "listen"),
                "whisper": partial(talk.change_watch, boss, "whisper"),
                "barge": partial(talk.change_watch, boss, "barge"),
                "unwatch": partial(talk.stop_watch, boss),
            }
            if order == "third leaves":
                r.h.driver.leave(f"{r.call.id}-third-{third}")
            elif order == "boss leaves":
                r.h.driver.leave(boss)
            elif order == "wait":
                await asyncio.sleep(2)
            else:
                if order in ("listen", "whisper", "barge") and boss not in r.h.driver.lines:
                    await talk.watch("w1", BOSS, order, caller_id="1")  # type: ignore[arg-type]
                    continue
                try:
                    await by_name[order]()
                except ControlError as error:
                    reasons.add(error.reason)
            await asyncio.sleep(0.01)
            heard = await r.hears()
            assert heard["customer"] or _muted(r), f"the customer hears nothing after {order}"
        await asyncio.sleep(2)
        for undo in (r.talk.drop_third, r.talk.resume, partial(r.talk.mute, False), partial(r.talk.stop_watch, boss)):
            try:
                await undo()
            except ControlError as error:
                reasons.add(error.reason)
        await asyncio.sleep(1)
        assert {name: heard for name, heard in (await r.hears()).items() if name in BOTH} == BOTH
        assert r.talk.view().mode == "talking" and reasons <= {"wrong_state"}

    def _muted(r: Room) -> bool:
        return any(one.muted for one in r.talk.view().parties)

    run_virtual(work())
