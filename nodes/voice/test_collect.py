import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nodes.sdk.prompt import Prompt
from nodes.sdk.testing import HANGS_UP, SILENT, Example, Move, ScriptedCall, run_node
from nodes.voice.collect import Collect, is_date, is_phone, luhn

PROMPT = {"prompt": Prompt.of(zh="请输入卡号。").model_dump()}
CARD = {**PROMPT, "minimum": 4, "maximum": 8, "tries": 2}
EXAMPLES = [
    Example("next", CARD, call=lambda: ScriptedCall("12345678")),
    Example("next", {**CARD, "secret": True}, call=lambda: ScriptedCall("1234#")),
    Example("timeout", CARD, call=lambda: ScriptedCall("12", SILENT)),
    Example("invalid", CARD, call=lambda: ScriptedCall(SILENT, "12#")),
    Example("@0", CARD, call=lambda: ScriptedCall("0#"), shortcuts=("0",)),
]


@pytest.mark.parametrize("moves", [("12345678",), ("1234#",), ("1234", SILENT), ("12*34#",)])
async def test_an_entry_ends_at_full_length_by_the_end_key_or_by_a_pause(moves: tuple[Move, ...]) -> None:
    outcome = await run_node(Collect(), CARD, call=ScriptedCall(*moves))
    assert outcome.port == "next" and outcome.outputs["digits"] in ("12345678", "1234")


async def test_too_few_digits_are_asked_for_again() -> None:
    outcome = await run_node(Collect(), CARD, call=ScriptedCall("12#", "4321#"))
    assert outcome.outputs == {"digits": "4321", "tries": 2}
    assert outcome.said == ["请输入卡号。", "输入有误。", "请输入卡号。"]


@pytest.mark.parametrize("entry", [("0#",), ("0", SILENT)])
async def test_a_lone_zero_is_the_shortcut(entry: tuple[Move, ...]) -> None:
    assert (await run_node(Collect(), CARD, call=ScriptedCall(*entry), shortcuts=("0",))).port == "@0"


async def test_zero_inside_an_entry_is_a_digit() -> None:
    outcome = await run_node(Collect(), CARD, call=ScriptedCall("0123#"), shortcuts=("0",))
    assert outcome.outputs["digits"] == "0123"
    one = {**CARD, "minimum": 1}
    assert (await run_node(Collect(), one, call=ScriptedCall("0#"), shortcuts=("0",))).port == "next"


async def test_a_shortcut_that_is_no_digit_acts_at_once() -> None:
    assert (await run_node(Collect(), CARD, call=ScriptedCall("12*"), shortcuts=("*",))).port == "@*"


async def test_secret_digits_stay_out_of_the_recording() -> None:
    config = {**CARD, "secret": True}
    call = ScriptedCall("1234#")
    outcome = await run_node(Collect(), config, call=call)
    assert outcome.outputs["digits"] == "1234" and call.secret_keys == "1234#"
    assert not call.recording_paused
    node = Collect()
    secret = {o.name: o.secret for o in node.outputs(node.Config.model_validate(config))}
    assert secret == {"digits": True, "tries": False}


async def test_the_recording_goes_on_after_a_shortcut_too() -> None:
    call = ScriptedCall("0#")
    await run_node(Collect(), {**CARD, "secret": True}, call=call, shortcuts=("0",))
    assert call.log[0] == "pause" and call.log[-1] == "resume"


async def test_digits_so_far_are_kept_on_a_hang_up() -> None:
    outcome = await run_node(Collect(), CARD, call=ScriptedCall("12", HANGS_UP))
    assert outcome.port == "hangup" and outcome.outputs == {"tries": 1, "digits": "12"}


@pytest.mark.parametrize(
    ("check", "wrong", "right"),
    [("luhn", "12345678", "79927398713"), ("date", "20260231", "20260228"), ("phone", "99999", "13800138000")],
)
async def test_checks(check: str, wrong: str, right: str) -> None:
    config = {**PROMPT, "check": check}
    outcome = await run_node(Collect(), config, call=ScriptedCall(f"{wrong}#", f"{right}#"))
    assert outcome.outputs == {"digits": right, "tries": 2}


def test_phone_numbers_of_other_countries() -> None:
    assert is_phone("00442079460000", "CN") and not is_phone("12", "CN") and not is_phone("", "CN")
    assert is_date("20240229") and not is_date("20230229")


@given(st.text("0123456789", min_size=1, max_size=30))
def test_exactly_one_check_digit_fits(digits: str) -> None:
    assert sum(luhn(digits + str(last)) for last in range(10)) == 1


def test_limits() -> None:
    with pytest.raises(ValidationError, match="minimum"):
        Collect.Config.model_validate({**PROMPT, "minimum": 9, "maximum": 8})
    with pytest.raises(ValidationError, match="less than 10"):
        Collect.Config.model_validate({**PROMPT, "digit_timeout": 10})
