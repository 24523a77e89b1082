"""Typed node configuration: one pydantic model gives validation, the form, the docs and the engine's hints.

A field is declared with :func:`field`, which stores its hints in the JSON Schema under the keys

``x-title`` / ``x-help``   ``{"zh": ..., "en": ...}``, shown by the form and the reference docs
``x-widget``               how the form edits the field (a :data:`Widget`)
``x-template``             the string may hold ``{{ ... }}``; the machine renders it before the node runs
``x-expression``           the string is one expression; the machine replaces it by its value
``x-secret``               the value is confidential: it travels encrypted and is never logged
``x-example``              an example for help texts
``x-options``              names of the values of a choice, ``{"zh": ..., "en": ...}`` by value
``x-when``                 the form shows the field while others of the same model have one of these values
``x-port``                 the value (or each item) names a way out of the node, so that edges follow when it changes
``x-unique``               fields whose values differ between the items of the list

Because the hints sit in the schema, the engine finds what to render without importing the node.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined, to_jsonable_python

from nodes.sdk.text import Text, text

Widget = Literal[
    "text",
    "textarea",
    "number",
    "switch",
    "select",
    "duration",
    "prompt",
    "expression",
    "template",
    "choices",
    "keyvalue",
    "calendar",
    "list",
    "query",
    "credential",
    "secret",
    "language",
    "languages",
    "phone",
    "flow",
    "key",
    "keys",
    "words",
    "variable",
    "json",
]


class NodeConfig(BaseModel):
    """Base of every node's ``Config``. Unknown keys are errors, so that a typing mistake is never silent.

    Numbers are taken where text is wanted: a template such as ``{{ vars.count }}`` may render to one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class FieldError(ValueError):
    """What a validator of a `Config` raises: the field, and what is wrong with it in both languages.

    ``field`` is a dotted place inside the model whose validator it is, empty for the validated field itself.
    """

    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(f"{field}: {en}" if field else en)
        self.field = field
        self.text = text(zh, en)


def field(
    default: Any = PydanticUndefined,
    *,
    title: Text,
    help: Text,
    widget: Widget | None = None,
    template: bool = False,
    expression: bool = False,
    secret: bool = False,
    example: Any = None,
    options: Mapping[str, Text] | None = None,
    when: Mapping[str, Sequence[Any]] | None = None,
    port: bool = False,
    unique: Sequence[str] = (),
    default_factory: Callable[[], Any] | None = None,
    **constraints: Any,
) -> Any:
    """Declare a config field with what the form, the docs and the engine need to know.

    ``constraints`` are pydantic's own (``ge``, ``le``, ``min_length``, ``pattern`` ...). A field with
    ``expression=True`` must accept the expression's *value* in its type (often ``Any``), since the node
    sees the value; the document holds the source text.
    """
    extra: dict[str, Any] = {"x-title": title.model_dump(), "x-help": help.model_dump()}
    if widget is not None:
        extra["x-widget"] = widget
    if template:
        extra["x-template"] = True
    if expression:
        extra["x-expression"] = True
    if secret:
        extra["x-secret"] = True
    if example is not None:
        extra["x-example"] = example
    if options is not None:
        extra["x-options"] = {value: name.model_dump() for value, name in options.items()}
    if when is not None:
        extra["x-when"] = {name: list(values) for name, values in when.items()}
    if port:
        extra["x-port"] = True
    if unique:
        extra["x-unique"] = list(unique)
    if default_factory is not None:
        # Pydantic leaves it out, but the form shows it and can come back to it.
        extra["default"] = to_jsonable_python(default_factory())
        return Field(default_factory=default_factory, json_schema_extra=extra, **constraints)
    return Field(default, json_schema_extra=extra, **constraints)
