import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import SpeechError
from telephony.prompts import ValueKind
from telephony.speech import spoken

DIGITS = {sign: figure for figure, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000}


def parse_zh(words: str) -> int:
    """An independent reader of Chinese numbers: largest unit splits, the rest is added."""
    if words.startswith("负"):
        return -parse_zh(words[1:])
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        if unit in words:
            head, _, tail = words.rpartition(unit) if unit == "亿" else words.partition(unit)
            return parse_zh(head) * size + (parse_zh(tail) if tail else 0)
    total = pending = 0
    for sign in words:
        if sign in UNITS:
            total += (pending or 1) * UNITS[sign]
            pending = 0
        else:
            pending = DIGITS[sign]
    return total + pending


KO_DIGITS = {sign: figure for figure, sign in enumerate("영일이삼사오육칠팔구")}


def parse_ko(words: str) -> int:
    total = group = pending = 0
    for sign in words.replace(" ", ""):
        if sign in KO_DIGITS:
            pending = KO_DIGITS[sign]
        elif sign in "십백천":
            group += (pending or 1) * {"십": 10, "백": 100, "천": 1000}[sign]
            pending = 0
        else:
            total += ((group + pending) or 1) * {"만": 10**4, "억": 10**8, "조": 10**12}[sign]
            group = pending = 0
    return total + group + pending


whole_numbers = st.one_of(
    st.integers(0, 10**12),
    st.builds(lambda figure, zeros: figure * 10**zeros, st.integers(0, 9999), st.integers(0, 8)),
    st.builds(lambda a, b: a * 10**8 + b, st.integers(0, 10**4), st.integers(0, 10**4)),
)


@given(whole_numbers)
def test_a_chinese_number_says_itself(value: int) -> None:
    words = spoken.zh_integer(value)
    assert parse_zh(words) == value
    assert "零零" not in words
    assert value == 0 or not words.endswith("零")


@given(whole_numbers)
def test_a_korean_number_says_itself(value: int) -> None:
    assert parse_ko(spoken.ko_integer(value)) == value


@given(st.integers(-(10**12), 10**12))
def test_a_negative_number_is_its_positive_with_a_sign(value: int) -> None:
    assert parse_zh(spoken.number(value, "zh")) == value
    assert spoken.number(-abs(value) or 0, "en").removeprefix("minus ") == spoken.number(abs(value), "en")


@given(st.decimals(Decimal("0.000001"), 10**9, places=6))
def test_decimals_are_read_digit_by_digit(value: Decimal) -> None:
    whole, _, fraction = spoken.number(value, "zh").partition("点")
    figures = "".join(str(DIGITS[sign]) for sign in fraction)
    assert Decimal(f"{parse_zh(whole)}.{figures or 0}") == value


@given(st.decimals(0, 10**10, places=2))
def test_money_in_yuan_adds_up(value: Decimal) -> None:
    match = re.fullmatch(r"(?:(.+)元)?零?(?:(.)角)?零?(?:(.)分)?", spoken.money(value, "CNY", "zh"))
    assert match is not None
    yuan, jiao, fen = match.groups()
    total = parse_zh(yuan or "零") + Decimal(DIGITS[jiao or "零"]) / 10 + Decimal(DIGITS[fen or "零"]) / 100
    assert total == value


@pytest.mark.parametrize(
    ("value", "zh", "en", "ko"),
    [
        (0, "零", "zero", "영"),
        (2, "二", "two", "이"),
        (10, "十", "ten", "십"),
        (16, "十六", "sixteen", "십육"),
        (110, "一百一十", "one hundred and ten", "백십"),
        (2000, "两千", "two thousand", "이천"),
        (10010, "一万零一十", "ten thousand and ten", "만 십"),
        (200500, "二十万零五百", "two hundred thousand five hundred", "이십만 오백"),
        (10**8, "一亿", "one hundred million", "일억"),
        (10**12 + 10**4, "一万亿零一万", "one trillion ten thousand", "일조 일만"),
        (-3.5, "负三点五", "minus three point five", "마이너스 삼 점 오"),
        ("1,234.50", "一千二百三十四点五", "one thousand two hundred and thirty-four point five", "천이백삼십사 점 오"),
        ("１２", "十二", "twelve", "십이"),
        (0.1 + 0.2, "零点三", "zero point three", "영 점 삼"),
        (-0.0, "零", "zero", "영"),
        (Decimal("1E+3"), "一千", "one thousand", "천"),
    ],
)
def test_numbers(value: Any, zh: str, en: str, ko: str) -> None:
    assert [spoken.number(value, language) for language in ("zh", "en", "ko")] == [zh, en, ko]


