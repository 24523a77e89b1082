"""``python -m nodes.reference`` writes the reference pages of the nodes that ship, docs/nodes.<language>.md."""

from importlib.metadata import entry_points
from pathlib import Path

from nodes.sdk.reference import Language, reference
from nodes.sdk.registry import Registry, registry

DOCS = Path(__file__).parents[1] / "docs"
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def shipped() -> Registry:
    """Only the product's own nodes, whatever else is installed."""
    own = {found.value for found in entry_points(group="callweave.nodes") if found.value.startswith("nodes.")}
    return Registry([node for node in registry().all() if any(type(node).__module__.startswith(name) for name in own)])


def file_of(language: Language) -> Path:
    return DOCS / f"nodes.{language}.md"


if __name__ == "__main__":
    for language in LANGUAGES:
        file_of(language).write_text(reference(shipped(), language), encoding="utf-8")
