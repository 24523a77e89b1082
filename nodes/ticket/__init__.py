"""Nodes that give people work."""

from typing import Any

from nodes.sdk.node import Node
from nodes.ticket.task import Task

NODES: list[Node[Any]] = [Task()]
