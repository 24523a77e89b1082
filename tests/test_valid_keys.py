"""Valid keys lead where they should (PF1); the long count is part of `make bench`."""

from bench import keys
from bench.keys import Counts, simulated


def test_a_thousand_valid_keys_make_no_wrong_choice_and_no_wrong_prompt() -> None:
    counts = simulated(1_000, seed=7)
    assert counts.keys == 1_000 and counts.calls == 2
    assert counts.faults == 0, counts


def test_a_key_that_goes_elsewhere_is_counted() -> None:
    counts = Counts()
    keys._judge(counts, ["5"], [("0", "6", []), ("6", "hangup", ["This is the menu of key 6, please choose"])], None)
    assert counts.wrong_choices == 1 and counts.wrong_prompts == 0


def test_the_words_of_another_menu_are_counted() -> None:
    counts = Counts()
    keys._judge(counts, [], [("0", "hangup", ["This is the menu of key 6, please choose"])], None)
    assert counts.wrong_prompts == 1 and counts.wrong_choices == 0


def test_a_key_that_is_lost_is_counted() -> None:
    counts = Counts()
    keys._judge(counts, ["5", "6"], [("0", "5", []), ("5", "hangup", [])], None)
    assert counts.wrong_choices == 1
