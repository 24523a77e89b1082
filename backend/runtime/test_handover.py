"""Where a call goes on after somebody has sent it to a queue."""

from backend.runtime import handover
from backend.runtime.plans import DatabasePlans
from backend.state import AppState
from flows.plan import plan_from_bytes
from flows.validation import parse_draft, validate
from nodes.sdk.registry import registry


async def test_the_flow_into_a_queue_is_valid_and_found_by_its_hash(state: AppState) -> None:
    draft, problems = parse_draft(handover._DOCUMENT)
    assert not problems and not [one for one in validate(draft, registry()) if one.severity == "error"]
    plan = handover.plan()
    assert plan_from_bytes(await DatabasePlans(state.db).load(plan.hash)).hash == plan.hash
    assert plan.flows[plan.root].id == handover.FLOW


def test_each_further_run_of_a_call_has_a_name_of_its_own() -> None:
    assert handover.next_run("call-x.1") == "call-x.1+1"
    assert handover.next_run("call-x.1+1") == "call-x.1+2"
