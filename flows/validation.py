"""Checking documents: leniently while they are drawn, strictly before they are published."""

from typing import Any

from flows.document import FlowDocument
from flows.plan import Resolver
from flows.problems import Problem
from nodes.sdk.registry import Registry


def parse_draft(data: Any) -> tuple[FlowDocument, list[Problem]]:
    """Read any JSON value as a document. Never raises: what cannot be kept is left out and told."""
    raise NotImplementedError


def validate(
    document: FlowDocument, registry: Registry, *, resolver: Resolver | None = None, strict: bool = True
) -> list[Problem]:
    """Everything that is wrong. Problems of severity ``error`` prevent publishing."""
    raise NotImplementedError
