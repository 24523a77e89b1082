"""Mutated documents, expressions and templates: validation never raises, the language never escapes or stalls, and
the interpreter never runs for ever.

The default suite tries a share of them; the soak tries ten thousand and more, and prints how many.
"""

import contextlib
import copy
import json
import random
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import expressions
from flows.cases import FlowCase, Step, run_case
from flows.expressions import ExpressionError, Scope
from flows.plan import compile_plan
from flows.problems import InvalidFlowError, errors_of
from flows.simulation import Mock, Scene
from flows.validation import parse_draft, validate
from nodes.sdk.registry import registry

EXAMPLES = Path(__file__).parents[1] / "examples"
DOCUMENTS: list[dict[str, Any]] = [
    json.loads(path.read_text(encoding="utf-8")) for path in sorted((EXAMPLES / "flows").glob("*.json"))
]
REGISTRY = registry()
MOST_SECONDS = 2.0
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 10**40, 1e308, float("inf"), "", "x" * 5_000, "{{", "{{ vars.x }}", "{% for %}", "\x00", "菜单",
    "menu", [], {}, [[]], {"": 1}, {"kind": "text"}, "{{ ''.__class__ }}", "voice.menu", 3.5, "1", "{{ 9 * 9 }}",
)  # fmt: skip

ATTACKS = (
    "''.__class__.__mro__", "call.__init__.__globals__", "vars['__class__']", "vars|attr('__class__')",
    "'{0.__class__}'.format(call)", "'%s' % call", "9**9**9", "2**100000", "'a' * 10**9", "[0] * 10**9",
    "range(10**9)", "lipsum.__globals__", "cycler.__init__", "self", "namespace()", "joiner()", "dict()", "open('/')",
    "().__class__.__bases__[0].__subclasses__()", "request", "config", "vars.x()", "(" * 5_000 + "1" + ")" * 5_000,
    "1" + " + 1" * 20_000, "not " * 5_000 + "true", "vars" + "['a']" * 5_000, "'" + "\\" * 4_001 + "'",
    "vars.ｃｌａｓｓ", "vars.__ｃlass__", "\u202evars", "true if true else " * 1_000 + "1", "99999999999999999999 * 9",
    "'x'|replace('x', 'xxxxxxxxxx')|replace('x', 'xxxxxxxxxx')|replace('x', 'xxxxxxxxxx')", "{'a': {'a': {}}}",
    "[[[[[[[[[[1]]]]]]]]]]", "1/0", "1 // 0", "1 % 0", "-" * 3_000 + "1", "vars is callable", "vars.keys()",
    "loop", "caller()", "super()", "varargs", "gettext('x')", "''.join(['a'])", "'abc'[::-1]", "vars|map('x')",
)  # fmt: skip
SCOPE = Scope.of(
    now=datetime(2026, 11, 22, tzinfo=UTC), call={"caller": "1"}, customer={}, vars={"x": "x" * 100, "n": 3}, nodes={}
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, child in value.items():
            found += paths(child, (*at, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            found += paths(child, (*at, index))
    return found


def mutate(chance: random.Random, source: dict[str, Any]) -> dict[str, Any]:
    """A document with some values replaced, gone, doubled or exchanged."""
    document = copy.deepcopy(source)
    for _ in range(chance.randint(1, 4)):
        *where, last = chance.choice(paths(document))
        holder: Any = document
        for key in where:
            holder = holder[key]
        match chance.randint(0, 4):
            case 0:
                del holder[last]
            case 1:
                holder[last] = copy.deepcopy(chance.choice(JUNK))
            case 2 if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[last]))
            case 3:
                *elsewhere, other = chance.choice(paths(source))
                found: Any = source
                for key in (*elsewhere, other):
                    found = found[key]
                holder[last] = copy.deepcopy(found)
            case _ if isinstance(holder[last], str):
                text = holder[last]
                at = chance.randint(0, len(text))
                holder[last] = text[:at] + chance.choice(("}}", "{{", "'", "|", ".", "\x00", " * 9")) + text[at:]
            case _:
                holder[last] = chance.choice(JUNK)
        if not document:
            break
    return document


def try_document(data: Any) -> str:
    """Read, check, compile and walk a document; what became of it. Nothing but `InvalidFlowError` may be raised."""
    began = time.process_time()
    document, problems = parse_draft(data)
    problems = problems + validate(document, REGISTRY)
    for found in problems:
        assert found.code and found.message.zh and found.message.en
    assert time.process_time() - began < MOST_SECONDS
    if errors_of(problems):
        return "refused"
    try:
        plan = compile_plan(document, REGISTRY, version=1)
    except InvalidFlowError:
        return "refused"
    if document.kind not in ("ivr", "subflow"):
        return "sound"
    answers = Mock(port="next")
    asked = [id for id, node in document.nodes.items() if node.type.startswith(("web", "customer"))]
    acts = [{"wait": 30}, {"press": "1"}, {"wait": 30}, {"press": "0"}, {"wait": 600}, {"hang_up": True}]
    case = FlowCase(
        name="fuzz",
        scene=Scene(mocks=dict.fromkeys(asked, answers)),
        steps=[Step.model_validate(act) for act in acts],
    )
    began = time.process_time()
    run_case(case, plan, REGISTRY, kind=document.kind)
    assert time.process_time() - began < 20, "the interpreter stalls"
    return "walked"


def try_many(count: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    return Counter(try_document(mutate(chance, chance.choice(DOCUMENTS))) for _ in range(count))


def test_mutated_documents_are_read_checked_and_walked_without_a_crash() -> None:
    counts = try_many(600, seed=5)
    assert sum(counts.values()) == 600
    assert counts["refused"] > 30 and counts["walked"] > 10, "the mutations miss one of the two sides"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_mutated_documents(capsys: pytest.CaptureFixture[str]) -> None:
    counts = try_many(10_000, seed=11)
    with capsys.disabled():
        sys.stdout.write(f"\nmutated documents: {dict(counts)}\n")


@pytest.mark.parametrize("data", [*JUNK, [1], "x", {"nodes": 1}, {"nodes": {"a": 1}}, {"edges": {}}, {"kind": []}])
def test_what_is_no_document_is_told(data: Any) -> None:
    document, problems = parse_draft(data)
    assert problems or document.nodes == {}
    validate(document, REGISTRY)


def evaluate(source: str) -> str:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        expressions.check(source)
        value = expressions.evaluate(source, SCOPE)
        assert not callable(value) and not isinstance(value, type), value
        came = "value"
    except ExpressionError:
        came = "refused"
    assert time.process_time() - began < MOST_SECONDS, source[:80]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"
    return came


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_reaches_nothing_and_takes_no_time(attack: str) -> None:
    evaluate(attack)
    with contextlib.suppress(ExpressionError):
        assert len(expressions.render("{{ " + attack + " }}", SCOPE)) <= 200_000


def test_the_worst_attacks_are_refused_when_they_are_written() -> None:
    for attack in ("''.__class__", "9**9**9", "range(10)", "vars.keys()", "'a'.format(1)", "lipsum", "vars|attr('x')"):
        with pytest.raises(ExpressionError):
            expressions.evaluate(attack, SCOPE)


PIECES = st.sampled_from(
    ["vars", ".x", "['n']", "(", ")", "[", "]", "{", "}", " + ", " * ", " ~ ", " if ", " else ", "1", "'a'", "true",
     "none", "|", "length", "upper", "number", "money('zh')", "default(1)", ",", ":", " and ", " or ",
     "not ", " in ", " is ",
     "defined", "**", "//", "%", "-", ".", "__class__", "now", "call.caller", "99999999", "\n", "{{", "}}", "{%",
     "%}", "#"]
)  # fmt: skip
LAX = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=500, deadline=None, suppress_health_check=LAX)
def test_random_expressions_give_a_value_or_an_error(source: str) -> None:
    evaluate(source)


@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60))
@settings(max_examples=300, deadline=None, suppress_health_check=LAX)
def test_random_templates_give_text_or_an_error(source: str) -> None:
    try:
        expressions.check(source, template=True)
        expressions.render(source, SCOPE)
    except ExpressionError:
        pass


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=10_000, deadline=None, suppress_health_check=LAX)
def test_ten_thousand_expressions_and_templates(source: str) -> None:
    evaluate(source)
    with contextlib.suppress(ExpressionError):
        expressions.render("a {{ " + source + " }} b", SCOPE)
