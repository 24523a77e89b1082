"""The conformance checks find what they promise to find."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from nodes.sdk.config import NodeConfig, field
from nodes.sdk.conformance import check_definition, check_examples
from nodes.sdk.context import Context, FlowScope
from nodes.sdk.node import NEXT, Node, NodeMeta, Output, Port, Runs
from nodes.sdk.outcome import Outcome
from nodes.sdk.testing import ContractBrokenError, Example, MemoryServices, ScriptedCall
from nodes.sdk.text import Text, text
from telephony.errors import HungUp
from telephony.prompts import Speak

META = NodeMeta(
    type="test.node",
    family="logic",
    icon="x",
    runs=Runs.ON_CALL,
    title=text("试", "Test"),
    help=text("试", "Test"),
)


class Base(Node[Any]):
    """A node that says hello."""

    meta = META

    async def run(self, ctx: Context, config: Any) -> Outcome:
        await ctx.call.say([Speak("hello")])
        return Outcome(port="next")


class Swallows(Base):
    """It goes on after a cancellation."""

    async def run(self, ctx: Context, config: Any) -> Outcome:
        try:
            await ctx.call.say([Speak("hello")])
        except asyncio.CancelledError:
            return Outcome(port="next")
        return Outcome(port="next")


class Deaf(Base):
    """It does not notice a hang-up."""

    async def run(self, ctx: Context, config: Any) -> Outcome:
        try:
            await ctx.call.say([Speak("hello")])
        except HungUp:
            return Outcome(port="next")
        return Outcome(port="next")


class WrongPort(Base):
    """It fires what it does not have."""

    async def run(self, ctx: Context, config: Any) -> Outcome:
        return Outcome(port="nowhere")


class WrongOutput(Base):
    """It leaves what it does not declare."""

    async def run(self, ctx: Context, config: Any) -> Outcome:
        return Outcome(port="next", outputs={"surprise": 1})


class DeadPort(Base):
    """It has a port that never fires."""

    def ports(self, config: Any) -> Sequence[Port]:
        return [NEXT, Port(name="never", title=text("无", "Never"))]


class Moody(Base):
    """It decides differently each time."""

    meta = META.model_copy(update={"runs": Runs.IN_WORKFLOW})
    counter: ClassVar[int] = 0

    def decide(self, scope: FlowScope, config: Any) -> Outcome:
        Moody.counter += 1
        return Outcome(port="next", variables={"n": Moody.counter})


async def test_a_good_node_passes() -> None:
    check_definition(Base())
    await check_examples(Base(), [Example("next"), Example("next", call=lambda: ScriptedCall("1"))])


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (Swallows(), "swallowed the cancellation"),
        (Deaf(), "hung up at moment 0 and it fired 'next'"),
        (WrongPort(), "fired 'nowhere'; declared: error, hangup, next"),
        (WrongOutput(), "undeclared outputs: surprise"),
        (DeadPort(), "no example fires never"),
        (Moody(), "deciding twice"),
    ],
)
async def test_breaches_are_found(node: Node[Any], message: str) -> None:
    with pytest.raises(ContractBrokenError, match=message):
        await check_examples(node, [Example("next", services=MemoryServices)])


async def test_an_example_that_fires_another_port_is_told() -> None:
    with pytest.raises(ContractBrokenError, match=r"fired 'next' .* not 'hangup'"):
        await check_examples(Base(), [Example("hangup")])
    with pytest.raises(ContractBrokenError, match="examples are needed"):
        await check_examples(Base(), [])


def with_config(**fields: Any) -> Node[Any]:
    annotations = {name: annotation for name, (annotation, _) in fields.items()}
    values = {name: value for name, (_, value) in fields.items()}
    config = type("Config", (NodeConfig,), {"__annotations__": annotations, "__module__": __name__, **values})
    return type("Made", (Base,), {"__doc__": "Made.", "Config": config})()  # type: ignore[no-any-return]


def test_config_fields_need_words_in_both_languages() -> None:
    words: dict[str, Any] = {"title": text("名", "Name"), "help": text("名", "Name")}
    check_definition(with_config(name=(str, field("", **words))))
    with pytest.raises(ContractBrokenError, match=r"field name .*title is needed in zh and en"):
        check_definition(with_config(name=(str, "")))
    with pytest.raises(ContractBrokenError, match="help is needed"):
        check_definition(with_config(name=(str, field("", title=text("名", "Name"), help=Text(zh="", en="Name")))))
    with pytest.raises(ContractBrokenError, match="use Any"):
        check_definition(with_config(name=(str, field("", expression=True, **words))))
    with pytest.raises(ContractBrokenError, match="no widget"):
        check_definition(with_config(name=(str, field("", widget="slider", **words))))  # type: ignore[arg-type]
    with pytest.raises(ContractBrokenError, match="neither `example` nor the defaults"):
        check_definition(with_config(name=(str, field(**words))))


def test_declarations_are_checked() -> None:
    class Twice(Base):
        """Two ports of one name."""

        def ports(self, config: Any) -> Sequence[Port]:
            return [NEXT, NEXT]

    class Engine(Base):
        """It declares what the engine feeds."""

        def ports(self, config: Any) -> Sequence[Port]:
            return [Port(name="error", title=text("错", "Error"))]

    class Odd(Base):
        """An output that no expression can name."""

        def outputs(self, config: Any) -> Sequence[Output]:
            return [Output(name="a b", title=text("甲", "A"))]

    for node, message in ((Twice(), "twice"), (Engine(), "fed by the engine"), (Odd(), "output name")):
        with pytest.raises(ContractBrokenError, match=message):
            check_definition(node)


def test_what_both_languages_show_alike_is_not_in_chinese_alone() -> None:
    words: dict[str, Any] = {"title": text("名", "Name"), "help": text("名", "Name")}
    check_definition(with_config(name=(str, field("", example="留言 Message", **words))))
    with pytest.raises(ContractBrokenError, match=r"field name .*example: '留言' needs English beside it"):
        check_definition(with_config(name=(str, field("", example="留言", **words))))
    with pytest.raises(ContractBrokenError, match="title: '名' needs English"):
        check_definition(with_config(name=(str, field("", title=text("名", "名"), help=text("名", "Name")))))
