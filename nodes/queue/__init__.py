"""Nodes that bring callers to people."""

from typing import Any

from nodes.queue.agent import ToAgent
from nodes.queue.callback import CallBack
from nodes.queue.enter import Enter
from nodes.queue.status import Status
from nodes.sdk.node import Node

NODES: list[Node[Any]] = [Enter(), ToAgent(), CallBack(), Status()]
