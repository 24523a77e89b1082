"""The document: canonical form, exported schema, migrations, drafts."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.document import SCHEMA_FILE, SPEC_VERSION, FlowDocument, canonical_json, content_hash, schema_text
from flows.migrations import STEPS, DocumentVersionError, migrate, parse_version
from flows.testing import document, sample_registry
from flows.validation import parse_draft, validate

SAVED = sorted((Path(__file__).parent / "fixtures" / "documents").glob("*.json"))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_the_exported_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run `python -m flows.schema`"


def test_canonical_form_does_not_depend_on_order() -> None:
    one = document({"a": "test.quick", "b": "test.quick"}, "a>b b>a")
    two = FlowDocument.model_validate(dict(reversed(one.model_dump(by_alias=True).items())))
    two.edges.reverse()
    assert canonical_json(one) == canonical_json(two)
    assert FlowDocument.model_validate_json(canonical_json(one)).nodes == one.nodes


def test_the_hash_ignores_how_it_looks_and_sees_what_it_does() -> None:
    one = document({"a": "test.quick"})
    assert content_hash(one) == content_hash(one.model_copy(update={"ui": {"positions": {"a": [1, 2]}}}))
    assert content_hash(one) != content_hash(one.model_copy(update={"name": "other"}))


@pytest.mark.parametrize("file", SAVED, ids=lambda file: file.stem)
def test_saved_old_documents_become_todays(file: Path) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    before = json.dumps(data)
    found = FlowDocument.model_validate(migrate(data))
    assert json.dumps(data) == before, "a migration never changes its input"
    assert found.spec_version == SPEC_VERSION
    assert (found.entry, found.handlers.hangup) == ("hello", "bye")
    assert [(one.key, one.target) for one in found.shortcuts] == [("0", "person")]
    assert found.nodes["hello"].policy.timeout == 1.5
    assert {(edge.source, edge.port, edge.target) for edge in found.edges} >= {("hello", "next", "bye")}
    assert found.ui["positions"] == {"hello": [0, 0]}
    assert not [one for one in validate(found, sample_registry()) if one.severity == "error"]


def test_every_old_version_has_a_saved_document_and_a_way_to_today() -> None:
    assert {json.loads(file.read_text(encoding="utf-8"))["spec_version"] for file in SAVED} == set(STEPS)
    for version in STEPS:
        while version != SPEC_VERSION:
            assert parse_version(STEPS[version].after) > parse_version(version)
            version = STEPS[version].after


@pytest.mark.parametrize(
    ("version", "words"),
    [("1.0.1", "upgrade"), ("99.0.0", "upgrade"), ("0.1.0", "not known"), ("one", "major.minor.patch"), (7, "major")],
)
def test_a_version_that_cannot_be_read_says_so(version: Any, words: str) -> None:
    with pytest.raises(DocumentVersionError, match=words) as raised:
        migrate({"spec_version": version})
    assert raised.value.text.zh
    found, problems = parse_draft({"spec_version": version, "id": "x", "name": "kept"})
    assert [one.code for one in problems] == ["spec_version"]
    assert found.name == "kept"


@given(json_values)
def test_a_draft_of_any_json_never_raises(data: Any) -> None:
    found, problems = parse_draft(data)
    assert isinstance(found, FlowDocument)
    if not isinstance(data, dict):
        assert problems


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FlowDocument.model_fields, json_values)))
def test_a_draft_with_broken_parts_keeps_the_rest(parts: dict[str, Any]) -> None:
    sound = json.loads(canonical_json(document({"a": "test.quick", "b": "test.quick"}, "a>b")))
    parts.pop("spec_version", None)
    found, problems = parse_draft({**sound, **parts})
    for name in ("nodes", "edges", "id"):
        if name not in parts:
            assert getattr(found, name), (name, problems)


def test_a_draft_tells_where_and_what() -> None:
    found, problems = parse_draft(
        {
            "id": "f",
            "kind": "ivr",
            "name": "F",
            "nodes": {"a": {"type": "test.quick", "policy": {"retries": 99}}, "b": {"config": {}}, "c": 7},
            "edges": [{"from": "a", "to": "b"}, {"from": "a", "port": "next", "to": "b"}],
            "surprise": 1,
        }
    )
    assert list(found.nodes) == ["a"]
    assert len(found.edges) == 1
    told = {(one.node, one.field) for one in problems}
    assert told == {("a", "policy.retries"), ("b", "type"), ("c", "type"), (None, "edges.0.port"), (None, "surprise")}
    assert all(one.message.zh and one.message.en for one in problems)
