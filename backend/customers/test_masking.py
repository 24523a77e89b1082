"""Numbers of customers are shown to those with the right to them only, in every field that the API has or will have."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from hypothesis import given
from hypothesis import strategies as st

from backend.agents.machine import SignIn
from backend.agents.service import change_own_state
from backend.calls.facts import CallStarted, RunStarted, Steps, write_facts
from backend.customers.masking import Masked, hidden
from backend.database import utcnow
from backend.graphql.base import Context
from backend.graphql.schema import schema
from backend.identity.permissions import Actor, Permission
from backend.numbers.region import masked
from backend.queues.desk import BusinessQueues, Watch
from backend.queues.test_queues import make_agent, make_queue
from backend.state import AppState
from flows.task import CallFacts, FlowStart, TrailStep
from nodes.sdk.services import QueueAsk

NUMBER = "13800138000"
CARRIES = re.compile(
    r"caller|called|number|phone|recipient|destination|outside|^(inputs|outputs|said|variables)$", re.I
)
"""What fields are called that may hold somebody's number, or what flows know of them."""

ROOTS = ("Query", "Mutation", "Subscription")
OF_THE_HOUSE = {
    "AgentLive.phoneKind", "AgentProfile.phoneKind",  # what kind of telephone
    "AgentProfile.outsideNumber", "Queue.outsideNumber", "WebPhone.number",  # the staff's own
    "EmergencyRoute.destination", "EmergencyRoute.number", "Extension.number", "FlowNumber.number",
    "OutboundRule.numberClass", "PhoneNumber.number", "Trunk.callerId",  # the number plan
    "TestCall.number",  # whom its author calls to try a flow
    "Simulation.variables",  # walks with made-up callers
    "CaseResult.variables", "FlowRule.inputs", "RuleEvent.inputs",  # made-up callers, settings and names
}  # fmt: skip
"""Fields of such names that hold no customer's number, and why."""


def fields() -> Iterator[tuple[str, Any]]:
    """Every field of such a name that answers words or data, as ``Type.field``, with its definition."""
    for name, kind in schema._schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__") or name in ROOTS:
            continue
        for field_name, field in kind.fields.items():
            answers = get_named_type(field.type).name
            if CARRIES.search(field_name) and answers in ("String", "JSON"):
                yield f"{name}.{field_name}", field.extensions["strawberry-definition"]


def is_masked(field: Any) -> bool:
    if any(isinstance(one, Masked) for one in field.extensions):
        return True
    return field.base_resolver is not None and "shown(" in inspect.getsource(field.base_resolver.wrapped_func)


def test_every_field_that_may_carry_a_number_is_masked_or_said_to_carry_none() -> None:
    found = dict(fields())
    open_ones = sorted(name for name, field in found.items() if not is_masked(field) and name not in OF_THE_HOUSE)
    assert not open_ones, "mask them (backend.customers.masking.masks), or name them in OF_THE_HOUSE with the reason"
    assert found.keys() >= OF_THE_HOUSE, f"there are none such: {OF_THE_HOUSE - found.keys()}"
    assert {"AgentCall.caller", "WaitingCaller.number", "TrailStep.outputs", "Run.inputs"} < found.keys()


@given(st.text(max_size=30), st.from_regex(r"\A\+?\d{7,15}\Z"))
def test_no_whole_number_is_left_in_words_or_data(words: str, number: str) -> None:
    told = hidden({"a": [f"{words} {number}."], "b": number, "c": (None, True, 3, 12.5)})
    assert number not in told["a"][0] and told["b"] == masked(number) and told["c"] == [None, True, 3, 12.5]
    assert hidden(int(NUMBER)) == masked(NUMBER) and hidden("call-1732558123.12") == "call-1732558123.12"


@pytest.fixture
async def known(state: AppState, actor: Actor) -> None:
    """A call in a queue whose flow knows the caller's number in many places."""
    ann = await make_agent(state, actor, "ann", "8011")
    await make_queue(state, actor, "hotline", ann)
    facts = CallFacts(id="c1", gateway="gw", caller=NUMBER, called="741")
    start = FlowStart(
        run_id="call-c1", business_id="main", flow_id="f", version=1, plan="p", kind="ivr", call=facts,
        inputs={"caller": NUMBER},
    )  # fmt: skip
    step = TrailStep(
        seq=1, node_id="n", node_type="voice.say", entered=utcnow(), port="next", outputs={"heard": f"from {NUMBER}"},
        said=[f"Your number is {NUMBER}."],
    )  # fmt: skip
    await write_facts(
        state.db, [CallStarted("c1", "main", "gw", NUMBER, "741"), RunStarted(start), Steps("call-c1", [step])]
    )
    desk = BusinessQueues(state.db, "main", Watch(state.bus))
    await change_own_state(state.db, ann, SignIn())
    await desk.enter(QueueAsk(queue="hotline", caller=NUMBER, call_id="c1"), key="k1")
    await desk.enter(QueueAsk(queue="hotline", caller=NUMBER, call_id="c1"), key="k2")
    await change_own_state(state.db, ann, SignIn(ready=True))


@pytest.mark.usefixtures("known")
async def test_people_without_the_right_see_no_number_anywhere(state: AppState, actor: Actor) -> None:
    query = """{ agentsLive { call { caller called } } queuesLive { callers { caller called number } }
        queueHistory { nodes { caller called number outside } }
        run(id: "call-c1") { inputs outputs trail { outputs said errorMessage } }
        call(id: "c1") { caller called callerName legs { number destination } trail { outputs said } } }"""
    seen = {}
    for may in (True, False):
        rights = actor.permissions if may else actor.permissions - {Permission.CUSTOMERS_NUMBERS}
        asker = Actor(actor.business_id, actor.user_id, actor.name, rights)
        result = await schema.execute(query, context_value=Context(state, asker))
        assert result.errors is None, result.errors
        seen[may] = str(result.data)
    assert seen[True].count(NUMBER) >= 9 and NUMBER not in seen[False]
    assert seen[False].count(masked(NUMBER)) == seen[True].count(NUMBER)
