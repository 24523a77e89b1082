"""The logic family."""

from nodes.sdk.registry import AnyNode

NODES: list[AnyNode] = []
