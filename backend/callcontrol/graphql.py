"""Steering live calls. Every change takes `op`, an id that the client makes up: sent twice it is done once."""

from collections.abc import AsyncIterator
from typing import Any

import strawberry

from backend.callcontrol import service
from backend.calls.graphql import operations
from backend.customers.masking import masks
from backend.errors import InvalidError
from backend.events import Event
from backend.graphql.base import Done, Info, mutation, query, subscription
from backend.identity.permissions import Permission
from nodes.sdk.text import text

CallParty = masks("number", "name")(
    strawberry.type(service.PartyState, name="CallParty", description="Somebody in a live call.")
)
OwnCall = strawberry.type(
    service.OwnCall,
    name="OwnCall",
    description="A live call as it stands for the person who asks. state is ringing, connecting, talking, held, "
    "consulting, conference, transferring, or over: the other side has gone, and this phone is hung up by hand.",
)
masks("number", "name", "called")(OwnCall)


@strawberry.type(description="Who talks in a call now; an empty mode when nobody does.")
class TalkState:
    mode: str
    parties: list[CallParty]  # type: ignore[valid-type]


@strawberry.type(description="A flow that a call may be given to.")
class TransferFlow:
    key: str
    name: str


async def _order(info: Info, call_id: str, op: str, action: str, **arguments: Any) -> Done:
    """Have the gateway that owns a call carry an order out, for whoever may steer it."""
    state, actor = info.context.state, info.context.actor
    call = await service.may_steer(state.db, actor, call_id)
    own = await service.own_leg(state.db, actor, call_id)
    await operations(info).control(
        actor,
        call.gateway,
        call_id,
        action,
        {**arguments, "op": service.word_of(op), "by": actor.name, "leg_of": own.id if own is not None else ""},
    )
    return Done()


async def _watching(info: Info, call_id: str) -> str:
    leg = await service.own_leg(info.context.state.db, info.context.actor, call_id, supervising=True)
    if leg is None:
        raise InvalidError(
            text("您不在监听此通话", "you do not supervise this call"),
            field="call_id",
            remedy=text("请先用 watchCall 加入。", "Enter it by watchCall first."),
        )
    return leg.id


def _one_of(value: str, allowed: tuple[str, ...], field: str) -> str:
    if value not in allowed:
        raise InvalidError(
            text(f"{field} 不可用", f"this {field} cannot be used"),
            field=field,
            remedy=text(f"可选：{'、'.join(allowed)}。", f"Choose of {', '.join(allowed)}."),
        )
    return value


@strawberry.type
class CallControlQuery:
    @query(Permission.PHONE, "The live calls at one's own phone, oldest first.")
    async def my_calls(self, info: Info) -> list[OwnCall]:  # type: ignore[valid-type]
        return await service.own_calls(info.context.state.db, info.context.actor)

    @query(Permission.PHONE, "Why a call that one dialled was not answered; empty when it was, or is up.")
    async def dialled_end(self, info: Info, call_id: str) -> str:
        return await service.dialled_end(info.context.state.db, info.context.actor, call_id)

    @query(Permission.PHONE, "Voice flows that are live, by name: where a call may be given to.")
    async def transfer_flows(self, info: Info) -> list[TransferFlow]:
        found = await service.transfer_flows(info.context.state.db, info.context.actor.business_id)
        return [TransferFlow(key=key, name=name) for key, name in found]

    @query(Permission.CALLS_READ, "Who talks in a call now.")
    async def live_talk(self, info: Info, call_id: str) -> TalkState:
        mode, parties = await service.parties_of(info.context.state.db, info.context.actor.business_id, call_id)
        return TalkState(mode=mode, parties=parties)


