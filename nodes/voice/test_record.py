from typing import Any

import pytest
from pydantic import ValidationError

from nodes.sdk.testing import (
    HANGS_UP,
    SILENT,
    Example,
    MemoryServices,
    Message,
    Move,
    ScriptedCall,
    Speaks,
    context,
    run_node,
)
from nodes.voice.record import Record
from telephony.errors import HungUp, SpeechError

EXAMPLES = [
    Example("next", call=lambda: ScriptedCall(Speaks(6), "1", "3", "13800138000#", "#")),
    Example("next", {"review": False}, call=lambda: ScriptedCall(Speaks(6, "silence"))),
    Example("next", call=lambda: ScriptedCall(Speaks(6), "2", Speaks(8), SILENT, SILENT)),
    Example("empty", call=lambda: ScriptedCall(Speaks(0.2), SILENT)),
    Example("@0", call=lambda: ScriptedCall(Speaks(6), "0"), shortcuts=("0",)),
]


async def leave(*moves: Move, config: dict[str, Any] | None = None, **more: Any) -> tuple[Any, list[Message]]:
    services = MemoryServices()
    outcome = await run_node(Record(), config or {}, call=ScriptedCall(*moves), services=services, **more)
    return outcome, list(services.voicemails.messages.values())


async def test_a_message_is_kept_with_hash() -> None:
    outcome, [message] = await leave(Speaks(6), "#")
    assert outcome.port == "next"
    assert outcome.outputs == {"voicemail": message.id, "seconds": 6.0, "callback_number": "", "complete": True}
    assert message.box == "default" and message.caller == "13800138000" and message.complete
    assert outcome.said[-1] == "您的留言已保存。"


async def test_listen_then_record_again_keeps_the_second() -> None:
    outcome, [message] = await leave(Speaks(6), "1", "2", Speaks(9), "#")
    assert message.seconds == 9 and "[message]" in outcome.said
    assert message.recording.name == "test-run-1-1-2.wav"


async def test_a_callback_number_is_kept() -> None:
    outcome, [message] = await leave(Speaks(6), "3", "02155556666#", "#")
    assert message.callback_number == "02155556666" == outcome.outputs["callback_number"]


async def test_silence_in_the_review_keeps_the_message() -> None:
    outcome, [message] = await leave(Speaks(6), SILENT, SILENT)
    assert outcome.port == "next" and message.complete


async def test_hanging_up_in_the_review_keeps_it_whole() -> None:
    outcome, [message] = await leave(Speaks(6), "3", "0215555#", HANGS_UP)
    assert outcome.port == "hangup" and message.complete and message.callback_number == "0215555"
    assert outcome.outputs["voicemail"] == message.id


async def test_hanging_up_while_speaking_keeps_what_there_is() -> None:
    outcome, [message] = await leave(Speaks(4, "hangup"))
    assert outcome.port == "hangup" and message.seconds == 4 and message.complete
    assert outcome.outputs["complete"] is True


async def test_what_a_fault_cut_off_is_kept_as_not_complete() -> None:
    for fault in ("lost", "engine_lost"):
        outcome, [message] = await leave(Speaks(4, fault))
        assert outcome.port == "hangup" and message.seconds == 4 and not message.complete
        assert outcome.outputs["complete"] is False


async def test_hanging_up_in_the_second_take() -> None:
    _, [message] = await leave(Speaks(6), "2", Speaks(3, "hangup"))
    assert message.seconds == 3 and message.complete
    _, [message] = await leave(Speaks(6), "2", Speaks(0.2, "hangup"))
    assert message.seconds == 6 and message.complete
    _, [message] = await leave(Speaks(6), "2", HANGS_UP)
    assert message.seconds == 6 and message.complete


async def test_too_short_is_asked_again_and_then_empty() -> None:
    outcome, messages = await leave(Speaks(0.2), Speaks(0.3))
    assert outcome.port == "empty" and messages == []
    assert outcome.said[1] == "没有录到您的留言。"
    outcome, [message] = await leave(Speaks(0.2), Speaks(5), "#")
    assert message.seconds == 5


async def test_hanging_up_before_a_word_keeps_nothing() -> None:
    outcome, messages = await leave(HANGS_UP)
    assert outcome.port == "hangup" and messages == []


async def test_a_shortcut_keeps_what_was_said() -> None:
    outcome, [message] = await leave(Speaks(6, "0"), shortcuts=("0",))
    assert outcome.port == "@0" and message.complete
    outcome, [message] = await leave(Speaks(6), "0", shortcuts=("0",))
    assert outcome.port == "@0" and message.complete


async def test_after_a_crash_the_stored_message_is_found_and_nobody_speaks_twice() -> None:
    services = MemoryServices()
    first = await run_node(Record(), call=ScriptedCall(Speaks(6), "3", "02155556666#", "#"), services=services)
    node = Record()
    after = ScriptedCall(Speaks(9), "#")
    again = await node.reconcile(context(node, call=after, services=services), node.Config())
    assert again is not None and again.port == "next" and again.outputs == first.outputs
    assert after.log == [] and len(services.voicemails.messages) == 1
    lost = context(node, services=services)
    with pytest.raises(HungUp):
        await node.reconcile(lost, node.Config())
    assert lost.partial == first.outputs


async def test_an_error_in_the_review_keeps_the_message() -> None:
    class Voiceless(ScriptedCall):
        async def collect(self, items: Any, **options: Any) -> Any:
            raise SpeechError("no_voice")

    services = MemoryServices()
    outcome = await run_node(Record(), call=Voiceless(Speaks(6)), services=services)
    assert outcome.outputs == {"error": "no_voice"} and len(services.voicemails.messages) == 1


async def test_a_retry_finds_the_take_and_saves_one_message() -> None:
    services = MemoryServices()
    call = ScriptedCall(Speaks(6), "#")
    await run_node(Record(), call=call, services=services)
    services.voicemails.messages.clear()  # the process died before the message was stored
    call.moves = ["#"]
    node = Record()
    again = await node.reconcile(context(node, call=call, services=services), node.Config())
    assert again is not None and again.port == "next" and again.outputs["seconds"] == 6
    assert len(services.voicemails.messages) == 1
    assert call.log.count("record test-run-1-1-1") == 1


async def test_after_a_crash_before_any_take_the_caller_is_asked_anew() -> None:
    node = Record()
    services = MemoryServices()
    outcome = await node.reconcile(context(node, call=ScriptedCall(Speaks(5), "#"), services=services), node.Config())
    assert outcome is not None and outcome.port == "next" and len(services.voicemails.messages) == 1
    assert await node.reconcile(context(node), node.Config()) is None


def test_keys_are_unique() -> None:
    with pytest.raises(ValidationError, match="each key may be used once"):
        Record.Config.model_validate({"listen_key": "2"})
