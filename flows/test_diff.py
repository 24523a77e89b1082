"""The semantic diff of two documents."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flows.diff import diff
from flows.document import FlowDocument
from flows.test_cases import EXAMPLES
from flows.validation import parse_draft
from nodes.sdk.registry import registry

HOTLINE: dict[str, Any] = json.loads((EXAMPLES / "flows" / "service_hotline.json").read_text(encoding="utf-8"))


def read(data: dict[str, Any]) -> FlowDocument:
    return parse_draft(data)[0]


def changed(change: Any) -> Any:
    other = copy.deepcopy(HOTLINE)
    change(other)
    return diff(read(HOTLINE), read(other), registry())


def test_layout_and_order_are_no_difference() -> None:
    def change(document: dict[str, Any]) -> None:
        document["ui"] = {"positions": {"menu": [1, 2]}, "comments": ["x"]}
        document["edges"] = list(reversed(document["edges"]))
        document["nodes"] = dict(reversed(document["nodes"].items()))
        document["variables"] = list(reversed(document["variables"]))

    assert changed(change).empty


def test_a_changed_field_is_told_with_path_title_and_both_values() -> None:
    def change(document: dict[str, Any]) -> None:
        document["nodes"]["menu"]["config"]["choices"][1]["label"] = "News!"
        document["nodes"]["menu"]["config"]["tries"] = 5

    (node,) = changed(change).nodes
    assert (node.node, node.kind, node.renamed) == ("menu", "changed", False)
    fields = {one.field: one for one in node.fields}
    assert fields["choices[1].label"].new == "News!" and fields["choices[1].label"].kind == "changed"
    assert fields["tries"].new == 5 and fields["tries"].title.zh and fields["tries"].title.en != "Settings"


def test_a_setting_that_nobody_had_set_is_told_with_what_it_was() -> None:
    def change(document: dict[str, Any]) -> None:
        document["nodes"]["menu"]["config"]["tries"] = 5

    bare = copy.deepcopy(HOTLINE)
    bare["nodes"]["menu"]["config"].pop("tries", None)
    other = copy.deepcopy(bare)
    change(other)
    (node,) = diff(read(bare), read(other), registry()).nodes
    (field,) = node.fields
    default = registry().get("voice.menu").Config.model_fields["tries"].default
    assert (field.kind, field.old, field.new) == ("added", default, 5)


def test_a_new_name_alone_is_a_renaming() -> None:
    def change(document: dict[str, Any]) -> None:
        document["nodes"]["menu"]["name"] = "Main"

    (node,) = changed(change).nodes
    assert node.renamed and [one.field for one in node.fields] == ["name"]


def test_nodes_that_came_and_went_and_wires_that_moved() -> None:
    def change(document: dict[str, Any]) -> None:
        del document["nodes"]["news"]
        document["nodes"]["extra"] = {"type": "voice.say", "name": "Extra", "config": {}}
        document["edges"] = [edge for edge in document["edges"] if edge["from"] != "news"]
        next(e for e in document["edges"] if (e["from"], e["port"]) == ("menu", "2"))["to"] = "extra"

    found = changed(change)
    assert {(one.node, one.kind) for one in found.nodes} == {("news", "removed"), ("extra", "added")}
    assert [(one.node, one.port, one.old, one.new) for one in found.wires] == [
        ("menu", "2", "news", "extra"), ("news", "next", "menu", None),
    ]  # fmt: skip


def test_what_belongs_to_the_flow_is_told() -> None:
    def change(document: dict[str, Any]) -> None:
        document["languages"] = ["zh"]
        document["variables"][0]["default"] = "8002"
        document["handlers"]["error"] = None
        document["shortcuts"] = []
        document["entry"] = "greeting"

    fields = {one.field: one for one in changed(change).flow}
    assert fields["variables.agent_number.default"].new == "8002"
    assert fields["languages[1]"].kind == "removed" and fields["entry"].new == "greeting"
    assert fields["shortcuts.0"].kind == "removed" and fields["handlers.error"].new is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=3),
    max_leaves=8,
)
configs = st.dictionaries(st.sampled_from(["prompt", "tries", "x"]), values, max_size=3)
documents = st.builds(
    lambda nodes, edges: FlowDocument.model_validate(
        {
            "spec_version": "1.0.0",
            "id": "f",
            "kind": "ivr",
            "name": "f",
            "nodes": {id: {"type": "voice.say", "config": config} for id, config in nodes.items()},
            "edges": [{"from": a, "port": b, "to": c} for (a, b), c in edges.items()],
        }
    ),
    st.dictionaries(st.sampled_from(["n1", "n2", "n3"]), configs, max_size=3),
    st.dictionaries(st.tuples(st.sampled_from("xy"), st.sampled_from("pq")), st.sampled_from("xyz"), max_size=4),
)


@given(documents)
def test_a_document_does_not_differ_from_itself(document: FlowDocument) -> None:
    assert diff(document, copy.deepcopy(document)).empty


@given(documents, documents)
def test_there_is_a_difference_exactly_when_the_documents_are_not_alike(a: FlowDocument, b: FlowDocument) -> None:
    assert diff(a, b).empty == (_meaning(a) == _meaning(b))


def _meaning(document: FlowDocument) -> str:
    """As JSON, for which true is not 1."""
    edges = sorted((edge.source, edge.port, edge.target) for edge in document.edges)
    return json.dumps([document.model_dump(mode="json")["nodes"], edges], sort_keys=True)


@given(documents, documents)
def test_the_way_back_is_the_mirror(a: FlowDocument, b: FlowDocument) -> None:
    there, back = diff(a, b), diff(b, a)
    mirror = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [(one.node, mirror[one.kind]) for one in there.nodes] == [(one.node, one.kind) for one in back.nodes]
    assert [(one.node, one.port, one.new, one.old) for one in there.wires] == [
        (one.node, one.port, one.old, one.new) for one in back.wires
    ]
    for one, other in zip(there.nodes, back.nodes, strict=True):
        assert {(f.field, mirror[f.kind]) for f in one.fields} == {(f.field, f.kind) for f in other.fields}
