"""Person or machine by lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.speech.amd import Greeting, GreetingLimits, Guess


def greeted(*lengths: int, limits: GreetingLimits | None = None) -> Guess | None:
    """The guess after milliseconds of silence, speech, silence, speech ..."""
    greeting = Greeting(limits)
    for index, length in enumerate(lengths):
        for _ in range(length // 20):
            greeting.feed(index % 2 == 1)
    return greeting.guess


@pytest.mark.parametrize(
    ("lengths", "kind"),
    [
        ((300, 400, 1000), "person"),
        ((1500, 300, 300, 600, 1000), "person"),
        ((300, 3000), "machine"),
        ((300, 800, 300, 800, 300, 800), "machine"),
        ((100, *[120, 140] * 7), "machine"),
        ((5000,), "silence"),
        ((200, 60, 4000), "silence"),
        ((200, *[100, 800] * 12), "unsure"),
    ],
)
def test_by_speech_and_pauses(lengths: tuple[int, ...], kind: str) -> None:
    limits = GreetingLimits(words=99) if kind == "unsure" else None
    found = greeted(*lengths, limits=limits)
    assert found is not None and found.kind == kind, found


def test_undecided_while_a_word_is_spoken() -> None:
    assert greeted(300, 600) is None and greeted(300, 600, 500) is None


@given(st.lists(st.integers(0, 200).map(lambda frames: frames * 20), max_size=40))
def test_the_first_guess_is_final_and_always_comes(lengths: list[int]) -> None:
    greeting = Greeting()
    first: Guess | None = None
    for index, length in enumerate([*lengths, 20_000]):
        for _ in range(length // 20):
            found = greeting.feed(index % 2 == 1)
            assert first is None or found is first
            first = found
    assert first is not None
