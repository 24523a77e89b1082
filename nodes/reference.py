"""``python -m nodes.reference`` writes what is made from the nodes that ship: the reference pages
docs/nodes.<language>.md, and the nodes' descriptions for the designer's own tests."""

import json
from pathlib import Path

from nodes.sdk.reference import Language, reference
from nodes.sdk.registry import BUILT_IN, Registry, describe, registry

DOCS = Path(__file__).parents[1] / "docs"
DESCRIPTIONS = Path(__file__).parents[1] / "designer" / "fixtures" / "node-types.json"
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def shipped() -> Registry:
    """Only the product's own nodes, whatever else is installed."""
    own = {f"nodes.{family}" for family in BUILT_IN}
    return Registry([node for node in registry().all() if any(type(node).__module__.startswith(name) for name in own)])


def file_of(language: Language) -> Path:
    return DOCS / f"nodes.{language}.md"


def descriptions() -> str:
    """The latest version of every shipped node as the API describes it, as JSON text."""
    nodes = [describe(node) for family in shipped().families().values() for node in family]
    return json.dumps(nodes, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for language in LANGUAGES:
        file_of(language).write_text(reference(shipped(), language), encoding="utf-8")
    DESCRIPTIONS.parent.mkdir(parents=True, exist_ok=True)
    DESCRIPTIONS.write_text(descriptions(), encoding="utf-8")
