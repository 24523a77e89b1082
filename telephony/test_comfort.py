"""The timing of the silence guard, proven over random histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.comfort import GuardTimes, SilenceGuard

histories = st.lists(st.tuples(st.sampled_from(["begin", "end", "answer"]), st.floats(0.01, 40)), max_size=40)


@given(histories)
def test_comfort_follows_silence_and_nothing_else(history: list[tuple[str, float]]) -> None:
    guard = SilenceGuard(times=GuardTimes(comfort=1.6, apology=30))
    now, busy, idle_since, apologies, comforting = 0.0, 0, 0.0, 0, False
    for what, wait in history:
        end = now + wait
        while (due := guard.due()) is not None and due <= end:
            now = max(now, due)
            action = guard.act(now)
            assert busy == 0, "the guard acted while a command ran"
            if action == "comfort":
                assert guard.up and not comforting and now >= idle_since + 1.6
                comforting = True
            else:
                assert action == "apologise" and now >= idle_since + 30
                apologies += 1
            assert guard.act(now) is None or guard.due() is None or guard.due() != due
            comforting = guard.comforting
        now = end
        if guard.up and busy == 0 and now > idle_since + 1.6:
            assert comforting, "an answered caller sits in silence"
        match what:
            case "begin":
                assert guard.begins(now) == comforting
                busy, comforting = busy + 1, False
            case "end" if busy:
                guard.ends(now)
                busy -= 1
                idle_since = now if busy == 0 else idle_since
            case "answer":
                guard.up = True
            case _:
                pass
        assert not (busy and guard.comforting)
    assert apologies <= 1


def test_nothing_is_due_after_the_end() -> None:
    guard = SilenceGuard(up=True)
    assert guard.due() == pytest.approx(1.4)
    guard.over = True
    assert guard.due() is None and guard.act(100) is None


def test_an_end_without_a_beginning_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="never began"):
        SilenceGuard().ends(1)


def test_an_unanswered_caller_hears_ringing_so_only_the_apology_is_due() -> None:
    guard = SilenceGuard()
    assert guard.due() == 30
    assert guard.act(29) is None
    assert guard.act(30) == "apologise"
    assert guard.due() is None
