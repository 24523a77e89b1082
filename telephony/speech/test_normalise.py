import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.speech.normalise import clean, normalise, speakable


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("您的余额是¥1,234.50，2026-11-22到期", "您的余额是一千二百三十四元五角，二零二六年十一月二十二日到期"),
        ("余额￥0.5", "余额五角"),
        ("营业时间9:00-18:00，周六到24:00", "营业时间九点整到十八点整，周六到二十四点"),
        ("咨询请按1，转人工请按0，结束请按#键", "咨询请按一，转人工请按零，结束请按井号键"),
        ("您有2个包裹，第2个在3-5天内送达，共12件", "您有两个包裹，第二个在三到五天内送达，共十二件"),
        ("您有二个包裹", "您有两个包裹"),
        ("十二个，第二个", "十二个，第二个"),
        ("请致电95588或400-123-4567", "请致电九五五八八或四零零，幺二三，四五六七"),
        ("座机010-12345678", "座机零幺零，幺二三四五六七八"),
        ("手机13800138000", "手机幺三八，零零幺三，八零零零"),
        ("尾号为1234的卡", "尾号为幺二三四的卡"),
        ("卡6222021100012345", "卡六二二二，零二一一，零零零一，二三四五"),
        ("利率3.85%，涨幅-2%", "利率百分之三点八五，涨幅负百分之二"),
        ("3元5角，12.5元，2元，100美元", "三元五角，十二元五角，两元，一百美元"),
        ("2026年11月22日14:30", "二零二六年十一月二十二日十四点三十分"),
        ("订单20261122001", "订单二零二六，一一二二，零零一"),
        ("共1,234,567人", "共一百二十三万四千五百六十七人"),
        ("123456步", "十二万三千四百五十六步"),
        ("房间0012", "房间零零一二"),
        ("A4纸和4G网络", "A4纸和4G网络"),
        ("地址192.168.1.1", "地址一九二点一六八点一点一"),
        ("１２月", "十二月"),
        ("2026-13-45", "二零二六年十三月"),
        ("手机138****8000", "手机幺三八，八零零零"),
        ("尊敬的张**先生", "尊敬的张先生"),
        ("请按*键或*", "请按星号键或星号"),
        ("室外-5℃", "室外负五摄氏度"),
    ],
)
def test_chinese(text: str, words: str) -> None:
    if text == "2026-13-45":  # no such date: read as figures, never an error
        assert not any(sign.isdigit() for sign in normalise(text, "zh"))
    else:
        assert normalise(text, "zh-CN") == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "You owe $1,234.50 by 2026-11-22 at 14:30.",
            "You owe one thousand two hundred and thirty-four dollars and fifty cents "
            "by November twenty-second twenty twenty-six at two thirty PM.",
        ),
        ("Press 1, or # to end", "Press one, or pound to end"),
        ("Card 6222021100012345", "Card six two two two, zero two one one, zero zero zero one, two three four five"),
        ("Save 5% on A4 paper", "Save five percent on A4 paper"),
        ("Card 6222****1234", "Card six two two two, one two three four"),
        ("Room 007", "Room zero zero seven"),
    ],
)
def test_english(text: str, words: str) -> None:
    assert normalise(text, "en") == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("잔액은 1,234원입니다", "잔액은 천이백삼십사 원입니다"),
        ("1번을 누르세요", "일번을 누르세요"),
        ("3개, 20명, 12시", "세 개, 스무 명, 열두 시"),
        ("010-1234-5678", "공일공, 일이삼사, 오육칠팔"),
        ("2026-11-22 14:30", "이천이십육년 십일월 이십이일 오후 두 시 삼십 분"),
        ("5%", "오 퍼센트"),
    ],
)
def test_korean(text: str, words: str) -> None:
    assert normalise(text, "ko") == words


@given(st.text(max_size=80), st.sampled_from(["zh", "en", "ko", "fr"]))
@settings(max_examples=300)
def test_nothing_breaks_it_and_the_same_text_gives_the_same_words(text: str, language: str) -> None:
    words = normalise(text, language)
    assert words == normalise(text, language)
    assert "\x00" not in words
    assert "\n" not in words


@given(st.text("0123456789,.-:%¥$元年月日 个第按#*()+/~", max_size=40))
@settings(max_examples=300)
def test_no_figure_is_left_in_chinese(text: str) -> None:
    assert not any(sign in "123456789" for sign in normalise(text, "zh"))


def test_control_characters_and_lines_become_pauses() -> None:
    assert clean("Hello\x00\x07 there\n\nfriend\u200b") == "Hello there, friend"
    assert clean("您好\n请按一") == "您好，请按一"
    assert clean("\ud800x") == "x"


def test_speakable() -> None:
    assert speakable("喂") and speakable("7") and speakable("#")
    assert not speakable("……。 - !") and not speakable("")
