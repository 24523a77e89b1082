"""Values as a person says them, in Chinese, English and Korean. Pure functions: text in, words out.

Every function raises `SpeechError` ``bad_value``, naming the value, when it cannot be read as what it should be.
Other languages get the value as written for their locale, which a voice of that language reads itself.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, get_currency_name, get_currency_precision, is_currency
from num2words import num2words

from telephony.errors import SpeechError
from telephony.prompts import ValueKind

LIMIT = Decimal(10) ** 16
"""From here on a number is read digit by digit: nobody can follow it otherwise."""

_FIGURE = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?")
_DECIMALS = Decimal("0.000001")


def base_language(language: str) -> str:
    """``zh`` for ``zh-CN``, ``zh_Hans`` or ``cmn``; lower case."""
    base = language.strip().replace("_", "-").split("-")[0].lower()
    return {"cmn": "zh", "yue": "zh", "kor": "ko", "eng": "en"}.get(base, base)


def _bad(value: object, kind: str, remedy: str) -> SpeechError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return SpeechError("bad_value", f"{shown} cannot be read as {kind}: {remedy}")


def _decimal(value: Any, kind: str) -> Decimal:
    remedy = "give a number such as 1234.5"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise _bad(value, kind, remedy)
    try:
        if isinstance(value, str):
            text = unicodedata.normalize("NFKC", value).strip().replace("−", "-")
            if len(text) > 60 or not text.strip("+-") or not _FIGURE.fullmatch(text):
                raise _bad(value, kind, remedy)
            number_value = Decimal(text.replace(",", ""))
        else:
            number_value = Decimal(str(value))
    except (InvalidOperation, ValueError) as problem:
        raise _bad(value, kind, remedy) from problem
    if not number_value.is_finite() or abs(number_value.adjusted()) > 60:
        raise _bad(value, kind, remedy)
    return number_value or Decimal(0)


# --------------------------------------------------------------------------- whole numbers

_ZH_DIGITS = "零一二三四五六七八九"
_KO_DIGITS = "영일이삼사오육칠팔구"
_KO_DIGITS_APART = "공일이삼사오육칠팔구"
_EN_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _zh_group(number_value: int) -> str:
    """1 to 9999, with 一 before 十 as inside a longer number."""
    words = ""
    gap = False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        figure, number_value = divmod(number_value, size)
        if figure:
            words += ("零" if gap and words else "") + _ZH_DIGITS[figure] + unit
            gap = False
        else:
            gap = True
    return words


def _zh_part(number_value: int) -> str:
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        if number_value >= size:
            high, low = divmod(number_value, size)
            head = "两" if high == 2 else _zh_part(high)
            link = "零" if 0 < low < size // 10 else ""
            return head + unit + link + (_zh_part(low) if low else "")
    return _zh_group(number_value)


def zh_integer(number_value: int) -> str:
    """A whole number in Chinese: 十二, 一百零五, 两千, 三万零二十. Negative ones begin with 负."""
    if number_value < 0:
        return "负" + zh_integer(-number_value)
    if number_value == 0:
        return "零"
    if number_value >= LIMIT:
        return "".join(_ZH_DIGITS[int(figure)] for figure in str(number_value))
    words = _zh_part(number_value)
    if words.startswith("一十"):
        words = words[1:]
    if words.startswith("二千"):
        words = "两" + words[1:]
    return words


def zh_count(number_value: int) -> str:
    """A whole number before a measure word: 两个, but 十二个."""
    return "两" if number_value == 2 else zh_integer(number_value)


def _ko_group(number_value: int) -> str:
    words = ""
    for unit, size in (("천", 1000), ("백", 100), ("십", 10), ("", 1)):
        figure, number_value = divmod(number_value, size)
        if figure:
            words += ("" if figure == 1 and unit else _KO_DIGITS[figure]) + unit
    return words


def ko_integer(number_value: int) -> str:
    """A whole number in Sino-Korean: 십이, 만 이천, 일억."""
    if number_value < 0:
        return "마이너스 " + ko_integer(-number_value)
    if number_value == 0:
        return "영"
    if number_value >= LIMIT:
        return "".join(_KO_DIGITS_APART[int(figure)] for figure in str(number_value))
    parts: list[str] = []
    for unit, size in (("조", 10**12), ("억", 10**8), ("만", 10**4), ("", 1)):
        figure, number_value = divmod(number_value, size)
        if figure:
            parts.append("만" if unit == "만" and figure == 1 and not parts else _ko_group(figure) + unit)
    return " ".join(parts)


_KO_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_KO_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")


def ko_count(number_value: int) -> str:
    """A count in native Korean, as before 개, 명 and 시; Sino-Korean from 100 on and for zero."""
    if not 0 < number_value < 100:
        return ko_integer(number_value)
    tens, ones = divmod(number_value, 10)
    return "스무" if number_value == 20 else _KO_NATIVE_TENS[tens] + _KO_NATIVE_ONES[ones]


def en_integer(number_value: int) -> str:
    """A whole number in English without commas, which a voice would pause at."""
    if abs(number_value) >= LIMIT:
        return ("minus " if number_value < 0 else "") + " ".join(_EN_DIGITS[int(f)] for f in str(abs(number_value)))
    return str(num2words(number_value, lang="en")).replace(",", "")


_INTEGER: dict[str, Callable[[int], str]] = {"zh": zh_integer, "en": en_integer, "ko": ko_integer}
_POINT = {"zh": "点", "en": " point ", "ko": " 점 "}
_MINUS = {"zh": "负", "en": "minus ", "ko": "마이너스 "}


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.strip().replace("-", "_"))
    except (UnknownLocaleError, ValueError) as problem:
        raise SpeechError("no_voice", f"{language!r} is no language tag: use one such as zh, en or ko") from problem


def number(value: Any, language: str) -> str:
    """A number: 1234.5 is 一千二百三十四点五. At most six decimals are said, zeros at the end are not."""
    amount = _decimal(value, "a number")
    if abs(amount) < LIMIT:
        amount = amount.quantize(_DECIMALS, ROUND_HALF_UP)
    return _number(amount, language)


def _number(amount: Decimal, language: str) -> str:
    base = base_language(language)
    if base not in _INTEGER:
        # As many figures as `_decimal` lets through.
        with localcontext(prec=100):
            return str(format_decimal(amount, locale=_locale(language)))
    whole, _, fraction = f"{abs(amount):f}".partition(".")
    fraction = fraction.rstrip("0")
    words = _INTEGER[base](int(whole))
    if fraction:
        words += _POINT[base] + _apart(fraction, base)
    return (_MINUS[base] if amount < 0 and (fraction or int(whole)) else "") + words


def _apart(figures: str, base: str) -> str:
    if base == "en":
        return " ".join(_EN_DIGITS[int(figure)] for figure in figures)
    table = _ZH_DIGITS if base == "zh" else _KO_DIGITS
    return "".join(table[int(figure)] for figure in figures)


# --------------------------------------------------------------------------- money

_ZH_MONEY = {
    "CNY": ("元", ""),
    "USD": ("美元", "美分"),
    "EUR": ("欧元", "欧分"),
    "GBP": ("英镑", "便士"),
    "HKD": ("港元", ""),
    "JPY": ("日元", ""),
    "KRW": ("韩元", ""),
    "TWD": ("新台币", ""),
    "AUD": ("澳元", "澳分"),
    "CAD": ("加元", "加分"),
    "SGD": ("新加坡元", "分"),
}
_KO_MONEY = {
    "KRW": ("원", ""),
    "CNY": ("위안", ""),
    "USD": ("달러", "센트"),
    "EUR": ("유로", "센트"),
    "JPY": ("엔", ""),
    "GBP": ("파운드", "펜스"),
    "HKD": ("홍콩 달러", "센트"),
}
# singular and plural of the whole, then of the hundredth
_EN_MONEY = {
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "SGD": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "JPY": ("yen", "yen", "", ""),
    "KRW": ("won", "won", "", ""),
}


def money(value: Any, currency: str = "CNY", language: str = "zh") -> str:
    """An amount of money, rounded to the currency's smallest unit: 1234.5 CNY is 一千二百三十四元五角."""
    code = currency.strip().upper() if isinstance(currency, str) else ""
    if not re.fullmatch("[A-Z]{3}", code) or not is_currency(code):
        raise SpeechError("bad_value", f"{currency!r} is no currency: use an ISO 4217 code such as CNY or USD")
    places = get_currency_precision(code)
    amount = _decimal(value, "money")
    if abs(amount) >= LIMIT:
        raise _bad(value, "money", "the amount is too large to be said")
    amount = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    base = base_language(language)
    if base not in _INTEGER:
        return str(format_currency(amount, code, locale=_locale(language)))
    minus = _MINUS[base] if amount < 0 else ""
    amount = abs(amount)
    whole = int(amount)
    cents = int((amount - whole) * 100) if places == 2 else 0
    if base == "zh":
        return minus + _zh_money(amount, whole, cents, code)
    if base == "ko":
        return minus + _ko_money(amount, whole, cents, code)
    return minus + _en_money(amount, whole, cents, code)