@strawberry.type
class CallControlMutation:
    @mutation(Permission.PHONE, "Call a number: one's own phone rings first. Returns the call's id.")
    async def dial_number(self, info: Info, number: str, op: str, caller_id: str = "") -> str:
        state, actor = info.context.state, info.context.actor
        phone = await service.phone_of(state.db, actor)
        word = service.word_of(f"{actor.business_id}:{actor.user_id}:{op}")
        return await operations(info).dial_for(actor, f"out-{word}", phone, number, caller_id)

    @mutation(Permission.PHONE, "The customer hears music.")
    async def hold_call(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "hold")

    @mutation(Permission.PHONE, "Back to the customer; somebody who is consulted waits with music.")
    async def resume_call(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "resume")

    @mutation(Permission.PHONE, "Nobody hears the agent, or everybody again.")
    async def mute_call(self, info: Info, call_id: str, on: bool, op: str) -> Done:
        return await _order(info, call_id, op, "mute", on=on)

    @mutation(Permission.PHONE, "Ask somebody while the customer hears music.")
    async def consult_call(self, info: Info, call_id: str, number: str, op: str) -> Done:
        return await _order(info, call_id, op, "consult", number=number)

    @mutation(Permission.PHONE, "Talk with the customer or the third party; the other one hears music.")
    async def swap_call(self, info: Info, call_id: str, to: str, op: str) -> Done:
        return await _order(info, call_id, op, "swap", to=_one_of(to, ("customer", "third"), "to"))

    @mutation(Permission.PHONE, "Customer, agent and third party talk together.")
    async def join_call(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "join")

    @mutation(Permission.PHONE, "Send the third party away and go back to the customer.")
    async def drop_third(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "drop_third")

    @mutation(Permission.PHONE, "Leave; the customer and the consulted party go on.")
    async def complete_transfer(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "complete")

    @mutation(Permission.PHONE, "Give the call on without asking: to a number, a queue or a flow, one of the three.")
    async def transfer_call(
        self, info: Info, call_id: str, op: str, number: str = "", queue: str = "", flow: str = ""
    ) -> Done:
        if sum(map(bool, (number, queue, flow))) != 1:
            raise InvalidError(
                text("请选择号码、队列或流程之一", "choose one of number, queue and flow"),
                field="number",
                remedy=text("只填写其中一个。", "Fill in one of them only."),
            )
        if number:
            return await _order(info, call_id, op, "transfer", number=number)
        return await _order(info, call_id, op, "hand_over", kind="queue" if queue else "flow", key=queue or flow)

    @mutation(Permission.PHONE, "Press keys towards the customer or the third party.")
    async def press_keys(self, info: Info, call_id: str, keys: str, op: str, to: str = "customer") -> Done:
        return await _order(info, call_id, op, "keys", digits=keys, to=_one_of(to, ("customer", "third"), "to"))

    @mutation(Permission.PHONE, "Record from now on, or keep what follows out of the recording.")
    async def record_call(self, info: Info, call_id: str, on: bool, op: str) -> Done:
        return await _order(info, call_id, op, "record", to="on" if on else "paused")

    @mutation(Permission.PHONE, "Hang up one's own phone; while it rings, refuse the call.")
    async def leave_call(self, info: Info, call_id: str, op: str) -> Done:
        leg = await service.own_leg(info.context.state.db, info.context.actor, call_id)
        leg = leg or await service.own_leg(info.context.state.db, info.context.actor, call_id, supervising=True)
        if leg is None:
            return Done()
        cause = "busy" if leg.state == "ringing" else "normal"
        return await _order(info, call_id, op, "leave", leg=leg.id, cause=cause)

    @mutation(Permission.SUPERVISE, "Enter a call: mode is listen, whisper or barge. One's own phone rings.")
    async def watch_call(self, info: Info, call_id: str, mode: str, op: str) -> Done:
        state, actor = info.context.state, info.context.actor
        _one_of(mode, ("listen", "whisper", "barge"), "mode")
        there = await service.own_leg(state.db, actor, call_id, supervising=True)
        if there is not None:
            return await _order(info, call_id, op, "change_watch", leg=there.id, mode=mode)
        phone = await service.phone_of(state.db, actor)
        return await _order(info, call_id, op, "watch", destination=phone, mode=mode)

    @mutation(Permission.SUPERVISE, "Leave a call that one supervises; it goes on as it was.")
    async def stop_watch(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "stop_watch", leg=await _watching(info, call_id))

    @mutation(Permission.SUPERVISE, "Take the agent's place in a call that one supervises.")
    async def take_over_call(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "take_over", leg=await _watching(info, call_id))

    @mutation(Permission.SUPERVISE, "End a talk by force; the customer's flow goes on.")
    async def release_call(self, info: Info, call_id: str, op: str) -> Done:
        return await _order(info, call_id, op, "release")


@strawberry.type
class CallControlSubscription:
    @subscription(Permission.PHONE)
    async def my_calls(self, info: Info) -> AsyncIterator[list[OwnCall]]:  # type: ignore[valid-type]
        """One's own live calls: as they stand, then again at every change."""
        state, actor = info.context.state, info.context.actor
        mine: set[str] = set()

        def wanted(event: Event) -> bool:
            if event.business_id != actor.business_id or not event.topic.startswith(("call.", "talk.")):
                return False
            return event.subject in mine or event.data.get("user") == actor.user_id

        last: list[service.OwnCall] | None = None
        with state.bus.subscribe(wanted) as events:
            calls = await service.own_calls(state.db, actor)
            mine.update(one.call_id for one in calls)
            yield calls
            async for _ in events:
                calls = await service.own_calls(state.db, actor)
                mine.clear()
                mine.update(one.call_id for one in calls)
                if calls != last:
                    last = calls
                    yield calls
