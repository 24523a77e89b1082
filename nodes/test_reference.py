"""The reference pages say what the nodes are."""

import pytest

from nodes.reference import DESCRIPTIONS, LANGUAGES, descriptions, file_of, shipped
from nodes.sdk.reference import Language, page, reference


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_up_to_date(language: Language) -> None:
    written = file_of(language).read_text(encoding="utf-8")
    assert written == reference(shipped(), language), "run 'make schema'"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_has_its_ports_fields_and_words(language: Language) -> None:
    for node in shipped().all():
        words = page(node, language)
        assert node.meta.type in words
        assert (node.meta.help.zh if language == "zh" else node.meta.help.en) in words
        for name in node.Config.model_fields:
            assert f"`{name}`" in words, f"{node.meta.type}.{name}"
        for port in node.all_ports(node.Config.model_validate(dict(node.example))):
            assert f"- `{port.name}`" in words


def test_the_designers_tests_see_the_nodes_as_they_are() -> None:
    assert DESCRIPTIONS.read_text(encoding="utf-8") == descriptions(), "run 'make schema'"
