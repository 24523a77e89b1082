"""Parts of a flow by the words of its drawing."""

from flows.naming import PlanNames, node_name
from flows.plan import compile_plan
from flows.testing import document
from nodes.sdk.registry import registry
from nodes.sdk.text import text


def test_a_node_is_called_by_its_name_or_else_by_its_type_in_the_readers_language() -> None:
    title = text("排队", "Queue")
    assert node_name("人工 Agents", title, "q").en == "人工 Agents"
    assert node_name("", title, "q") == title
    assert node_name("排队", title, "q") == title, "a title that was filled in as the name follows the language"
    assert node_name("", None, "q").zh == "q"


def test_places_of_a_plan_by_name_way_and_output() -> None:
    menu = {
        "prompt": {"parts": [{"kind": "text", "text": {"en": "Press one"}}]},
        "choices": [{"key": "1", "label": "Balance"}],
    }
    draft = document(
        {"a": "voice.answer", "m": ("voice.menu", menu), "q": ("web.query", {"query": "x"}), "e": "logic.end"},
        "a>m m.1>q m.timeout>e m.invalid>e q.found>e q.empty>e",
        kind="ivr",
        languages=["en"],
    )
    names = PlanNames(compile_plan(draft, registry(), version=1), registry())
    assert names.place("m").zh == "“按键菜单”" and names.place("m").en == "“Menu”"
    assert names.place("m.1").en == "“Menu ▸ 1 Balance”"
    assert names.place("m.@0").zh == "“按键菜单 ▸ 任意时刻按 0”"
    assert names.output("m.choice").en.startswith("“Menu ▸ ") and "choice" not in names.output("m.key").en
    assert names.place("gone.next").en == "“gone ▸ next”"
    draft.nodes["m"].name = draft.nodes["q"].name = "Ask"
    shared = PlanNames(compile_plan(draft, registry(), version=1), registry())
    assert shared.node("m").en == "“Ask (m)”" and shared.node("q").zh == "“Ask（q）”"