def test_a_number_beyond_reading_is_said_digit_by_digit() -> None:
    assert spoken.number(10**16 + 7, "zh") == "一零零零零零零零零零零零零零零零七"


@pytest.mark.parametrize(
    ("value", "currency", "zh", "en", "ko"),
    [
        (1234.5, "CNY", "一千二百三十四元五角", "one thousand two hundred and thirty-four yuan and fifty fen", None),
        (2, "CNY", "两元", "two yuan", "이 위안"),
        (12, "CNY", "十二元", "twelve yuan", "십이 위안"),
        (1.05, "CNY", "一元零五分", "one yuan and five fen", "일 점 영오 위안"),
        (0.2, "CNY", "两角", "twenty fen", "영 점 이 위안"),
        (2.22, "CNY", "两元二角二分", "two yuan and twenty-two fen", "이 점 이이 위안"),
        (0, "CNY", "零元", "zero yuan", "영 위안"),
        (-5, "CNY", "负五元", "minus five yuan", "마이너스 오 위안"),
        (0.005, "CNY", "一分", "one fen", "영 점 영일 위안"),
        (1.5, "USD", "一美元五十美分", "one dollar and fifty cents", "일 달러 오십 센트"),
        (2.01, "EUR", "两欧元一欧分", "two euros and one cent", "이 유로 일 센트"),
        (50000, "KRW", "五万韩元", "fifty thousand won", "오만 원"),
        (99.6, "JPY", "一百日元", "one hundred yen", "백 엔"),
        (3.5, "THB", "三点五泰铢", "three point five Thai baht", "삼 점 오 태국 바트"),
    ],
)
def test_money(value: Any, currency: str, zh: str, en: str, ko: str | None) -> None:
    assert spoken.money(value, currency, "zh-CN") == zh
    assert spoken.money(value, currency, "en-GB") == en
    if ko:
        assert spoken.money(value, currency, "ko") == ko


@pytest.mark.parametrize("value", ["2026-11-22", "2026/11/22", "20261122", dt.date(2026, 11, 22), "2026年11月22日"])
def test_dates(value: Any) -> None:
    assert spoken.date(value, "zh") == "二零二六年十一月二十二日"
    assert spoken.date(value, "en") == "November twenty-second twenty twenty-six"
    assert spoken.date(value, "ko") == "이천이십육년 십일월 이십이일"


def test_dates_of_a_moment_and_the_odd_korean_months() -> None:
    assert spoken.date("2026-06-01T23:59:00+08:00", "ko") == "이천이십육년 유월 일일"
    assert spoken.date(dt.datetime(2026, 10, 2, tzinfo=dt.UTC), "ko") == "이천이십육년 시월 이일"


@pytest.mark.parametrize(
    ("value", "zh", "en", "ko"),
    [
        ("14:30", "十四点三十分", "two thirty PM", "오후 두 시 삼십 분"),
        ("02:05", "两点零五分", "two oh five AM", "오전 두 시 오 분"),
        ("9:00", "九点整", "nine AM", "오전 아홉 시"),
        ("00:00", "零点整", "midnight", "오전 열두 시"),
        (dt.time(12, 0), "十二点整", "twelve noon", "오후 열두 시"),
        ("23:59:01", "二十三点五十九分一秒", "eleven fifty-nine PM and one second", "오후 열한 시 오십구 분 일 초"),
    ],
)
def test_times(value: Any, zh: str, en: str, ko: str) -> None:
    assert [spoken.time(value, language) for language in ("zh", "en", "ko")] == [zh, en, ko]


def test_a_date_with_its_time() -> None:
    assert spoken.datetime("2026-11-22", "zh") == spoken.date("2026-11-22", "zh")
    assert spoken.datetime("2026-11-22 14:30", "zh") == "二零二六年十一月二十二日十四点三十分"
    assert spoken.datetime("2026-11-22T09:00:00Z", "en") == "November twenty-second twenty twenty-six at nine AM"


