"""Carries the orders of agents and supervisors out on the conversations of this gateway."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from backend.callcontrol.words import refusal
from backend.errors import ConflictError, DomainError, not_found
from backend.runtime.gateway import Gateway
from nodes.sdk.outcome import NodeError
from nodes.sdk.text import text
from telephony.call import TransferTarget
from telephony.conversation import AlreadyDoneError, ControlError, Conversation
from telephony.errors import DriverError, HungUp

if TYPE_CHECKING:
    from backend.runtime.orders import Order

Plain = Callable[[Conversation, Mapping[str, Any]], Awaitable[object]]

_PLAIN: Mapping[str, Plain] = {
    "hold": lambda talk, a: talk.hold(a["op"]),
    "resume": lambda talk, a: talk.resume(a["op"]),
    "mute": lambda talk, a: talk.mute(a["on"], a["op"]),
    "swap": lambda talk, a: talk.swap(a["to"], a["op"]),
    "join": lambda talk, a: talk.join(a["op"]),
    "drop_third": lambda talk, a: talk.drop_third(a["op"]),
    "complete": lambda talk, a: talk.complete(a["op"]),
    "hand_over": lambda talk, a: talk.hand_over(TransferTarget(a["kind"], a["key"], a["by"]), a["op"]),
    "keys": lambda talk, a: talk.keys(a["digits"], a["to"], a["op"]),
    "record": lambda talk, a: talk.record(a["to"], a["op"]),
    "change_watch": lambda talk, a: talk.change_watch(a["leg"], a["mode"], a["op"]),
    "stop_watch": lambda talk, a: talk.stop_watch(a["leg"], a["op"]),
    "take_over": lambda talk, a: talk.take_over(a["leg"], a["op"]),
    "release": lambda talk, a: talk.release(a["op"]),
}


async def steer(gateway: Gateway, order: "Order") -> None:
    """Carry one order out; one that was carried out before is done. Raises DomainError."""
    try:
        await _steer(gateway, order)
    except AlreadyDoneError:
        return
    except ControlError as problem:
        raise refusal(problem) from problem
    except HungUp as problem:
        raise refusal(ControlError("no_call", "the call is over")) from problem
    except NodeError as problem:
        raise no_way(str(order.arguments.get("number", "")), problem) from problem
    except DriverError as problem:
        raise ConflictError(
            text("话路设备未能执行", f"the telephone engine refused: {problem}"),
            code="engine_refused",
            remedy=text("请重试。", "Try again."),
        ) from problem


async def _steer(gateway: Gateway, order: "Order") -> None:
    arguments = order.arguments
    if order.action == "leave":
        call = await gateway.get(order.call_id)
        if call is not None:
            await call.drop_leg(arguments["leg"], arguments["cause"])
        else:
            await gateway.hang_up_staying(order.call_id, arguments["leg"])
        return
    if order.action == "release" and await gateway.hang_up_staying(order.call_id):
        return
    call, talk = await gateway.conversation(order.call_id)
    if order.action == "hand_over":
        kind, key = arguments["kind"], arguments["key"]
        if not await gateway.can_go_on(order.business_id, kind, key):
            raise not_found("队列" if kind == "queue" else "已发布的流程", kind, key, kind)
    if arguments.get("leg_of"):
        # In a call of two of the house whoever gives the order is the agent.
        talk.speaks(arguments["leg_of"])
    if talk.agent_side == "call" and order.action in ("transfer", "hand_over", "complete"):
        target = None
        if order.action == "hand_over":
            target = TransferTarget(arguments["kind"], arguments["key"], arguments["by"])
        await gateway.leave_to(
            call,
            talk,
            arguments["op"],
            number=arguments.get("number", ""),
            target=target,
            with_third=order.action == "complete",
        )
        return
    match order.action:
        case "consult" | "transfer":
            destination, agent = await gateway.way_to(order.business_id, arguments["number"])
            # Colleagues see who is calling the house, others the house.
            inside = destination.startswith("extension:")
            shown = call.caller if inside else await gateway.house_number(order.business_id, destination)
            act = talk.consult if order.action == "consult" else talk.transfer
            await act(arguments["op"], destination, caller_id=shown, agent=agent)
        case "watch":
            await talk.watch(arguments["op"], arguments["destination"], arguments["mode"], caller_id=call.caller)
        case action if action in _PLAIN:
            await _PLAIN[action](talk, arguments)
        case unknown:
            raise not_found("操作", "order", unknown)


_NO_WAY = {
    "bad_number": "号码有误或不存在",
    "not_allowed": "外呼规则不允许",
    "no_trunk": "没有可用的中继",
    "trunk_full": "中继线路已满",
}


def no_way(number: str, problem: NodeError) -> DomainError:
    """A number that cannot be dialled."""
    why = _NO_WAY.get(problem.failure.reason, problem.failure.reason)
    return ConflictError(
        text(f"号码 {number} 无法呼叫：{why}", str(problem)),
        field="number",
        code=problem.failure.reason,
    )
