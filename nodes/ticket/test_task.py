"""Tasks for people."""

from datetime import timedelta

from nodes.sdk.node import Woken
from nodes.sdk.testing import NOON, Example, MemoryServices, MemoryTasks, run_node
from nodes.ticket.task import Task

BASIC = {"title": "call back"}


async def test_a_task_is_written_once_and_waited_for() -> None:
    services = MemoryServices()
    config = {**BASIC, "kind": "callback", "due_hours": 2, "deadline_hours": 8, "number": "13800000001", "call": "c1"}
    done = Woken(by="signal", data={"state": "done", "result": "reached", "by": "u1", "attempts": 2})
    for _ in range(2):
        outcome = await run_node(Task(), config, services=services, woken=[done])
    assert outcome.port == "done" and outcome.outputs["result"] == "reached" and outcome.outputs["attempts"] == 2
    (task,) = services.tasks.tasks.values()
    assert (task.kind, task.number, task.call_id) == ("callback", "13800000001", "c1")
    assert (task.due_at, task.expires_at) == (NOON + timedelta(hours=2), NOON + timedelta(hours=8))
    assert services.tasks.runs == {"task-1": "test-run"}


async def test_without_waiting_the_flow_goes_on() -> None:
    services = MemoryServices()
    outcome = await run_node(Task(), {**BASIC, "wait": False}, services=services)
    assert (outcome.port, outcome.outputs) == ("next", {"task": "task-1"})
    assert services.tasks.runs == {} and next(iter(services.tasks.tasks.values())).expires_at is None


async def test_an_unknown_agent_is_an_error() -> None:
    outcome = await run_node(Task(), {**BASIC, "assignee": "nobody"})
    assert outcome.port == "error" and outcome.outputs["error"] == "unknown_agent"
    known = await run_node(
        Task(), {**BASIC, "assignee": "ana"}, services=MemoryServices(tasks=MemoryTasks(agents=["ana"])),
        woken=[Woken(by="signal", data={"state": "cancelled"})],
    )  # fmt: skip
    assert known.port == "given_up" and known.outputs["state"] == "cancelled"


EXAMPLES = [
    Example("done", BASIC, woken=[Woken(by="signal", data={"state": "done"})]),
    Example("given_up", BASIC, woken=[Woken(by="signal", data={"state": "given_up"})]),
    Example("expired", BASIC, woken=[Woken(by="signal", data={"state": "expired"})]),
    Example("expired", BASIC, woken=[Woken(by="timeout")]),
    Example("hangup", BASIC, woken=[Woken(by="hangup")]),
    Example("next", {**BASIC, "wait": False}),
]
