"""Free text made ready for a voice: figures, money, dates, times and signs become words.

The text is what an author wrote with values already filled in: ``您的余额是¥1,234.50，2026-11-22 到期``.
A figure that cannot be understood as anything special is read as a number; nothing here ever fails.
"""

import re
import unicodedata
from collections.abc import Callable

from telephony.errors import SpeechError
from telephony.speech import spoken

Reader = Callable[[re.Match[str]], str]

_CURRENCY_SIGNS = {"¥": "CNY", "$": "USD", "€": "EUR", "£": "GBP", "₩": "KRW"}
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
# A figure is one of ours only when no letter, digit or decimal point touches it: A4, 4G, v1.2.3 are names.
_LEFT = r"(?<![0-9A-Za-z.])"
_RIGHT = r"(?![0-9A-Za-z]|\.\d)"

_DATE = re.compile(_LEFT + r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _RIGHT)
_ZH_DATE = re.compile(r"(\d{4})\s*年")
_TIME = re.compile(_LEFT + r"(?:[01]?\d|2[0-4])[:：][0-5]\d(?:[:：][0-5]\d)?(?![0-9:：])")
_SIGN_MONEY = re.compile(rf"(?<![0-9A-Za-z])(-?)([¥$€£₩])\s?({_NUMBER}){_RIGHT}")
_ZH_YUAN = re.compile(rf"{_LEFT}({_NUMBER})\s?(元|块钱|美元|欧元|英镑|港元|日元|韩元)")
_ZH_CURRENCY = {"美元": "USD", "欧元": "EUR", "英镑": "GBP", "港元": "HKD", "日元": "JPY", "韩元": "KRW"}
_PERCENT = re.compile(rf"(?<![0-9A-Za-z.])([-−+]?{_NUMBER})\s?[%％]")
_GROUPED = re.compile(_LEFT + r"\+?\d{2,4}(?:[- ]\d{3,4}){2,5}" + _RIGHT)
_LANDLINE = re.compile(_LEFT + r"\(?0\d{2,3}[)-]\d{7,8}" + _RIGHT)
_MOBILE = re.compile(_LEFT + r"(?:\+?86[- ]?)?1[3-9]\d{9}" + _RIGHT)
_LONG = re.compile(_LEFT + r"\+?\d{7,64}" + _RIGHT)
_MASKED = re.compile(_LEFT + r"(\d{1,12})[*＊xX•]{2,}(\d{0,12})" + _RIGHT)
_STARS = re.compile(r"[*＊•]{2,}|(?<=[\u4e00-\u9fff])(?<![按键入和或至])[*＊](?=[\u4e00-\u9fff])(?!\*?键)")
_LEADING_ZERO = re.compile(_LEFT + r"0\d{1,15}" + _RIGHT)
_ZH_NAMED = re.compile(
    r"(拨打|致电|拨|电话|号码|分机|工号|尾号|[前后末][三四五六]位|验证码|密码|编号|单号|卡号|账号|账户|热线|房间号|坐席)"
    r"((?:为|是|：|:|\s)*)(\d{3,64}(?:[ -]\d{2,6})*)" + _RIGHT
)
_TOKEN = re.compile(r"[0-9A-Za-z.]*[0-9][0-9A-Za-z.]*")
_ZH_SERVICE = re.compile(_LEFT + r"(?:10\d{3}|9[56]\d{3}|12[0-9]{3}|11[0-9]|12[0-2])(?=客服|热线|服务热线|电话)")
_ZH_RANGE = re.compile(r"(?<=[\d点分整日年月元%])\s?[-~～—–至]\s?(?=\d|[零一二两三四五六七八九十])")
_ZH_COUNT = re.compile(
    _LEFT
    + r"(?<!第)2(?=\s?(?:个|位|次|名|条|件|张|份|笔|封|通|台|种|项|句|天|周|年(?!级)|小时|分钟|秒|元|家|人|本|部|倍))"
    # A value that was read as a number before it met its measure word.
    r"|(?<![第周期零一二两三四五六七八九十百千万亿点])二(?=个|位|条|件|张|份|笔|封|通|天|小时|分钟)"
)
_ZH_NUMBER = re.compile(rf"(?<![0-9A-Za-z.])([-−]?)({_NUMBER}){_RIGHT}")
_KO_COUNT = re.compile(_LEFT + r"(\d{1,2})\s?(개|명|시(?!스)|살|번째|마리|잔|권)")
_KO_WON = re.compile(rf"{_LEFT}({_NUMBER})\s?(원|달러|위안|유로)")
_KO_CURRENCY = {"원": "KRW", "달러": "USD", "위안": "CNY", "유로": "EUR"}
_SPACES = re.compile(r"[ \t\u00a0\u3000]+")

