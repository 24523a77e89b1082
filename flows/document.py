"""The document: one JSON format for IVR trees, campaigns, callback rules, tickets and subflows (SH1).

The engine never reads ``ui``. Canonical form has stable key order (`canonical_json`), so that equal documents
have equal hashes.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SPEC_VERSION = "1.0.0"
SCHEMA_FILE = Path(__file__).parent / "schema" / "document.schema.json"

ValueType = Literal["string", "number", "boolean", "object", "list", "any"]


class DocumentModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Variable(DocumentModel):
    """A typed input, output or variable. ``secret`` ones hold sealed references only."""

    name: str = Field(pattern=r"^[a-z_][a-z0-9_]{0,63}$")
    type: ValueType = "any"
    default: Any = None
    required: bool = False
    secret: bool = False
    title: str = ""


class Policy(DocumentModel):
    """How one node's failures are met.

    ``timeout``   seconds one execution may take; None for the node type's own limit
    ``retries``   further attempts after a failure that says it is retryable
    ``backoff``   seconds before the first retry, doubled each time
    ``on_error``  ``port`` follows the error port, then the flow's handler; ``handler`` goes to the
                  flow's handler at once; ``ignore`` goes on by the node's first port
    """

    timeout: float | None = Field(None, gt=0, le=86400)
    retries: int = Field(0, ge=0, le=10)
    backoff: float = Field(1.0, ge=0, le=3600)
    on_error: Literal["port", "handler", "ignore"] = "port"


class NodeSpec(DocumentModel):
    type: str
    type_version: int = 1
    name: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    policy: Policy = Field(default_factory=Policy)


class Edge(DocumentModel):
    """From a node's port to a node. One edge at most leaves a port."""

    source: str = Field(alias="from")
    port: str
    target: str = Field(alias="to")

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Shortcut(DocumentModel):
    """A key that works at every step of a call ("0 for a person"), unless the node there uses the key itself."""

    key: str = Field(pattern=r"^[0-9*#]$")
    target: str = Field(alias="to")

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Handlers(DocumentModel):
    """Where a run goes when the caller hung up, or when a node failed and nothing nearer handles it."""

    hangup: str | None = None
    error: str | None = None


class FlowDocument(DocumentModel):
    spec_version: str = SPEC_VERSION
    id: str
    kind: Literal["ivr", "campaign", "callback", "ticket", "subflow"]
    name: str
    description: str = ""
    languages: list[str] = Field(default_factory=lambda: ["zh", "en"])
    entry: str | None = None
    inputs: list[Variable] = Field(default_factory=list)
    outputs: list[Variable] = Field(default_factory=list)
    variables: list[Variable] = Field(default_factory=list)
    nodes: dict[str, NodeSpec] = Field(default_factory=dict)
    edges: list[Edge] = Field(default_factory=list)
    handlers: Handlers = Field(default_factory=Handlers)
    shortcuts: list[Shortcut] = Field(default_factory=list)
    ui: dict[str, Any] = Field(default_factory=dict)


def canonical_json(document: FlowDocument) -> str:
    """The one text of a document: sorted keys, no spaces, every default written out, edges in a fixed order."""
    data = document.model_dump(mode="json", by_alias=True)
    data["edges"].sort(key=lambda edge: (edge["from"], edge["port"], edge["to"]))
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def content_hash(document: FlowDocument) -> str:
    """SHA-256 of what the engine reads: the canonical text without ``ui``."""
    return hashlib.sha256(canonical_json(document.model_copy(update={"ui": {}})).encode()).hexdigest()


def document_schema() -> dict[str, Any]:
    """JSON Schema of the document as authors and tools write it."""
    schema = FlowDocument.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Callweave flow document",
        "x-spec-version": SPEC_VERSION,
        **{key: value for key, value in schema.items() if key != "title"},
    }


def schema_text() -> str:
    """The text of the exported schema file."""
    return json.dumps(document_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_schema() -> None:
    """Export the schema: ``python -m flows.schema``."""
    SCHEMA_FILE.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
