"""Rules that start flows, over the API."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from backend.callbacks import events, service
from backend.customers.masking import masks
from backend.graphql.base import Connection, Done, FromRow, Info, Words, connection, mutation, query
from backend.identity.permissions import Permission


@strawberry.type(name="FlowRule", description="When something happens, start a flow of the kind callback or ticket.")
class FlowRuleType(FromRow):
    id: str
    name: str
    event: str
    filter: JSON = strawberry.field(description="queues, boxes, numbers (starts of the called one), min_wait seconds.")
    flow: str
    alias: str
    inputs: JSON = strawberry.field(description="Set beside the event's own inputs.")
    enabled: bool
    enabled_at: datetime | None
    created_at: datetime


@strawberry.type(name="RuleEvent", description="What a rule may wait for, and the inputs it brings to the flow.")
class RuleEventType:
    name: str
    label: Words
    inputs: list[str]


@masks("inputs")
@strawberry.type(name="RuleStart", description="A rule met an event; the run is there once it is started.")
class RuleStartType(FromRow):
    rule_id: str
    event_id: str
    run_id: str
    inputs: JSON
    state: str = strawberry.field(description="waiting, started or failed.")
    error: str
    at: datetime


@strawberry.input
class FlowRuleInput:
    name: str
    event: str
    flow: str
    alias: str = "live"
    filter: JSON | None = None
    inputs: JSON | None = None
    enabled: bool = False


@strawberry.type
class CallbacksQuery:
    @query(Permission.FLOWS_READ, "Rules by event and name.")
    async def flow_rules(self, info: Info) -> list[FlowRuleType]:
        found = await service.list_rules(info.context.state.db, info.context.actor.business_id)
        return [FlowRuleType.of(row) for row in found]

    @query(Permission.FLOWS_READ, "What a rule may wait for.")
    async def rule_events(self, info: Info) -> list[RuleEventType]:
        return [
            RuleEventType(name=one.value, label=Words.of(events.WORDS[one]), inputs=list(events.INPUTS[one]))
            for one in events.Happening
        ]

    @query(Permission.FLOWS_READ, "What rules have started, newest first.")
    async def rule_starts(
        self, info: Info, first: int = 50, after: str | None = None, rule_id: str | None = None
    ) -> Connection[RuleStartType]:
        found = await service.list_starts(
            info.context.state.db, info.context.actor.business_id, rule_id=rule_id, first=first, after=after
        )
        return connection(found, RuleStartType)


@strawberry.type
class CallbacksMutation:
    @mutation(Permission.FLOW_RULES, "Create or change a rule; switched on it looks at what happens from now.")
    async def save_flow_rule(self, info: Info, input: FlowRuleInput, id: str | None = None) -> FlowRuleType:
        given = vars(input).copy()
        saved = await service.save_rule(info.context.state.db, info.context.actor, id=id, **given)
        return FlowRuleType.of(saved)

    @mutation(Permission.FLOW_RULES, "Switch a rule on or off.")
    async def switch_flow_rule(self, info: Info, id: str, enabled: bool) -> FlowRuleType:
        return FlowRuleType.of(await service.switch_rule(info.context.state.db, info.context.actor, id, enabled))

    @mutation(Permission.FLOW_RULES, "Remove a rule; what it started goes on.")
    async def delete_flow_rule(self, info: Info, id: str) -> Done:
        await service.delete_rule(info.context.state.db, info.context.actor, id)
        return Done()
