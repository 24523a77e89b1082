"""What nodes that talk with a caller share: saying, asking for keys, the flow's shortcut keys."""

from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from nodes.sdk.context import Context
from nodes.sdk.node import ConfigT, Node
from nodes.sdk.outcome import NodeError, Outcome
from nodes.sdk.prompt import Prompt
from telephony.call import Call, Spoken
from telephony.errors import HungUp, TelephonyError
from telephony.prompts import Item

__all__ = ["ALL_KEYS", "DIGITS", "Line", "ShortcutPressed", "VoiceNode"]

DIGITS = frozenset("0123456789")
ALL_KEYS = DIGITS | frozenset("*#")


class ShortcutPressed(Exception):  # noqa: N818 - an event, not a mistake
    """The caller pressed one of the flow's shortcut keys. `VoiceNode.run` turns it into the outcome."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Line:
    """The caller, as a voice node talks with them. Words that were played are added to ``ctx.said``."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    @property
    def call(self) -> Call:
        return self.ctx.call

    def items(self, *pieces: Prompt | Item) -> list[Item]:
        """Prompts and items in one sequence, in the caller's language."""
        items: list[Item] = []
        for piece in pieces:
            items.extend(piece.items(self.ctx.language) if isinstance(piece, Prompt) else [piece])
        return items

    async def say(
        self,
        *pieces: Prompt | Item,
        keys: frozenset[str] = frozenset(),
        own: frozenset[str] = frozenset(),
        keep_key: bool = False,
    ) -> str | None:
        """Play to the end, or until one of `keys` or a shortcut is pressed; returns one of `keys`.

        Keys in `own` are the node's even when the flow uses them as shortcuts. With `keep_key` the key stays for
        the next wait, but a shortcut acts at once.
        """
        items = self.items(*pieces)
        if not items:
            return None
        shortcuts = self.ctx.shortcuts - own
        said = await self.call.say(
            items, barge_in=keys | shortcuts, language=self.ctx.language or None, keep_key=keep_key
        )
        self.ctx.said.extend(said.texts)
        if said.digit is not None and said.digit in shortcuts:
            if keep_key:
                await self.key(timeout=0.5, shortcuts=False)
            raise ShortcutPressed(said.digit)
        return said.digit

    async def key(
        self,
        *pieces: Prompt | Item,
        timeout: float,
        interruptible: bool = True,
        own: frozenset[str] = frozenset(),
        shortcuts: bool = True,
    ) -> str | None:
        """Play, then wait for one key; None when none comes in `timeout` seconds after the words.

        Keys in `own` are the node's even when the flow uses them as shortcuts.
        """
        items: Sequence[Item] = self.items(*pieces)
        if not interruptible:
            await self.say(*items, own=own)
            items = ()
        keys = await self.call.collect(
            items,
            maximum=1,
            first_timeout=timeout,
            digit_timeout=timeout,
            terminators="",
            barge_in=True,
            language=self.ctx.language or None,
        )
        self.ctx.said.extend(keys.texts)
        key = keys.digits or None
        if key is not None and shortcuts and key in self.ctx.shortcuts - own:
            raise ShortcutPressed(key)
        return key

    async def answer(
        self,
        *pieces: Prompt | Item,
        phrases: Sequence[str] = (),
        timeout: float,
        pause: float = 0.8,
        longest: float = 15.0,
        interruptible: bool = True,
        own: frozenset[str] = frozenset(),
        keys: frozenset[str] = ALL_KEYS,
    ) -> Spoken:
        """Play, then listen for words or one of `keys`; see `telephony.call.Call.listen`.

        Keys in `own` are the node's even when the flow uses them as shortcuts.
        """
        items: Sequence[Item] = self.items(*pieces)
        shortcuts = self.ctx.shortcuts - own
        if not interruptible:
            await self.say(*items, own=own)
            items = ()
        said = await self.call.listen(
            items,
            phrases=phrases,
            keys=keys | shortcuts,
            first_timeout=timeout,
            pause=pause,
            max_seconds=longest,
            barge_in=interruptible,
            language=self.ctx.language or None,
        )
        self.ctx.said.extend(said.texts)
        if said.digit is not None and said.digit in shortcuts:
            raise ShortcutPressed(said.digit)
        return said

    def words_of(self, words: Mapping[str, Sequence[str]]) -> list[str]:
        """What a node expects in the caller's language; empty when it expects nothing or nothing can be understood."""
        language = self.ctx.language or self.call.language
        found = [*words.get(language, []), *words.get(language.partition("-")[0], [])]
        return list(dict.fromkeys(found)) if self.call.understands(language) else []

    async def number(
        self,
        *pieces: Prompt | Item,
        minimum: int,
        maximum: int,
        first_timeout: float,
        digit_timeout: float,
        terminator: str = "#",
        interruptible: bool = True,
        keep_partial: str | None = None,
    ) -> tuple[str, bool]:
        """Play, then collect digits. Returns them and whether the caller finished (full, or by the terminator).

        A shortcut that is a digit counts as one only when it is the whole entry and shorter than `minimum`;
        one that is no digit acts at once. `keep_partial` names the output that holds the digits on a hang-up.
        """
        items: Sequence[Item] = self.items(*pieces)
        if not interruptible:
            await self.say(*items, own=DIGITS | frozenset(terminator))
            items = ()
        at_once = self.ctx.shortcuts - DIGITS - frozenset(terminator)
        try:
            keys = await self.call.collect(
                items,
                maximum=maximum,
                first_timeout=first_timeout,
                digit_timeout=digit_timeout,
                terminators=terminator + "".join(sorted(at_once)),
                barge_in=True,
                keys=DIGITS,
                language=self.ctx.language or None,
            )
        except HungUp as gone:
            if keep_partial is not None and gone.digits:
                self.ctx.partial[keep_partial] = gone.digits
            raise
        self.ctx.said.extend(keys.texts)
        if keys.terminator is not None and keys.terminator in at_once:
            raise ShortcutPressed(keys.terminator)
        if keys.digits in self.ctx.shortcuts and len(keys.digits) < minimum:
            raise ShortcutPressed(keys.digits)
        return keys.digits, keys.ended_by != "timeout"

    @asynccontextmanager
    async def unrecorded(self) -> AsyncIterator[None]:
        """Keep what happens inside out of the recording of the whole call."""
        await self.call.pause_recording(True)
        try:
            yield
        except BaseException:
            # Whatever ended it counts, not that the call may be too far gone to go on recording.
            with suppress(TelephonyError):
                await self.call.pause_recording(False)
            raise
        await self.call.pause_recording(False)


class VoiceNode(Node[ConfigT]):
    """Base of ON_CALL nodes: override `talk`; shortcuts, words heard and telephony errors are looked after here."""

    async def talk(self, line: Line, config: ConfigT) -> Outcome:
        """Talk with the caller. `HungUp` must pass."""
        raise NotImplementedError(f"{self.meta.type} has no talk()")

    async def run(self, ctx: Context, config: ConfigT) -> Outcome:
        return await self.guarded(ctx, self.talk(Line(ctx), config))

    async def guarded(self, ctx: Context, talking: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Await a conversation and turn its ways out into an outcome."""
        try:
            outcome = await talking
        except ShortcutPressed as pressed:
            outcome = Outcome.shortcut(pressed.key, **ctx.partial)
        except HungUp:
            raise
        except TelephonyError as error:
            raise NodeError(error.reason, str(error)) from error
        return outcome.model_copy(update={"said": list(ctx.said)})
