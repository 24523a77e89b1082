"""The gallery: flows that ship, one for each kind of work, to begin from (FL11)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from backend.database import Database
from backend.errors import not_found
from backend.flows.service import Saved, import_flow
from backend.identity.permissions import Actor
from nodes.sdk.text import Text, text

_ORDER = (
    "number-menu",
    "service-hotline",
    "out-of-hours-voicemail",
    "complaint-intake",
    "payment-reminder",
    "satisfaction-survey",
    "callback-rule",
    "abandoned-callback",
    "voicemail-callback",
    "approval",
)


@dataclass(frozen=True, slots=True)
class Template:
    """A document with its test cases, and what it is good for."""

    key: str
    kind: str
    title: Text
    description: Text
    document: Mapping[str, Any]
    cases: list[Any]


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Every template, simple ones first."""
    folder = files("examples")
    found: dict[str, Template] = {}
    for file in (folder / "templates").iterdir():
        if file.name.endswith(".json"):
            data = json.loads(file.read_text(encoding="utf-8"))
            one = _template(data["document"], data["cases"], Text(**data["title"]), Text(**data["description"]))
            found[one.key] = one
    for file in (folder / "flows").iterdir():
        cases = folder / "cases" / file.name
        if file.name.endswith(".json") and cases.is_file():
            document = json.loads(file.read_text(encoding="utf-8"))
            name, description = _both(document["name"]), _both(document.get("description", ""))
            found[document["id"]] = _template(
                document, json.loads(cases.read_text(encoding="utf-8")), name, description
            )
    order = {key: place for place, key in enumerate(_ORDER)}
    return tuple(sorted(found.values(), key=lambda one: (order.get(one.key, len(order)), one.key)))


def _both(words: str) -> Text:
    """Both languages of a text that has them one behind the other."""
    found = re.match(r"(.*[\u4e00-\u9fff。，！？）]+)\s+(.+)", words)
    return text(found.group(1), found.group(2)) if found is not None else text(words, words)


def _template(document: Mapping[str, Any], cases: list[Any], title: Text, description: Text) -> Template:
    return Template(document["id"], document["kind"], title, description, document, cases)


async def create_from(db: Database, actor: Actor, key: str, *, name: str = "") -> Saved:
    """A new flow from a template, with its test cases. Raises NotFoundError."""
    found = next((one for one in templates() if one.key == key), None)
    if found is None:
        raise not_found("模板", "template", key, "key")
    document = dict(found.document) | ({"name": name.strip()[:200]} if name.strip() else {})
    return await import_flow(db, actor, {**document, "cases": found.cases})
