"""The nodes that the machine executes itself only declare config and ports."""

import pytest
from pydantic import ValidationError

from nodes.logic.end import End, EndConfig
from nodes.logic.join import Join, JoinConfig
from nodes.logic.parallel import Parallel, ParallelConfig
from nodes.logic.subflow import Subflow, SubflowConfig


def test_a_parallel_has_a_port_for_each_branch() -> None:
    config = ParallelConfig.model_validate({"branches": ["mail", "sms"]})
    assert [port.name for port in Parallel().ports(config)] == ["mail", "sms"]
    assert "ivr" not in Parallel.meta.kinds and "ivr" not in Join.meta.kinds


@pytest.mark.parametrize("branches", [["a"], ["a", "a"], ["error", "a"], ["A b", "c"]])
def test_branches_are_checked(branches: list[str]) -> None:
    with pytest.raises(ValidationError):
        ParallelConfig.model_validate({"branches": branches})


def test_the_others() -> None:
    assert [port.name for port in Join().ports(JoinConfig())] == ["next"]
    assert [port.name for port in Subflow().ports(SubflowConfig(flow="balance"))] == ["next"]
    assert End().ports(EndConfig()) == [] and End.meta.terminal
    assert SubflowConfig(flow="balance").alias == "live"
