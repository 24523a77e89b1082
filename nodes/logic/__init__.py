"""Nodes that decide, count and wait."""

from typing import Any

from nodes.logic.branch import Branch
from nodes.logic.end import End
from nodes.logic.hours import Hours
from nodes.logic.join import Join
from nodes.logic.number_list import NumberList
from nodes.logic.parallel import Parallel
from nodes.logic.repeat import Repeat
from nodes.logic.set_variables import SetVariables
from nodes.logic.split import Split
from nodes.logic.subflow import Subflow
from nodes.logic.switch import Switch
from nodes.logic.wait import Wait
from nodes.logic.wait_open import WaitOpen
from nodes.sdk.node import Node

NODES: list[Node[Any]] = [
    Branch(),
    Switch(),
    SetVariables(),
    Wait(),
    WaitOpen(),
    Split(),
    Repeat(),
    Hours(),
    NumberList(),
    Subflow(),
    Parallel(),
    Join(),
    End(),
]
