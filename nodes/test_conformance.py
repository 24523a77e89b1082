"""Every registered node keeps the contract (FL8): definition, examples of every port, cancellation, hang-up."""

import importlib
from typing import Any

import pytest

from nodes.sdk.conformance import check_definition, check_examples
from nodes.sdk.node import Node
from nodes.sdk.registry import STRUCTURAL, registry
from nodes.sdk.testing import Example

BUILT_IN = [node for node in registry().all() if type(node).__module__.startswith("nodes.")]


def examples_of(node: Node[Any]) -> list[Example]:
    """``EXAMPLES`` of the test beside the node: ``nodes/voice/menu.py`` has ``nodes/voice/test_menu.py``."""
    package, _, name = type(node).__module__.rpartition(".")
    module = importlib.import_module(f"{package}.test_{name}")
    return list(module.EXAMPLES)


def test_the_first_library_is_registered() -> None:
    assert registry().problems == []
    assert {node.meta.type for node in BUILT_IN} == {
        *("voice.answer", "voice.reject", "voice.say", "voice.menu", "voice.collect", "voice.record"),
        *("voice.language", "voice.dial", "voice.hangup", "voice.listen", "voice.detect"),
        *("logic.branch", "logic.switch", "logic.set", "logic.wait", "logic.split", "logic.repeat", "logic.hours"),
        *("logic.list", "logic.subflow", "logic.parallel", "logic.join", "logic.end"),
        *("customer.find", "customer.update", "customer.verify_pin", "web.http", "web.query"),
        *("messaging.sms", "messaging.mail"),
        *("ticket.task", "logic.wait_open", "voice.call_out"),
        *("queue.enter", "queue.agent", "queue.callback", "queue.status"),
    }


@pytest.mark.parametrize("node", BUILT_IN, ids=lambda node: node.meta.type)
def test_definition(node: Node[Any]) -> None:
    check_definition(node)


@pytest.mark.parametrize(
    "node", [n for n in BUILT_IN if n.meta.type not in STRUCTURAL], ids=lambda node: node.meta.type
)
async def test_examples(node: Node[Any]) -> None:
    await check_examples(node, examples_of(node))
