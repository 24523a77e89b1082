"""Nodes that talk with a caller."""

from typing import Any

from nodes.sdk.node import Node
from nodes.voice.answer import Answer
from nodes.voice.call_out import CallOut
from nodes.voice.collect import Collect
from nodes.voice.detect import Detect
from nodes.voice.dial import Dial
from nodes.voice.hangup import Hangup
from nodes.voice.language import Language
from nodes.voice.listen import Listen
from nodes.voice.menu import Menu
from nodes.voice.record import Record
from nodes.voice.reject import Reject
from nodes.voice.say import Say

NODES: list[Node[Any]] = [
    Answer(),
    Reject(),
    Say(),
    Menu(),
    Listen(),
    Collect(),
    Record(),
    Language(),
    Detect(),
    Dial(),
    CallOut(),
    Hangup(),
]
