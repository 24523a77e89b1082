import pytest

from nodes.sdk.prompt import Prompt
from nodes.sdk.testing import HANGS_UP, SILENT, Example, Says, ScriptedCall, run_node
from nodes.voice.listen import Listen

CONFIG = {"prompt": Prompt.of(zh="请问您在哪个城市？", en="Which city?").model_dump(), "tries": 2}
CITIES = {**CONFIG, "expected": {"zh": ["北京", "上海"]}}
EXAMPLES = [
    Example("next", CONFIG, call=lambda: ScriptedCall(Says("深圳"))),
    Example("silence", CONFIG, call=lambda: ScriptedCall(SILENT, SILENT)),
    Example("no_match", CITIES, call=lambda: ScriptedCall(Says("深圳"), Says("广州"))),
    Example("error", CONFIG, call=lambda: ScriptedCall(deaf=True)),
    Example("@0", CONFIG, call=lambda: ScriptedCall("0"), shortcuts=("0",)),
]


async def test_the_words_and_how_sure_they_are() -> None:
    outcome = await run_node(Listen(), CITIES, call=ScriptedCall(Says("我在上海", confidence=0.876)))
    assert outcome.port == "next"
    assert outcome.outputs == {"words": "上海", "confidence": 0.88, "tries": 1}


async def test_it_asks_again_after_silence_and_other_words() -> None:
    call = ScriptedCall(SILENT, Says("深圳"), Says("北京"))
    outcome = await run_node(Listen(), {**CITIES, "tries": 3}, call=call)
    assert outcome.outputs == {"words": "北京", "confidence": 1.0, "tries": 3}
    question, again = "请问您在哪个城市？", "对不起，我没有听清。"
    assert outcome.said == [question, again, question, again, question]


@pytest.mark.parametrize(("moves", "port"), [((SILENT, Says("深圳")), "no_match"), ((Says("深圳"), SILENT), "silence")])
async def test_what_came_last_decides_after_the_last_try(moves: tuple[Says], port: str) -> None:
    assert (await run_node(Listen(), CITIES, call=ScriptedCall(*moves))).port == port


async def test_a_language_without_a_pack_is_an_error_with_its_reason() -> None:
    outcome = await run_node(Listen(), CITIES, call=ScriptedCall(deaf=True))
    assert outcome.port == "error" and outcome.outputs["error"] == "no_language_pack"


async def test_keys_that_mean_nothing_are_dropped() -> None:
    assert (await run_node(Listen(), CONFIG, call=ScriptedCall("5", Says("深圳")))).outputs["words"] == "深圳"


async def test_the_tries_are_kept_on_a_hang_up() -> None:
    outcome = await run_node(Listen(), CONFIG, call=ScriptedCall(SILENT, HANGS_UP))
    assert outcome.port == "hangup" and outcome.outputs["tries"] == 2