def _zh_money(amount: Decimal, whole: int, cents: int, code: str) -> str:
    if code == "CNY":
        jiao, fen = divmod(cents, 10)
        words = f"{zh_count(whole)}元" if whole or not cents else ""
        if jiao:
            words += f"{zh_count(jiao) if not words else _ZH_DIGITS[jiao]}角"
        if fen:
            words += ("零" if whole and not jiao else "") + f"{zh_count(fen) if not words else _ZH_DIGITS[fen]}分"
        return words
    major, minor = _ZH_MONEY.get(code) or (str(get_currency_name(code, locale="zh_Hans_CN")), "")
    if not cents or not minor:
        spoken = zh_count(whole) if amount == whole else _number(amount, "zh")
        return spoken + major
    words = f"{zh_count(whole)}{major}" if whole else ""
    return words + f"{zh_count(cents)}{minor}"


def _ko_money(amount: Decimal, whole: int, cents: int, code: str) -> str:
    major, minor = _KO_MONEY.get(code) or (str(get_currency_name(code, locale="ko_KR")), "")
    if not cents or not minor:
        return f"{_number(amount, 'ko')} {major}"
    words = f"{ko_integer(whole)} {major} " if whole else ""
    return words + f"{ko_integer(cents)} {minor}"


def _en_money(amount: Decimal, whole: int, cents: int, code: str) -> str:
    names = _EN_MONEY.get(code)
    if names is None:
        return f"{_number(amount, 'en')} {get_currency_name(code, count=float(amount), locale='en_US')}"
    one, many, cent, cents_name = names
    parts = []
    if whole or not cents:
        parts.append(f"{en_integer(whole)} {one if whole == 1 else many}")
    if cents:
        parts.append(f"{en_integer(cents)} {cent if cents == 1 else cents_name}")
    return " and ".join(parts)


