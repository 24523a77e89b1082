from typing import Any

import pytest

from nodes.sdk.config import NodeConfig
from nodes.sdk.node import NodeMeta, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.testing import ScriptedCall, context, run_node
from nodes.sdk.text import text
from nodes.sdk.voice import Line, VoiceNode
from telephony.errors import DriverError, HungUp, SpeechError, TelephonyError


class Fails(VoiceNode[NodeConfig]):
    """Raises what telephony raises."""

    meta = NodeMeta(
        type="test.fails",
        family="voice",
        icon="x",
        runs=Runs.ON_CALL,
        title=text("错", "Fails"),
        help=text("错", "Fails"),
    )

    def __init__(self, error: TelephonyError) -> None:
        self.error = error

    async def talk(self, line: Line, config: NodeConfig) -> Outcome:
        await line.say(Prompt.of(zh="您好"))
        raise self.error


@pytest.mark.parametrize(
    ("error", "port", "outputs"),
    [
        (SpeechError("no_voice", "no voice for ko"), "error", {"error": "no_voice"}),
        (DriverError("lost"), "error", {"error": "lost"}),
        (HungUp(), "hangup", {}),
    ],
)
async def test_telephony_errors_leave_by_the_right_port(
    error: TelephonyError, port: str, outputs: dict[str, Any]
) -> None:
    outcome = await run_node(Fails(error))
    assert outcome.port == port and outcome.outputs == outputs


async def test_words_heard_before_a_hang_up_are_told() -> None:
    outcome = await run_node(Fails(HungUp()))
    assert outcome.port == "hangup" and outcome.said == ["您好"]


async def test_an_empty_prompt_plays_nothing() -> None:
    call = ScriptedCall()
    line = Line(context(Fails(HungUp()), call=call))
    assert await line.say(Prompt()) is None and call.log == []
