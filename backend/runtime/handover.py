"""Where a call goes on when somebody sends it to a queue out of a talk that no queue began.

A flow of our own keeps the caller in line there; it belongs to no business and is not seen among their flows.
"""

from functools import cache
from typing import Any

from flows.plan import Plan, compile_plan
from flows.validation import parse_draft
from nodes.sdk.registry import registry

FLOW = "to-queue"
"""The key that its runs are recorded by."""

_DOCUMENT: dict[str, Any] = {
    "id": FLOW,
    "kind": "ivr",
    "name": "转入队列 To a queue",
    "languages": ["zh", "en"],
    "entry": "queue",
    "inputs": [{"name": "queue", "type": "string", "title": "队列 Queue", "required": True}],
    "nodes": {
        "queue": {
            "type": "queue.enter",
            "name": "排队 Wait",
            "config": {"queue": "{{ vars.queue }}", "wait_when_closed": True, "longest_wait": 1800, "priority": 10},
        },
        "sorry": {
            "type": "voice.say",
            "name": "无人接听 Nobody",
            "config": {
                "prompt": {
                    "parts": [
                        {
                            "kind": "text",
                            "text": {
                                "zh": "抱歉，暂时无人能接听您的电话，请稍后再拨。",
                                "en": "Sorry, nobody can take your call now. Please call again later.",
                            },
                        }
                    ]
                }
            },
        },
        "bye": {"type": "voice.hangup", "name": "挂机 Hang up", "config": {}},
    },
    "edges": [
        {"from": "queue", "port": "done", "to": "bye"},
        {"from": "queue", "port": "timeout", "to": "sorry"},
        {"from": "queue", "port": "full", "to": "sorry"},
        {"from": "queue", "port": "closed", "to": "sorry"},
        {"from": "sorry", "port": "next", "to": "bye"},
    ],
}


@cache
def plan() -> Plan:
    """The compiled flow."""
    draft, _ = parse_draft(_DOCUMENT)
    return compile_plan(draft, registry(), version=1)


def next_run(run_id: str) -> str:
    """The run that a call's flow goes on as: ``call-x``, ``call-x+1``, ``call-x+2`` ..."""
    name, plus, number = run_id.rpartition("+")
    return f"{name}+{int(number) + 1}" if plus and number.isdecimal() else f"{run_id}+1"
