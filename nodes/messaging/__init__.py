"""Nodes that send messages."""

from typing import Any

from nodes.messaging.mail import Mail
from nodes.messaging.sms import Sms
from nodes.sdk.node import Node

NODES: list[Node[Any]] = [Sms(), Mail()]
