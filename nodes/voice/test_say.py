from nodes.sdk.prompt import Prompt, RecordingPart, ValuePart
from nodes.sdk.testing import HANGS_UP, Example, ScriptedCall, run_node
from nodes.voice.menu import Menu
from nodes.voice.say import Say

HELLO = {"prompt": Prompt.of(zh="您好。", en="Hello.").model_dump()}
EXAMPLES = [
    Example("next", HELLO),
    Example("next", {**HELLO, "repeat": 3, "interruptible": False}),
    Example("@0", HELLO, call=lambda: ScriptedCall("0"), shortcuts=("0",)),
]


async def test_says_it_in_the_callers_language() -> None:
    for language, words in (("zh", "您好。"), ("en", "Hello."), ("zh-CN", "您好。"), ("ko", "您好。")):
        call = ScriptedCall()
        outcome = await run_node(Say(), HELLO, call=call, language=language)
        assert call.heard == [words] == outcome.said


async def test_mixes_texts_recordings_and_values() -> None:
    prompt = Prompt(
        parts=[RecordingPart(prompt="welcome"), *Prompt.of(zh="余额").parts, ValuePart(value=12.5, read_as="money")]
    )
    call = ScriptedCall()
    await run_node(Say(), {"prompt": prompt.model_dump()}, call=call)
    assert call.heard == ["[welcome]", "余额", "12.5"]


async def test_repeats() -> None:
    outcome = await run_node(Say(), {**HELLO, "repeat": 3})
    assert outcome.said == ["您好。"] * 3


async def test_a_key_stops_it_and_is_the_choice_in_the_next_menu() -> None:
    call = ScriptedCall("2")
    outcome = await run_node(Say(), {**HELLO, "repeat": 3}, call=call)
    assert outcome.outputs == {"key": "2"} and len(outcome.said) == 1
    menu = await run_node(Menu(), {**HELLO, "choices": [{"key": "1"}, {"key": "2"}]}, call=call)
    assert menu.port == "2"


async def test_plays_to_the_end_when_it_may_not_be_interrupted_except_by_a_shortcut() -> None:
    fixed = {**HELLO, "repeat": 2, "interruptible": False}
    outcome = await run_node(Say(), fixed, call=ScriptedCall("5"), shortcuts=("0",))
    assert outcome.port == "next" and len(outcome.said) == 2
    outcome = await run_node(Say(), fixed, call=ScriptedCall("0"), shortcuts=("0",))
    assert outcome.port == "@0" and len(outcome.said) == 1


async def test_a_shortcut_over_an_interruptible_prompt_is_used_up() -> None:
    call = ScriptedCall("01")
    assert (await run_node(Say(), HELLO, call=call, shortcuts=("0",))).port == "@0"
    assert call.moves == ["1"]


async def test_words_heard_before_a_hang_up_are_kept() -> None:
    outcome = await run_node(Say(), {**HELLO, "repeat": 2}, call=ScriptedCall(HANGS_UP))
    assert outcome.port == "hangup"