# --------------------------------------------------------------------------- dates and times

_ISO_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.\d+)?)?")
_KO_MONTHS = ("", "일", "이", "삼", "사", "오", "유", "칠", "팔", "구", "시", "십일", "십이")


def _as_datetime(value: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        pass
    # A date and a clock time in any of the accepted spellings, such as 2026/11/22 14:30.
    day, _, clock = value.partition(" ")
    match_day, match_clock = _ISO_DATE.fullmatch(day), _CLOCK.fullmatch(clock.strip())
    if not (match_day and match_clock):
        return None
    try:
        year, month, day_of_month = (int(part) for part in match_day.groups())
        hour, minute, second = (int(part or 0) for part in match_clock.groups())
        # Words carry no zone: the value is read as it stands.
        return dt.datetime(year, month, day_of_month, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def _as_date(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", value).strip()
        match = _ISO_DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
        if match:
            try:
                return dt.date(*(int(part) for part in match.groups()))
            except ValueError:
                pass
        elif (moment := _as_datetime(text)) is not None:
            return moment.date()
    raise _bad(value, "a date", "give one such as 2026-11-22")


def _as_time(value: Any) -> dt.time:
    if isinstance(value, dt.datetime):
        return value.time()
    if isinstance(value, dt.time):
        return value
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", value).strip()
        if match := _CLOCK.fullmatch(text):
            try:
                hour, minute, second = (int(part or 0) for part in match.groups())
                return dt.time(hour, minute, second)
            except ValueError:
                pass
        elif len(text) > 10 and (moment := _as_datetime(text)) is not None:
            return moment.time()
    raise _bad(value, "a time", "give one such as 14:30")


def date(value: Any, language: str) -> str:
    """A date: 2026-11-22 is 二零二六年十一月二十二日, "November twenty-second twenty twenty-six"."""
    day = _as_date(value)
    match base_language(language):
        case "zh":
            return f"{_apart(str(day.year), 'zh')}年{zh_integer(day.month)}月{zh_integer(day.day)}日"
        case "ko":
            return f"{ko_integer(day.year).replace(' ', '')}년 {_KO_MONTHS[day.month]}월 {ko_integer(day.day)}일"
        case "en":
            month = _EN_MONTHS[day.month - 1]
            year = str(num2words(day.year, to="year", lang="en"))
            return f"{month} {num2words(day.day, to='ordinal', lang='en')} {year}"
        case _:
            return str(format_date(day, "long", locale=_locale(language)))


_EN_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def time(value: Any, language: str) -> str:
    """A time of day to the minute (seconds when there are some): 14:30 is 十四点三十分, "two thirty PM"."""
    clock = _as_time(value)
    match base_language(language):
        case "zh":
            hour = zh_count(clock.hour)
            if not clock.minute and not clock.second:
                return f"{hour}点整"
            minute = ("零" if clock.minute < 10 and clock.minute else "") + zh_integer(clock.minute)
            return f"{hour}点{minute}分" + (f"{zh_integer(clock.second)}秒" if clock.second else "")
        case "ko":
            half = "오전" if clock.hour < 12 else "오후"
            words = f"{half} {ko_count(clock.hour % 12 or 12)} 시"
            words += f" {ko_integer(clock.minute)} 분" if clock.minute or clock.second else ""
            return words + (f" {ko_integer(clock.second)} 초" if clock.second else "")
        case "en":
            return _en_time(clock)
        case _:
            return str(format_time(clock, "short", locale=_locale(language)))


def _en_time(clock: dt.time) -> str:
    if (clock.minute, clock.second) == (0, 0) and clock.hour in (0, 12):
        return "twelve noon" if clock.hour else "midnight"
    words = [en_integer(clock.hour % 12 or 12)]
    if clock.minute:
        words.append(("oh " if clock.minute < 10 else "") + en_integer(clock.minute))
    words.append("AM" if clock.hour < 12 else "PM")
    if clock.second:
        words.append(f"and {en_integer(clock.second)} second{'' if clock.second == 1 else 's'}")
    return " ".join(words)


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and _ISO_DATE.fullmatch(unicodedata.normalize("NFKC", value).strip()) is not None


def datetime(value: Any, language: str) -> str:
    """A date with its time of day, as given: whoever owns the value has put it into the caller's zone."""
    if (isinstance(value, dt.date) and not isinstance(value, dt.datetime)) or _is_date(value):
        # Without a time there is none to say.
        return date(value, language)
    if isinstance(value, str):
        moment = _as_datetime(unicodedata.normalize("NFKC", value).strip())
    else:
        moment = value if isinstance(value, dt.datetime) else None
    if moment is None:
        raise _bad(value, "a date and time", "give one such as 2026-11-22 14:30")
    if base_language(language) not in _INTEGER:
        return str(format_datetime(moment, "long", locale=_locale(language)))
    link = {"zh": "", "en": " at ", "ko": " "}[base_language(language)]
    return date(moment, language) + link + time(moment, language)


# --------------------------------------------------------------------------- digits and phone numbers

_SIGNS = {
    "zh": {"+": "加", "*": "星号", "#": "井号", ".": "点"},
    "en": {"+": "plus", "*": "star", "#": "pound", ".": "point"},
    "ko": {"+": "플러스", "*": "별표", "#": "우물정자", ".": "점"},
}
_MAX_DIGITS = 64


def _spell(group: str, base: str, zh_one: str = "一") -> str:
    """One group of digits, letters and signs, each said by itself."""
    words: list[str] = []
    for sign in group:
        if sign.isdigit():
            figure = int(sign)
            match base:
                case "zh":
                    words.append(zh_one if figure == 1 else _ZH_DIGITS[figure])
                case "ko":
                    words.append(_KO_DIGITS_APART[figure])
                case "en":
                    words.append(_EN_DIGITS[figure])
                case _:
                    words.append(sign)
        elif sign in _SIGNS["en"]:
            words.append(_SIGNS.get(base, {}).get(sign, sign))
        else:
            words.append(f" {sign.upper()} " if base in ("zh", "ko") else sign.upper())
    return re.sub(" +", " ", ("" if base in ("zh", "ko") else " ").join(words)).strip()


def _join(groups: list[str], base: str, zh_one: str = "一") -> str:
    return ("，" if base == "zh" else ", ").join(_spell(group, base, zh_one) for group in groups if group)


def _as_signs(value: Any, kind: str) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _bad(value, kind, "give a string of digits")
    return unicodedata.normalize("NFKC", str(value)).strip()


def digits(value: Any, language: str) -> str:
    """Digit by digit, in groups as written, else in fours from eight digits on. Letters are spelt."""
    text = _as_signs(value, "digits")
    if not re.fullmatch(r"[0-9A-Za-z+*#.\-\s()]+", text) or not re.search(r"[0-9A-Za-z*#]", text):
        raise _bad(value, "digits", "only digits, letters and + * # . - are read one by one")
    if len(text) > _MAX_DIGITS:
        raise _bad(value, "digits", f"at most {_MAX_DIGITS} are read one by one")
    groups = [group for group in re.split(r"[\s()\-]+", text) if group]
    if len(groups) == 1 and len(groups[0]) >= 8:
        groups = _fours(groups[0])
    return _join(groups, base_language(language))


def _fours(text: str) -> list[str]:
    groups = [text[at : at + 4] for at in range(0, len(text), 4)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups


def phone(value: Any, language: str) -> str:
    """A phone number in the groups people use: 13800138000 is 幺三八，零零幺三，八零零零."""
    text = _as_signs(value, "a phone number")
    if not re.fullmatch(r"\+?[0-9*#(][0-9*#\-\s()./]*", text) or not 1 <= len(re.sub(r"\D", "", text)) <= 20:
        raise _bad(value, "a phone number", "give one such as +8613800138000 or 010-12345678")
    groups = [group for group in re.split(r"[\s()\-./]+", text) if group]
    if len(groups) == 1:
        groups = _phone_groups(groups[0])
    return _join(groups, base_language(language), "幺")


def _phone_groups(text: str) -> list[str]:
    if text.startswith("+"):
        try:
            parsed = phonenumbers.parse(text)
        except phonenumbers.NumberParseException:
            return ["+" + group if not at else group for at, group in enumerate(_fours(text[1:]))]
        national = text[1 + len(str(parsed.country_code)) :]
        return [f"+{parsed.country_code}", *_phone_groups(national)]
    match len(text):
        case size if size <= 6:
            return [text]
        case 7:
            return [text[:3], text[3:]]
        case 10:
            return [text[:3], text[3:6], text[6:]]
        case 11 if text.startswith("0") and text[1] not in "12":
            return [text[:4], text[4:7], text[7:]]
        case 11:
            return [text[:3], text[3:7], text[7:]]
        case 12 if text.startswith("0"):
            return [text[:4], text[4:8], text[8:]]
        case _:
            return _fours(text)


# --------------------------------------------------------------------------- one door for all kinds


def say(value: Any, kind: ValueKind, language: str, currency: str = "CNY") -> str:
    """The words for a value of `kind`; ``text`` is read as free text."""
    match kind:
        case "number":
            return number(value, language)
        case "money":
            return money(value, currency, language)
        case "date":
            return date(value, language)
        case "time":
            return time(value, language)
        case "datetime":
            return datetime(value, language)
        case "digits":
            return digits(value, language)
        case "phone":
            return phone(value, language)
        case "text":
            return _text(value, language)
        case _:
            raise SpeechError("bad_value", f"{kind!r} is no way to read a value")


def _text(value: Any, language: str) -> str:
    match value:
        case str():
            return value.strip()
        case bool() | None:
            raise _bad(value, "text", "give words or a number")
        case int() | float() | Decimal():
            return number(value, language)
        case dt.datetime():
            return datetime(value, language)
        case dt.date():
            return date(value, language)
        case dt.time():
            return time(value, language)
        case _:
            raise _bad(value, "text", "give words or a number")
