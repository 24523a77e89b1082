"""What is wrong with a document, in words for people: where, what and the remedy, in both languages of the app."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from flows.catalogue import CATALOGUE
from nodes.sdk.text import Text, text

Severity = Literal["error", "warning"]


class Problem(BaseModel):
    """One finding.

    ``code``   stable, for programs (``edge_target``, ``bad_config`` ...)
    ``node``   id of the node it is about, None for the whole document
    ``field``  dotted path inside the node's config or the document, None for none
    """

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity = "error"
    node: str | None = None
    field: str | None = None
    message: Text

    def __str__(self) -> str:
        place = ".".join(part for part in (self.node, self.field) if part)
        return f"{self.severity} {self.code}{f' at {place}' if place else ''}: {self.message.en}"


class InvalidFlowError(Exception):
    """A document with errors was to be compiled or published."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems[:5]) or "the flow is not valid")


def problem(
    code: str, zh: str, en: str, *, node: str | None = None, field: str | None = None, severity: Severity = "error"
) -> Problem:
    """Shorthand, so that a check stays on a few lines. Raises KeyError for a code that the catalogue does not hold."""
    if code not in CATALOGUE:
        raise KeyError(f"{code} is not in flows/catalogue.py")
    return Problem(code=code, severity=severity, node=node, field=field, message=text(zh, en))


def errors_of(problems: list[Problem]) -> list[Problem]:
    """Those that prevent publishing."""
    return [found for found in problems if found.severity == "error"]
