"""The voice nodes over the real call layer, with a scripted person and a virtual clock: what takes how long."""

import asyncio
from collections.abc import Mapping
from typing import Any

from nodes.sdk.node import Node
from nodes.sdk.outcome import Outcome
from nodes.sdk.prompt import Prompt
from nodes.sdk.testing import MemoryServices, run_node, simulated_call
from nodes.voice.collect import Collect
from nodes.voice.dial import Dial
from nodes.voice.language import Language
from nodes.voice.menu import Menu
from nodes.voice.record import Record
from nodes.voice.say import Say
from telephony.simulated import Callee, Line, Person, estimate_seconds, run_virtual

PROMPT = {"prompt": Prompt.of(zh="请选择服务。").model_dump()}
LENGTH = estimate_seconds("请选择服务。")
MENU = {**PROMPT, "choices": [{"key": "1"}, {"key": "2"}], "tries": 1, "timeout": 4}


def play(
    person: Person,
    *nodes: tuple[Node[Any], Mapping[str, Any]],
    services: MemoryServices | None = None,
    callees: Mapping[str, Callee] | None = None,
    shortcuts: tuple[str, ...] = (),
) -> tuple[list[Outcome], list[float], Line]:
    """Run nodes one after the other on one call; their outcomes, how long each took, and the caller's line."""

    async def work() -> tuple[list[Outcome], list[float], Line]:
        clock = asyncio.get_running_loop()
        outcomes, took = [], []
        async with simulated_call(person, callees=callees) as (call, line):
            for step, (node, config) in enumerate(nodes):
                began = clock.time()
                outcome = await run_node(node, config, call=call, services=services, shortcuts=shortcuts, step=step)
                outcomes.append(outcome)
                took.append(clock.time() - began)
        assert line.failure is None, line.failure
        return outcomes, took, line

    return run_virtual(work())


def near(found: float, wanted: float) -> bool:
    return abs(found - wanted) < 0.3


def test_a_menu_waits_from_the_end_of_its_prompt() -> None:
    [outcome], [took], _ = play(Person(), (Menu(), MENU))
    assert outcome.port == "timeout" and near(took, LENGTH + 4)


def test_a_key_over_the_prompt_acts_at_once() -> None:
    [outcome], [took], _ = play(Person().hears("请选择", whole=False).waits(0.2).presses("2"), (Menu(), MENU))
    assert outcome.port == "2" and took < LENGTH and near(took, 0.2)


def test_a_key_pressed_over_the_greeting_is_the_choice_in_the_menu() -> None:
    outcomes, took, line = play(Person().hears("请选择", whole=False).presses("2"), (Say(), PROMPT), (Menu(), MENU))
    assert [outcome.port for outcome in outcomes] == ["next", "2"]
    assert took[1] < 0.1 and len(line.texts) == 1


def test_keys_pressed_ahead_of_a_fixed_greeting_wait_for_the_menu() -> None:
    fixed = {**PROMPT, "interruptible": False}
    outcomes, took, _ = play(Person().hears("请选择", whole=False).presses("1"), (Say(), fixed), (Menu(), MENU))
    assert outcomes[1].port == "1" and near(took[0], LENGTH) and took[1] < 0.1


def test_a_pause_between_digits_ends_the_entry() -> None:
    config = {**PROMPT, "digit_timeout": 3, "minimum": 2}
    [outcome], [took], _ = play(Person().hears("请选择").presses("123", gap=1), (Collect(), config))
    assert outcome.outputs["digits"] == "123" and near(took, LENGTH + 2 + 3)


def test_the_hash_after_a_full_entry_does_not_reach_the_next_menu() -> None:
    config = {**PROMPT, "minimum": 4, "maximum": 4}
    person = Person().hears("请选择").presses("1234#").hears("请选择").presses("1")
    outcomes, _, _ = play(person, (Collect(), config), (Menu(), MENU))
    assert outcomes[0].outputs["digits"] == "1234" and outcomes[1].port == "1"