_ZH_SIGNS = {"#": "井号", "＃": "井号", "*": "星号", "＊": "星号", "@": " at ", "&": "和", "℃": "摄氏度", "°": "度"}
_ZH_SIGNS |= {"+": "加", "=": "等于", "/": "，", "~": "到", "～": "到"}
_EN_SIGNS = {"#": " pound ", "℃": " degrees Celsius "}
_KO_SIGNS = {"#": " 우물정자 ", "*": " 별표 ", "@": " 골뱅이 ", "℃": " 도 "}


def clean(text: str) -> str:
    """Text without control characters and double spaces, composed, with full-width letters and figures made plain."""
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(
        chr(ord(sign) - 0xFEE0) if "０" <= sign <= "９" or "Ａ" <= sign <= "Ｚ" or "ａ" <= sign <= "ｚ" else sign
        for sign in composed
    )
    plain = plain.replace("￥", "¥").replace("＄", "$").replace("￦", "₩")
    # Control and format characters, private use and lone surrogates mean nothing to a voice; a new line is a pause.
    plain = re.sub(r"\s*[\r\n]+\s*", "\n", plain)
    kept = "".join(sign for sign in plain if sign == "\n" or unicodedata.category(sign)[0] != "C")
    kept = re.sub(r"(?<=[\w\d])\n", "，" if re.search("[\u4e00-\u9fff]", kept) else ", ", kept.strip())
    return _SPACES.sub(" ", kept.replace("\n", " ")).strip()


def speakable(text: str) -> bool:
    """Whether there is anything in the text that a voice can say."""
    return any(unicodedata.category(sign)[0] in "LN" or sign in "#*%@&+=℃¥$€£₩" for sign in text)


def normalise(text: str, language: str) -> str:
    """The words to send to the voice of `language`; the same text gives the same words."""
    text = clean(text)
    match spoken.base_language(language):
        case "zh":
            return _chinese(text)
        case "en":
            return _english(text)
        case "ko":
            return _korean(text)
        case _:
            return text


def _or_as_is(read: Reader) -> Reader:
    """What is no valid date or number stays what it was; a later rule or the voice reads it."""

    def reader(match: re.Match[str]) -> str:
        try:
            return read(match)
        except SpeechError:
            return match[0]

    return reader


def _dates(text: str, language: str) -> str:
    return _DATE.sub(_or_as_is(lambda m: spoken.date(f"{m[1]}-{m[3]}-{m[4]}", language)), text)


def _times(text: str, language: str) -> str:
    # 24:00 closes a day; as a time of day it is midnight, which opening hours must not be read as.
    def read(match: re.Match[str]) -> str:
        if match[0].startswith("24"):
            return {"zh": "二十四点", "ko": "이십사 시"}.get(language, "midnight")
        return spoken.time(match[0], language)

    return _TIME.sub(_or_as_is(read), text)


def _sign_money(text: str, language: str) -> str:
    return _SIGN_MONEY.sub(_or_as_is(lambda m: spoken.money(m[1] + m[3], _CURRENCY_SIGNS[m[2]], language)), text)


def _masked(text: str, language: str) -> str:
    # 138****8000 and 张**: what is hidden is a pause, not a row of stars.
    def read(match: re.Match[str]) -> str:
        return ("，" if language == "zh" else ", ").join(
            spoken.phone(part, language) for part in match.groups() if part
        )

    return _STARS.sub("", _MASKED.sub(_or_as_is(read), text))


def _phones_and_cards(text: str, language: str) -> str:
    text = _LANDLINE.sub(_or_as_is(lambda m: spoken.phone(m[0].strip("("), language)), text)
    text = _MOBILE.sub(_or_as_is(lambda m: spoken.phone(m[0], language)), text)
    text = _GROUPED.sub(_or_as_is(lambda m: _grouped(m[0], language)), text)
    text = _LONG.sub(_or_as_is(lambda m: spoken.digits(m[0], language)), text)
    return _LEADING_ZERO.sub(_or_as_is(lambda m: spoken.digits(m[0], language)), text)