@pytest.mark.parametrize(
    ("value", "zh", "en", "ko"),
    [
        ("102", "一零二", "one zero two", "일공이"),
        (4096, "四零九六", "four zero nine six", "사공구육"),
        ("6222021100012345", "六二二二，零二一一，零零零一，二三四五", None, None),
        ("A12", "A 一二", "A one two", "A 일이"),
        ("12-34", "一二，三四", "one two, three four", "일이, 삼사"),
        ("*9#", "星号九井号", "star nine pound", "별표구우물정자"),
    ],
)
def test_digits(value: Any, zh: str, en: str | None, ko: str | None) -> None:
    assert spoken.digits(value, "zh") == zh
    assert en is None or spoken.digits(value, "en") == en
    assert ko is None or spoken.digits(value, "ko") == ko


@given(st.text("0123456789", min_size=1, max_size=40))
def test_every_digit_is_said_once_and_in_order(figures: str) -> None:
    for kind in (spoken.digits, spoken.phone) if len(figures) <= 20 else (spoken.digits,):
        words = kind(figures, "zh").replace("，", "").replace("幺", "一")
        assert "".join(str(DIGITS[sign]) for sign in words) == figures


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("13800138000", "幺三八，零零幺三，八零零零"),
        ("+8613800138000", "加八六，幺三八，零零幺三，八零零零"),
        ("010-12345678", "零幺零，幺二三四五六七八"),
        ("075512345678", "零七五五，幺二三四，五六七八"),
        ("95588", "九五五八八"),
        (8001, "八零零幺"),
        ("(010) 6655 4433", "零幺零，六六五五，四四三三"),
    ],
)
def test_phone_numbers(value: Any, words: str) -> None:
    assert spoken.phone(value, "zh") == words


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (value, kind)
        for kind in ("number", "money", "date", "time", "datetime", "digits", "phone", "text")
        for value in (None, True, object(), [], b"12")
    ]
    + [(value, kind) for kind in ("number", "money") for value in ("", "abc", "1,23", "-", "1.2.3", "NaN", "1e5")]
    + [(value, kind) for kind in ("number", "money") for value in (float("inf"), float("nan"), Decimal("1E+100"))]
    + [(value, "date") for value in ("2026-02-30", "2026-13-01", "22.11", "tomorrow", "", 20261122)]
    + [(value, "time") for value in ("25:00", "12:60", "noon", "", "2026-11-22", 1430)]
    + [("2026-11-31", "datetime"), ("一二", "digits"), ("", "digits"), ("-", "digits"), ("1" * 65, "digits")]
    + [("anonymous", "phone"), ("", "phone"), ("+", "phone"), ("1" * 21, "phone"), (10**17, "money")],
)
def test_what_cannot_be_read_is_named(value: Any, kind: ValueKind) -> None:
    for language in ("zh", "en", "ko", "fr"):
        with pytest.raises(SpeechError) as caught:
            spoken.say(value, kind, language)
        assert caught.value.reason == "bad_value"
        assert repr(value)[:50] in str(caught.value)


def test_unknown_currencies_and_languages_are_named() -> None:
    with pytest.raises(SpeechError, match=r"'XYZ'.*ISO 4217"):
        spoken.money(1, "XYZ", "zh")
    with pytest.raises(SpeechError, match="'q!'"):
        spoken.number(1, "q!")


@given(
    st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.decimals(), st.datetimes(), st.dates(), st.times()),
    st.sampled_from(["text", "number", "money", "date", "time", "datetime", "digits", "phone"]),
    st.sampled_from(["zh", "en", "ko", "fr"]),
)
def test_any_value_gives_words_or_a_speech_error(value: Any, kind: ValueKind, language: str) -> None:
    try:
        words = spoken.say(value, kind, language)
    except SpeechError as problem:
        words = problem.reason
    assert isinstance(words, str)


def test_other_languages_get_their_own_spelling() -> None:
    assert spoken.number(10**25, "fr").replace("\u202f", "") == "1" + "0" * 25
    assert spoken.money(12.5, "EUR", "de") == "12,50\xa0€"
    assert spoken.date("2026-11-22", "fr-FR") == "22 novembre 2026"
