"""The engine with the node library that ships: templates, values and shortcuts reach the caller's ear."""

from typing import Any

from flows.plan import compile_plan
from flows.testing import document, environment, start_of
from flows.validation import validate
from flows.virtual import VirtualRun, run_virtual
from nodes.sdk.registry import build
from nodes.sdk.testing import HANGS_UP, ScriptedCall

REGISTRY = build()


def said(**by_language: str) -> dict[str, Any]:
    return {"parts": [{"kind": "text", "text": by_language}]}


HOTLINE = document(
    {
        "answer": "voice.answer",
        "menu": (
            "voice.menu",
            {
                "prompt": said(zh="余额请按一", en="For the balance press one"),
                "choices": [{"key": "1", "label": "balance"}],
            },
        ),
        "balance": ("logic.set", {"assignments": [{"name": "amount", "value": "1000 + 234.5"}]}),
        "tell": (
            "voice.say",
            {
                "prompt": {
                    "parts": [
                        {
                            "kind": "text",
                            "text": {
                                "zh": "您有{{ vars.amount | money }}，",
                                "en": "You have {{ vars.amount | money }},",
                            },
                        },
                        {"kind": "value", "value": "vars.amount * 2", "read_as": "number"},
                    ]
                }
            },
        ),
        "person": ("voice.say", {"prompt": said(zh="请稍候", en="Please wait")}),
        "bye": "voice.hangup",
        "gone": "logic.end",
    },
    "",
    kind="ivr",
    variables=[{"name": "amount", "type": "number"}],
    handlers={"hangup": "gone"},
    shortcuts=[{"key": "0", "to": "person"}],
)


def wired() -> Any:
    """The hotline with every port of the menu led somewhere."""
    menu = REGISTRY.get("voice.menu")
    config = menu.Config.model_validate(HOTLINE.nodes["menu"].config)
    wires = [
        {"from": "answer", "port": "next", "to": "menu"},
        {"from": "balance", "port": "next", "to": "tell"},
        {"from": "tell", "port": "next", "to": "bye"},
        {"from": "person", "port": "next", "to": "bye"},
    ]
    wires += [
        {"from": "menu", "port": port.name, "to": "balance" if "1" in port.name else "bye"}
        for port in menu.ports(config)
    ]
    return type(HOTLINE).model_validate(HOTLINE.model_dump(by_alias=True) | {"edges": wires})


def dialled(*moves: Any) -> tuple[VirtualRun, ScriptedCall]:
    source = wired()
    assert [one for one in validate(source, REGISTRY) if one.severity == "error"] == []
    plan = compile_plan(source, REGISTRY, version=1)
    call = ScriptedCall(*moves, answered=False)
    return run_virtual(plan, start_of(plan, call=call), environment(REGISTRY, call)), call


def test_a_caller_hears_computed_words() -> None:
    run, call = dialled("1")
    assert [node for node, _ in run.path] == ["answer", "menu", "balance", "tell", "bye"]
    assert run.result.outcome == "completed"
    assert any("您有1234.5元" in words for words in call.heard)
    assert any("2469" in words for words in call.heard)
    assert run.trail[3].said


def test_zero_reaches_a_person_from_the_menu() -> None:
    run, _ = dialled("0")
    assert [node for node, _ in run.path] == ["answer", "menu", "person", "bye"]


def test_a_caller_who_leaves_runs_the_handler() -> None:
    run, _ = dialled(HANGS_UP)
    assert run.path[-2:] == [("menu", "hangup"), ("gone", "end")]
    assert run.result.outcome == "hangup"
