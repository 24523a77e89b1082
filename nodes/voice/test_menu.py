import pytest
from pydantic import ValidationError

from nodes.sdk.prompt import Prompt
from nodes.sdk.testing import HANGS_UP, SILENT, Example, Says, ScriptedCall, run_node, simulated_call
from nodes.voice.menu import Menu
from telephony.simulated import Person, run_virtual

CONFIG = {
    "prompt": Prompt.of(zh="查询请按1，转人工请按0。").model_dump(),
    "choices": [{"key": "1", "label": "查询"}, {"key": "0", "label": "人工"}],
    "tries": 2,
}
EXAMPLES = [
    Example("1", CONFIG, call=lambda: ScriptedCall("1")),
    Example("0", CONFIG, call=lambda: ScriptedCall(SILENT, "0")),
    Example("timeout", CONFIG, call=lambda: ScriptedCall("7", SILENT)),
    Example("invalid", {**CONFIG, "interruptible": False}, call=lambda: ScriptedCall(SILENT, "7")),
    Example("@9", CONFIG, call=lambda: ScriptedCall("9"), shortcuts=("9",)),
]
SPOKEN = {
    **CONFIG,
    "choices": [
        {"key": "1", "label": "查询", "words": {"zh": ["查询", "余额"], "en": ["balance"]}},
        {"key": "0", "label": "人工", "words": {"zh": ["人工"]}},
    ],
}


async def test_the_key_pressed_is_the_port() -> None:
    outcome = await run_node(Menu(), CONFIG, call=ScriptedCall("1"))
    assert outcome.port == "1" and outcome.outputs == {"key": "1", "tries": 1}


async def test_wrong_key_then_silence_each_have_their_own_prompt() -> None:
    call = ScriptedCall("7", SILENT, "1")
    outcome = await run_node(Menu(), {**CONFIG, "tries": 3}, call=call)
    assert outcome.port == "1" and outcome.outputs["tries"] == 3
    menu = "查询请按1，转人工请按0。"
    assert outcome.said == [menu, "您的选择无效。", menu, "没有收到您的按键。", menu]


@pytest.mark.parametrize(("moves", "port"), [(("7", SILENT), "timeout"), ((SILENT, "7"), "invalid")])
async def test_what_came_last_decides_after_the_last_try(moves: tuple[str], port: str) -> None:
    assert (await run_node(Menu(), CONFIG, call=ScriptedCall(*moves))).port == port


async def test_the_menus_own_key_wins_over_a_shortcut() -> None:
    for interruptible in (True, False):
        config = {**CONFIG, "interruptible": interruptible}
        outcome = await run_node(Menu(), config, call=ScriptedCall("0"), shortcuts=("0", "9"))
        assert outcome.port == "0"
        outcome = await run_node(Menu(), config, call=ScriptedCall("9"), shortcuts=("0", "9"))
        assert outcome.port == "@9"


async def test_what_was_pressed_is_kept_on_a_hang_up() -> None:
    outcome = await run_node(Menu(), CONFIG, call=ScriptedCall("7", HANGS_UP))
    assert outcome.port == "hangup" and outcome.outputs == {"key": "7", "tries": 1}


def test_keys_are_unique() -> None:
    with pytest.raises(ValidationError, match="each key may be used once"):
        Menu.Config.model_validate({**CONFIG, "choices": [{"key": "1"}, {"key": "1"}]})


# --------------------------------------------------------------------------- words


async def test_a_word_does_what_its_key_does() -> None:
    outcome = await run_node(Menu(), SPOKEN, call=ScriptedCall(Says("我要查余额")))
    assert outcome.port == "1" and outcome.outputs == {"key": "1", "tries": 1, "words": "余额"}
    outcome = await run_node(Menu(), SPOKEN, call=ScriptedCall(Says("balance please")), language="en")
    assert outcome.port == "1" and outcome.outputs["words"] == "balance"


async def test_keys_count_beside_words() -> None:
    outcome = await run_node(Menu(), SPOKEN, call=ScriptedCall("0"))
    assert outcome.port == "0" and outcome.outputs == {"key": "0", "tries": 1}
    outcome = await run_node(Menu(), SPOKEN, call=ScriptedCall("9"), shortcuts=("9",))
    assert outcome.port == "@9"


async def test_other_words_and_wrong_keys_are_invalid_and_silence_is_silence() -> None:
    call = ScriptedCall(Says("天气"), SILENT, "7", Says("人工"))
    outcome = await run_node(Menu(), {**SPOKEN, "tries": 4}, call=call)
    assert outcome.port == "0" and outcome.outputs["tries"] == 4
    menu = "查询请按1，转人工请按0。"
    assert outcome.said == [menu, "您的选择无效。", menu, "没有收到您的按键。", menu, "您的选择无效。", menu]
    assert (await run_node(Menu(), SPOKEN, call=ScriptedCall(SILENT, Says("天气")))).port == "invalid"
    assert (await run_node(Menu(), SPOKEN, call=ScriptedCall(Says("天气"), SILENT))).port == "timeout"


async def test_without_a_language_pack_or_words_in_the_callers_language_only_keys_count() -> None:
    call = ScriptedCall("1", deaf=True)
    assert (await run_node(Menu(), SPOKEN, call=call)).port == "1"
    assert call.log == ["collect"]
    call = ScriptedCall("0")
    assert (await run_node(Menu(), SPOKEN, call=call, language="ko")).port == "0"
    assert call.log == ["collect"]


def test_speaking_interrupts_the_menu_only_when_it_may() -> None:
    async def heard(interruptible: bool) -> tuple[str, bool]:
        person = Person().hears("查询", whole=False).waits(0.2).speaks(0.8, "人工").waits(2).speaks(0.8, "余额")
        async with simulated_call(person) as (call, line):
            outcome = await run_node(Menu(), {**SPOKEN, "interruptible": interruptible}, call=call)
            return str(outcome.port), line.heard[0].whole

    assert run_virtual(heard(True)) == ("0", False)
    assert run_virtual(heard(False)) == ("1", True)


@pytest.mark.parametrize("words", [{"zh": ["是", "是！"]}, {"zh": [""]}, {"Chinese": ["是"]}, {"zh": ["长" * 41]}])
def test_words_must_be_sensible_and_mean_one_thing(words: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        Menu.Config.model_validate({**CONFIG, "choices": [{"key": "1", "words": words}]})
