"""Nodes that read and call other systems."""

from typing import Any

from nodes.sdk.node import Node
from nodes.web.http import Http
from nodes.web.query import Query

NODES: list[Node[Any]] = [Http(), Query()]