def _grouped(text: str, language: str) -> str:
    # Up to twelve figures in groups are a phone number (400-123-4567), more are a card.
    figures = sum(sign.isdigit() for sign in text)
    return spoken.phone(text, language) if figures <= 12 else spoken.digits(text, language)


def _chinese(text: str) -> str:
    text = _dates(_masked(text, "zh"), "zh")
    text = _ZH_DATE.sub(lambda m: spoken.digits(m[1], "zh") + "年", text)
    text = _times(text, "zh")
    text = _sign_money(text, "zh")
    text = _ZH_YUAN.sub(_or_as_is(_zh_amount), text)
    text = _PERCENT.sub(_or_as_is(_zh_percent), text)
    text = _ZH_NAMED.sub(_or_as_is(_zh_named), text)
    text = _phones_and_cards(text, "zh")
    text = _ZH_SERVICE.sub(_or_as_is(lambda m: spoken.phone(m[0], "zh")), text)
    text = _ZH_RANGE.sub("到", text)
    text = _ZH_COUNT.sub("两", text)
    text = _ZH_NUMBER.sub(_or_as_is(lambda m: spoken.number(m[1].replace("−", "-") + m[2], "zh")), text)
    text = _TOKEN.sub(_zh_leftover, text)
    for sign, words in _ZH_SIGNS.items():
        text = text.replace(sign, words)
    return _SPACES.sub(" ", text).strip()


def _zh_named(match: re.Match[str]) -> str:
    read = spoken.phone if len(match[3]) <= 20 else spoken.digits
    return match[1] + match[2] + read(match[3], "zh")


def _zh_amount(match: re.Match[str]) -> str:
    code = _ZH_CURRENCY.get(match[2], "CNY")
    following = match.string[match.end() : match.end() + 2]
    if match[2] == "块钱" or (code == "CNY" and re.match(r"\d", following)):
        # 3元5角 has its small change written out.
        return spoken.number(match[1], "zh").replace("二", "两", 1 if match[1] == "2" else 0) + match[2]
    return spoken.money(match[1], code, "zh")


def _zh_leftover(match: re.Match[str]) -> str:
    # Addresses (192.168.1.1) and other odd figures one by one; names such as A4 and v1.2 are for the English voice.
    if any(sign.isalpha() for sign in match[0]):
        return match[0]
    parts = [part for part in match[0].split(".") if part]
    dot = "." if match[0].endswith(".") else ""
    return "点".join(spoken.digits(part[:64], "zh") for part in parts) + dot


def _zh_percent(match: re.Match[str]) -> str:
    amount = match[1].replace("−", "-").lstrip("+")
    minus = "负" if amount.startswith("-") else ""
    return f"{minus}百分之{spoken.number(amount.lstrip('-'), 'zh')}"


def _english(text: str) -> str:
    text = _dates(_masked(text, "en"), "en")
    text = _times(text, "en")
    text = _sign_money(text, "en")
    text = _PERCENT.sub(_or_as_is(lambda m: spoken.number(m[1].replace("−", "-"), "en") + " percent"), text)
    text = _phones_and_cards(text, "en")
    text = re.sub(rf"{_LEFT}({_NUMBER}){_RIGHT}", _or_as_is(lambda m: spoken.number(m[1], "en")), text)
    for sign, words in _EN_SIGNS.items():
        text = text.replace(sign, words)
    return _SPACES.sub(" ", text).strip()


def _korean(text: str) -> str:
    text = _dates(_masked(text, "ko"), "ko")
    text = _times(text, "ko")
    text = _sign_money(text, "ko")
    text = _KO_WON.sub(_or_as_is(lambda m: spoken.money(m[1], _KO_CURRENCY[m[2]], "ko")), text)
    text = _PERCENT.sub(_or_as_is(lambda m: spoken.number(m[1].replace("−", "-"), "ko") + " 퍼센트"), text)
    text = _phones_and_cards(text, "ko")
    text = _KO_COUNT.sub(lambda m: ("첫" if m[0] == "1번째" else spoken.ko_count(int(m[1]))) + " " + m[2], text)
    text = re.sub(rf"{_LEFT}({_NUMBER}){_RIGHT}", _or_as_is(lambda m: spoken.number(m[1], "ko")), text)
    for sign, words in _KO_SIGNS.items():
        text = text.replace(sign, words)
    return _SPACES.sub(" ", text).strip()
