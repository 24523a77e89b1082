import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.speech.scripts import LEXICON, pinyin, runs


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("银行", "yin2 hang2"),
        ("重新输入", "chong2 xin1 shu1 ru4"),
        ("还款", "huan2 kuan3"),
        ("还有两笔未还", "hai2 you3 liang3 bi3 wei4 huan2"),
        ("数字键", "shu4 zi4 jian4"),
        ("您的余额为一百元", "nin2 de5 yu2 e2 wei2 yi4 bai3 yuan2"),
        ("为您服务", "wei4 nin2 fu2 wu4"),
        ("利率", "li4 lv4"),
        ("女士，您好。", "nv3 shi4, nin2 hao3."),
        ("幺三八", "yao1 san1 ba1"),
        ("按3", "an4 san1"),
    ],
)
def test_readings_of_call_centre_words(text: str, reading: str) -> None:
    assert pinyin(text) == reading


@pytest.mark.parametrize("phrase", [phrase for phrase in LEXICON if len(phrase) > 1])
def test_every_word_of_the_lexicon_is_read_as_it_says(phrase: str) -> None:
    assert pinyin(phrase) == LEXICON[phrase]


@given(st.text("一二三银行重新还款，。…【】()!?¥\x01😀ⅷ12ab", max_size=30))
def test_pinyin_is_only_syllables_and_pauses(text: str) -> None:
    # Nothing but syllables reaches the voice: a bare figure would be a tone, a bracket an instruction.
    assert set(pinyin(text)) <= set("abcdefghijklmnopqrstuvwxyzüABCDEFGHIJKLMNOPQRSTUVWXYZ12345,.!?;: ")


def test_a_text_is_split_by_script() -> None:
    found = [(run.script, run.text) for run in runs("请访问Callweave官网，下载App 2.0版", "han")]
    assert found == [
        ("han", "请访问"),
        ("latin", "Callweave"),
        ("han", "官网，下载"),
        ("latin", "App "),
        ("han", "2.0版"),
    ]


def test_names_with_figures_stay_whole() -> None:
    assert [run.text for run in runs("用4G和WiFi6上网", "han")] == ["用", "4G", "和", "WiFi6", "上网"]


def test_a_chinese_name_in_english() -> None:
    assert [run.script for run in runs("Hello 张伟, three messages", "latin")] == ["latin", "han", "latin"]


@given(st.text(max_size=60), st.sampled_from(["han", "latin", "hangul"]))
def test_no_letter_is_lost(text: str, base: str) -> None:
    joined = "".join(run.text for run in runs(text, base))  # type: ignore[arg-type]
    assert [sign for sign in joined if sign.isalpha()] == [sign for sign in text if sign.isalpha()]
