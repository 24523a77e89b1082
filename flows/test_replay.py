"""Saved histories replay: a run that began before an upgrade goes on after it."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from flows.fixtures.histories import registry_of_cases
from flows.memory import MemoryPlans
from flows.plan import plan_from_bytes
from flows.temporal import data_converter
from flows.workflow import Flow, use_registry

SAVED = sorted((Path(__file__).parent / "fixtures" / "histories").glob("*.json"))


def load(file: Path) -> tuple[MemoryPlans, WorkflowHistory]:
    saved = json.loads(file.read_text(encoding="utf-8"))
    plan = plan_from_bytes(json.dumps(saved["plan"]).encode())
    return MemoryPlans(plan), WorkflowHistory.from_json(saved["id"], saved["history"])


def replayer(store: MemoryPlans) -> Replayer:
    use_registry(registry_of_cases())
    return Replayer(workflows=[Flow], data_converter=data_converter(store), workflow_runner=UnsandboxedWorkflowRunner())


@pytest.mark.parametrize("file", SAVED, ids=lambda file: file.stem)
async def test_saved_histories_replay(file: Path) -> None:
    store, history = load(file)
    result = await replayer(store).replay_workflow(history)
    assert result.replay_failure is None


def test_there_are_saved_histories() -> None:
    assert {file.stem for file in SAVED} >= {"call", "ticket", "failed_call", "seams"}


async def test_a_workflow_that_does_other_things_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof that the replay test can fail."""
    store, history = load(next(file for file in SAVED if file.stem == "call"))
    begin = Flow._run_node

    def twice(self: Flow, command: Any) -> None:
        begin(self, command)
        begin(self, command)

    monkeypatch.setattr(Flow, "_run_node", twice)
    result = await replayer(store).replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is not None