def test_a_lone_zero_and_a_pause_is_the_shortcut() -> None:
    config = {**PROMPT, "minimum": 4, "digit_timeout": 3}
    [outcome], [took], _ = play(Person().hears("请选择").presses("0"), (Collect(), config), shortcuts=("0",))
    assert outcome.port == "@0" and near(took, LENGTH + 3)


def test_digits_so_far_survive_a_hang_up() -> None:
    person = Person().hears("请选择").presses("12").waits(1).hangs_up()
    [outcome], [took], _ = play(person, (Collect(), {**PROMPT, "minimum": 4, "secret": True}))
    assert outcome.port == "hangup" and outcome.outputs["digits"] == "12" and took < LENGTH + 2


def test_a_message_with_listening_recording_again_and_a_number() -> None:
    services = MemoryServices()
    person = (
        Person()
        .hears("请在提示音后留言")
        .speaks(6)
        .presses("#")
        .hears("试听留言请按", whole=False)
        .presses("1")
        .hears("试听留言请按", whole=False)
        .presses("2")
        .hears("请在提示音后留言")
        .speaks(9)
        .presses("#")
        .hears("试听留言请按", whole=False)
        .presses("3")
        .hears("请输入回电号码")
        .presses("13800138000#")
        .hears("试听留言请按", whole=False)
        .presses("#")
        .hears("您的留言已保存")
    )
    [outcome], _, _ = play(person, (Record(), {}), services=services)
    [message] = services.voicemails.messages.values()
    assert outcome.port == "next" and message.complete and message.callback_number == "13800138000"
    assert near(message.seconds, 9) and message.recording.name.endswith("-2.wav")


def test_a_message_ended_by_a_hang_up_is_kept_at_once_and_whole() -> None:
    services = MemoryServices()
    person = Person().hears("请在提示音后留言").waits(0.5).speaks(4).hangs_up()
    [outcome], _, _ = play(person, (Record(), {}), services=services)
    [message] = services.voicemails.messages.values()
    assert outcome.port == "hangup" and message.complete and message.seconds >= 4


def test_silence_ends_the_recording_and_keeps_the_message() -> None:
    services = MemoryServices()
    person = Person().hears("请在提示音后留言").waits(0.5).speaks(4)
    [outcome], _, _ = play(person, (Record(), {"max_silence": 3, "review": False}), services=services)
    assert outcome.port == "next" and len(services.voicemails.messages) == 1


def test_dialling_out_in_all_its_ways() -> None:
    callees = {
        "extension:8001": Callee("answered", 2, person=Person().waits(5).hangs_up()),
        "extension:8002": Callee("busy"),
        "extension:8003": Callee("no_answer"),
        "extension:8004": Callee("rejected"),
        "extension:8005": Callee("unavailable"),
    }
    numbers = ["8001", "8002", "8003", "8004", "8005"]
    steps: list[tuple[Node[Any], Mapping[str, Any]]] = [
        (Dial(), {"number": number, "ring_seconds": 10, "announcement": {}}) for number in numbers
    ]
    outcomes, took, _ = play(Person(), *steps, callees=callees)
    assert [outcome.port for outcome in outcomes] == ["done", "busy", "no_answer", "busy", "failed"]
    assert near(outcomes[0].outputs["seconds"], 5) and outcomes[0].outputs["ended_by"] == "other"
    assert near(took[2], 10)


def test_a_caller_who_leaves_the_talk() -> None:
    callees = {"extension:8001": Callee("answered", 1)}
    [outcome], _, _ = play(Person().waits(8).hangs_up(), (Dial(), {"number": "8001"}), callees=callees)
    assert outcome.port == "hangup" and outcome.outputs["ended_by"] == "caller" and outcome.outputs["seconds"] > 2


def test_the_chosen_language_is_spoken_next() -> None:
    both = {"prompt": Prompt.of(zh="您好。", en="Hello.").model_dump()}

    async def work() -> list[str]:
        async with simulated_call(Person().hears("For English").presses("2")) as (call, line):
            outcome = await run_node(Language(), call=call)
            await run_node(Say(), both, call=call, language=outcome.call["language"])
            assert call.language == "en"
            return line.texts

    assert run_virtual(work())[-1] == "Hello."
