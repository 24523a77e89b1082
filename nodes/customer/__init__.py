"""Nodes that know customers."""

from typing import Any

from nodes.customer.find import Find
from nodes.customer.update import Update
from nodes.customer.verify_pin import VerifyPin
from nodes.sdk.node import Node

NODES: list[Node[Any]] = [Find(), Update(), VerifyPin()]
