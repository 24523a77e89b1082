"""What may start a callback flow: an abandoned call, a missed one, a message left. Worked out from what is on record.

Each happening has an id made of its call or message, so that it is the same one however often and from whichever event
it is worked out: of a caller who leaves a queue both the queue and the end of the call may tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlmodel import col, select

from backend.calls.models import Call, Leg, Run, TrailEntry
from backend.customers.service import with_number
from backend.database import AsyncSession
from backend.events import EventRow
from backend.queues.models import QueueEntry
from backend.voicemails.models import Voicemail
from nodes.sdk.text import Text, text


class Happening(StrEnum):
    """Events that rules may name."""

    ABANDONED = "queue.abandoned"
    MISSED = "call.missed"
    VOICEMAIL = "voicemail.left"


WORDS: Mapping[Happening, Text] = {
    Happening.ABANDONED: text("排队中放弃", "Caller left a queue"),
    Happening.MISSED: text("未接来电", "Nobody answered a call"),
    Happening.VOICEMAIL: text("收到留言", "A message was left"),
}
INPUTS: Mapping[Happening, tuple[str, ...]] = {
    Happening.ABANDONED: ("caller", "called", "queue", "call_id", "customer_id", "waited"),
    Happening.MISSED: ("caller", "called", "extension", "call_id", "customer_id", "waited"),
    Happening.VOICEMAIL: ("caller", "called", "box", "call_id", "customer_id", "voicemail_id", "seconds"),
}
"""What a flow is given, when it declares an input of that name."""

TOPICS = ("queue.abandoned", "call.ended", "run.finished", "voicemail.saved")
"""The events that happenings are worked out from."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One happening. ``id`` is the same whenever it is worked out."""

    id: str
    business_id: str
    kind: Happening
    inputs: dict[str, Any] = field(default_factory=dict)


class NotYetError(Exception):
    """The record is not complete: ask again."""


async def worked_out(session: AsyncSession, event: EventRow) -> list[Happened]:
    """What an event comes to. Raises `NotYetError` while its call goes on."""
    match event.topic:
        case "queue.abandoned":
            return [await _abandoned(session, event)]
        case "call.ended":
            return await _of_call(session, event.business_id, event.subject)
        case "run.finished":
            run = await session.get(Run, event.subject)
            if run is None or run.call_id is None:
                return []
            return await _of_call(session, event.business_id, run.call_id)
        case "voicemail.saved":
            return await _message(session, event)
        case _:
            return []


async def _abandoned(session: AsyncSession, event: EventRow) -> Happened:
    data = event.data
    call_id = str(data.get("call_id") or event.subject)
    call = await session.get(Call, call_id)
    caller = str(data.get("caller") or (call.caller if call else ""))
    return Happened(
        f"abandoned-{call_id}",
        event.business_id,
        Happening.ABANDONED,
        {
            "caller": caller,
            "called": call.called if call else "",
            "queue": str(data.get("queue") or ""),
            "call_id": call_id,
            "customer_id": await _customer(session, event.business_id, call, caller),
            "waited": float(data.get("waited") or 0),
        },
    )


async def _customer(session: AsyncSession, business_id: str, call: Call | None, number: str) -> str:
    known = call.customer_id if call is not None else None
    return known or await with_number(session, business_id, number) or ""


async def _of_call(session: AsyncSession, business_id: str, call_id: str) -> list[Happened]:
    call = await session.get(Call, call_id)
    if call is None or call.business_id != business_id or call.direction != "inbound":
        return []
    if call.state != "ended":
        raise NotYetError
    running = await session.exec(select(Run.id).where(Run.call_id == call_id, Run.state == "running").limit(1))
    if running.first() is not None:
        # Its path is complete when its run is over.
        raise NotYetError
    found = await session.exec(
        select(TrailEntry).where(TrailEntry.call_id == call_id).order_by(col(TrailEntry.entered), col(TrailEntry.seq))
    )
    trail = list(found)
    common = {
        "caller": call.caller,
        "called": call.called,
        "call_id": call.id,
        "customer_id": await _customer(session, business_id, call, call.caller),
    }
    stays = await session.exec(
        select(QueueEntry).where(QueueEntry.call_id == call_id).order_by(col(QueueEntry.entered_at).desc())
    )
    stay = stays.first()
    if stay is not None:
        if stay.outcome != "abandoned" or stay.answered_at is not None:
            return []
        waited = ((stay.ended_at or call.ended_at or stay.entered_at) - stay.entered_at).total_seconds()
        inputs = common | {"queue": stay.queue, "waited": round(waited, 1)}
        return [Happened(f"abandoned-{call.id}", business_id, Happening.ABANDONED, inputs)]
    queued = _left_queue(trail)
    if queued is not None:
        waited = ((queued.left or call.ended_at or queued.entered) - queued.entered).total_seconds()
        queue = str(queued.outputs.get("queue") or "")
        inputs = common | {"queue": queue, "waited": round(waited, 1)}
        return [Happened(f"abandoned-{call.id}", business_id, Happening.ABANDONED, inputs)]
    legs = await session.exec(
        select(Leg).where(Leg.call_id == call_id, Leg.kind != "caller").order_by(col(Leg.started_at))
    )
    dialled = list(legs)
    if not dialled or any(leg.answered_at is not None for leg in dialled):
        return []
    waited = ((call.ended_at or dialled[0].started_at) - dialled[0].started_at).total_seconds()
    inputs = common | {"extension": dialled[-1].number, "waited": round(waited, 1)}
    return [Happened(f"missed-{call.id}", business_id, Happening.MISSED, inputs)]


def _left_queue(trail: list[TrailEntry]) -> TrailEntry | None:
    """The step in which the caller hung up while waiting, if it is a queue's."""
    for step in trail:
        if step.node_type == "queue.enter" and step.port in (None, "hangup") and not step.outputs.get("answered_by"):
            return step
    return None


async def _message(session: AsyncSession, event: EventRow) -> list[Happened]:
    row = await session.get(Voicemail, event.subject)
    if row is None or row.business_id != event.business_id:
        return []
    call = await session.get(Call, row.call_id) if row.call_id else None
    if call is not None and call.state != "ended":
        # They may record again, or leave a number.
        raise NotYetError
    caller = row.callback_number or row.caller
    inputs = {
        "caller": caller,
        "called": call.called if call else "",
        "box": row.box,
        "call_id": row.call_id or "",
        "customer_id": row.customer_id or await _customer(session, event.business_id, call, caller),
        "voicemail_id": row.id,
        "seconds": row.seconds,
    }
    return [Happened(f"voicemail-{row.id}", event.business_id, Happening.VOICEMAIL, inputs)]


def meets(wanted: Mapping[str, Any], one: Happened) -> bool:
    """Whether a happening passes a rule's filter."""
    queues, boxes, numbers = (list(wanted.get(name) or ()) for name in ("queues", "boxes", "numbers"))
    if queues and one.inputs.get("queue") not in queues:
        return False
    if boxes and one.inputs.get("box") not in boxes:
        return False
    if numbers and not any(str(one.inputs.get("called", "")).startswith(start) for start in numbers):
        return False
    waited = one.inputs.get("waited")
    return waited is None or float(waited) >= float(wanted.get("min_wait") or 0)
