import pytest

from nodes.queue.status import Status
from nodes.sdk.queue_double import MemoryQueues, QueueAgent
from nodes.sdk.testing import Example, MemoryServices, run_node

CONFIG = {"queue": "hotline"}


def services(*agents: QueueAgent, ahead: int = 0) -> MemoryServices:
    return MemoryServices(queues=MemoryQueues(*agents, ahead=ahead, queues=["hotline"]))


EXAMPLES = [
    Example("ready", CONFIG),
    Example("busy", CONFIG, services=lambda: services(QueueAgent(free_after=None), ahead=1)),
    Example("long", CONFIG, services=lambda: services(QueueAgent(free_after=None), ahead=20)),
    Example("closed", CONFIG, services=services),
    Example("error", {"queue": "nowhere"}, services=services),
]


@pytest.mark.parametrize(("ahead", "port"), [(0, "busy"), (1, "busy"), (2, "long")])
async def test_a_long_expected_wait_is_long(ahead: int, port: str) -> None:
    given = services(QueueAgent(free_after=None), ahead=ahead)
    outcome = await run_node(Status(), {**CONFIG, "longest_wait": 500}, services=given)
    assert outcome.port == port and outcome.outputs["waiting"] == ahead
