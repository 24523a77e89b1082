"""Trunks and lines on the supervisor's wall."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Self

import strawberry

from backend.customers.masking import masks
from backend.database import utcnow
from backend.events import Event, at_once, in_batches
from backend.graphql.base import Info, Words, query, subscription
from backend.identity.permissions import Permission
from backend.identity.scope import sees
from backend.identity.service import get_business
from backend.numbers.lines import CHANGED, Line, TrunkNow, lines_now
from backend.numbers.region import place_of
from backend.queues.glance import Glance
from backend.state import AppState

PAUSE = 0.5
"""Changes within so many seconds make one message to a wall."""
EVERY = 10.0
"""What changes without an event, such as the number of lines that a trunk may have, is told so often."""


@strawberry.type(description="A trunk as it stands.")
class TrunkLive:
    id: str
    name: str
    host: str
    state: str = strawberry.field(
        description="registered, reachable, down: no answer, rejected: the account is refused, unknown, or off."
    )
    since: datetime | None
    registers: bool
    calls: int = strawberry.field(description="Calls on it now.")
    max_calls: int

    @classmethod
    def of(cls, now: TrunkNow) -> Self:
        row = now.trunk
        return cls(
            id=row.id,
            name=row.name,
            host=row.host,
            state=now.state,
            since=now.since,
            registers=row.registers,
            calls=now.calls,
            max_calls=row.max_calls,
        )


@masks("caller", "called")
@strawberry.type(description="A call that is up. region is where the outside party's number belongs to.")
class LineLive:
    call_id: str
    direction: str
    state: str
    caller: str
    called: str
    region: Words | None
    customer_name: str
    agents: list[str] = strawberry.field(description="Who of the house is in it.")
    trunks: list[str] = strawberry.field(description="The trunks it uses.")
    flow_key: str
    anonymous: bool
    started_at: datetime
    answered_at: datetime | None
    people: strawberry.Private[list[str]]

    @classmethod
    def of(cls, line: Line, country: str) -> Self:
        call = line.call
        place = place_of(call.called if call.direction == "outbound" else call.caller, country)
        return cls(
            call_id=call.id,
            direction=call.direction,
            state=call.state,
            caller=call.caller,
            called=call.called,
            region=Words.of(place) if place is not None else None,
            customer_name=line.customer,
            agents=[name for name in line.people.values() if name],
            people=list(line.people),
            trunks=list(dict.fromkeys([*([call.trunk] if call.trunk else []), *line.trunks])),
            flow_key=call.flow_key,
            anonymous=call.anonymous,
            started_at=call.started_at,
            answered_at=call.answered_at,
        )


@strawberry.type(description="What has changed on the lines. The first message is full: everything there is.")
class LinesChange:
    full: bool
    trunks: list[TrunkLive]
    lines: list[LineLive]
    removed_lines: list[str]
    at: datetime


Seen = tuple[list[TrunkLive], dict[str, LineLive]]


@strawberry.type
class LinesQuery:
    @query(Permission.NUMBERS_READ, "Trunks as they stand, in the order they are tried.")
    async def trunks_live(self, info: Info) -> list[TrunkLive]:
        return (await _glance(info.context.state, info.context.actor.business_id))[0]


@strawberry.type
class LinesSubscription:
    @subscription(Permission.FLOOR)
    async def lines(self, info: Info) -> AsyncIterator[LinesChange]:
        """Trunks and calls that are up: everything first, then what has changed, twice a second at most."""
        state, business, people = info.context.state, info.context.actor.business_id, info.context.actor.people
        with state.bus.subscribe(lambda event: _on_the_lines(event, business)) as events:
            before: Seen | None = None
            async for _ in at_once(in_batches(events, PAUSE, EVERY)):
                trunks, every = await _glance(state, business)
                lines = {id: line for id, line in every.items() if sees(people, *line.people)}
                seen = trunks, lines
                if seen != before:
                    known = {} if before is None else before[1]
                    yield LinesChange(
                        full=before is None,
                        trunks=trunks,
                        lines=[line for id, line in lines.items() if line != known.get(id)],
                        removed_lines=[id for id in known if id not in lines],
                        at=utcnow(),
                    )
                before = seen


async def _glance(state: AppState, business_id: str) -> Seen:
    """The lines as they stand, looked at once for every wall."""

    async def look(business: str) -> Seen:
        country = (await get_business(state.db, business)).country
        trunks, lines = await lines_now(state.db, business)
        return [TrunkLive.of(one) for one in trunks], {one.call.id: LineLive.of(one, country) for one in lines}

    shared: Glance[Seen] = state.shared.setdefault("lines", Glance(state.bus, look))
    return await shared.at(business_id)


def _on_the_lines(event: Event, business_id: str) -> bool:
    return event.business_id == business_id and (event.topic == CHANGED or event.topic.startswith("call."))
