"""The templates that ship: sound, green, and ready to begin from."""

import pytest

from backend.flows import service
from backend.flows.templates import Template, templates
from backend.identity.permissions import Actor
from backend.simulation.service import list_cases
from backend.state import AppState
from backend.testing import ApiClient
from flows.cases import FlowCase, run_case
from flows.document import FlowDocument
from flows.plan import compile_plan
from flows.problems import errors_of
from flows.validation import validate
from nodes.sdk.registry import registry

SHIPPED = templates()


@pytest.mark.parametrize("template", SHIPPED, ids=lambda template: template.key)
def test_a_template_is_sound_in_both_languages(template: Template) -> None:
    document = FlowDocument.model_validate(template.document)
    problems = validate(document, registry())
    assert [str(problem) for problem in problems] == [], "not even a warning"
    assert template.title.zh != template.title.en and template.description.zh and template.description.en
    places = document.ui["positions"]
    assert set(places) >= set(document.nodes) and len({str(place) for place in places.values()}) == len(places)
    # As the editor arranged it: without a way of its own a wire would run under the cards.
    routes = document.ui["routes"]
    assert set(routes) >= {f"{edge.source}|{edge.port}" for edge in document.edges}


@pytest.mark.parametrize(
    ("template", "case"),
    [(template, case) for template in SHIPPED for case in template.cases],
    ids=lambda one: one.key if isinstance(one, Template) else one["name"],
)
def test_its_cases_are_green(template: Template, case: dict[str, object]) -> None:
    document = FlowDocument.model_validate(template.document)
    plan = compile_plan(document, registry(), version=1)
    result = run_case(FlowCase.model_validate(case), plan, registry(), kind=document.kind)
    assert result.passed, (result.failures, result.path)


def test_every_kind_has_one_with_cases() -> None:
    assert {template.kind for template in SHIPPED} == {"ivr", "campaign", "callback", "ticket", "subflow"}
    assert all(template.cases for template in SHIPPED) and SHIPPED[0].key == "number-menu"


async def test_a_flow_begins_from_a_template(state: AppState, actor: Actor, client: ApiClient) -> None:
    shown = (await client.ask("{ flowTemplates { key kind title { zh en } description { zh } cases document } }"))[
        "flowTemplates"
    ]
    assert len(shown) == len(SHIPPED) and shown[0]["document"]["nodes"]
    create = """mutation($k: String!, $n: String!) { createFromTemplate(key: $k, name: $n) {
      value { flow { key name } problems { code } } errors { code field } } }"""
    made = await client.change(create, k="complaint-intake", n="我的投诉")
    assert made["flow"] == {"key": "complaint-intake", "name": "我的投诉"} and made["problems"] == []
    assert len(await list_cases(state.db, "main", "complaint-intake")) == 3
    again = await client.change(create, k="complaint-intake", n="")
    assert again["flow"]["key"] == "complaint-intake-2"
    assert not errors_of((await service.publish(state.db, actor, "complaint-intake")).problems)
    assert (await client.refusal(create, k="none", n=""))["code"] == "not_found"
