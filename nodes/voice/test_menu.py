import pytest
from pydantic import ValidationError

from nodes.sdk.prompt import Prompt
from nodes.sdk.testing import HANGS_UP, SILENT, Example, ScriptedCall, run_node
from nodes.voice.menu import Menu

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
