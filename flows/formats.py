"""Written forms of values per language, plain enough to be read aloud by a voice and shown in a message."""

from datetime import date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, get_currency_name

_ZH_MONEY = {"CNY": "元", "USD": "美元", "EUR": "欧元", "HKD": "港元", "JPY": "日元", "GBP": "英镑", "KRW": "韩元"}
_MAX_DECIMALS = 6


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The locale of a language tag; English for one that is not known."""
    try:
        return Locale.parse(language.replace("-", "_") or "en")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def as_number(value: Any) -> int | float:
    """A number from a number or its text. Raises ValueError."""
    if isinstance(value, bool) or value is None:
        raise ValueError("not a number")
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= 40:
        text = value.strip().replace(",", "").replace("_", "x")
        try:
            return int(text)
        except ValueError:
            number = float(text)
            if number != number or number in (float("inf"), float("-inf")):
                raise ValueError("not a number") from None
            return number
    raise ValueError("not a number")


def as_datetime(value: Any, zone: tzinfo) -> datetime:
    """An aware time in `zone` from a datetime or its ISO text. Raises ValueError."""
    if isinstance(value, str) and len(value) <= 40:
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)
    if isinstance(value, date):
        return datetime.combine(value, time(), zone)
    raise ValueError("not a date")


def rounded(value: Any, digits: int = 0) -> int | float:
    """Rounded half away from zero, as people do; an int when no decimals are asked for."""
    number = Decimal(str(as_number(value)))
    exact = number.quantize(Decimal(1).scaleb(-max(0, min(digits, _MAX_DECIMALS))), rounding=ROUND_HALF_UP)
    return int(exact) if digits <= 0 else float(exact)


def _plain(number: int | float, decimals: int) -> str:
    text = f"{rounded(number, decimals):.{decimals}f}" if decimals else str(rounded(number))
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: Any, language: str, decimals: int | None = None) -> str:
    """``1,234.5`` in English, ``1234.5`` in Chinese, where a voice reads the comma as a pause."""
    amount = as_number(value)
    places = 3 if decimals is None else max(0, min(decimals, _MAX_DECIMALS))
    if language.startswith("zh"):
        return _plain(amount, places) if decimals is None else f"{rounded(amount, places):.{places}f}"
    fraction = "#" * places if decimals is None else "0" * places
    return _spaced(
        format_decimal(amount, format=f"#,##0.{fraction}" if places else "#,##0", locale=locale_of(language))
    )


def money(value: Any, language: str, currency: str = "CNY") -> str:
    """``1234.5元``, ``1,234.50 US dollars``: an amount with the currency's name."""
    amount = rounded(value, 2)
    if language.startswith("zh"):
        name = _ZH_MONEY.get(currency) or get_currency_name(currency, locale=locale_of(language))
        return f"{_plain(amount, 2)}{name}"
    whole = float(amount).is_integer()
    written = format_decimal(amount, format="#,##0" if whole else "#,##0.00", locale=locale_of(language))
    return _spaced(f"{written} {get_currency_name(currency, count=amount, locale=locale_of(language))}")


def date_text(value: Any, language: str, zone: tzinfo) -> str:
    """``2026年11月22日``, ``November 22, 2026``."""
    return _spaced(format_date(as_datetime(value, zone).date(), format="long", locale=locale_of(language)))


def time_text(value: Any, language: str, zone: tzinfo) -> str:
    """``15:05`` or ``3:05 PM``."""
    return _spaced(format_time(as_datetime(value, zone).timetz(), format="short", locale=locale_of(language)))


def datetime_text(value: Any, language: str, zone: tzinfo) -> str:
    """Date and time."""
    gap = "" if language.startswith("zh") else " "
    return f"{date_text(value, language, zone)}{gap}{time_text(value, language, zone)}"


def digits(value: Any) -> str:
    """``1 2 3``: every character apart, so that a number is read digit by digit."""
    return " ".join(character for character in str(value) if not character.isspace())


def _spaced(written: str) -> str:
    """Locale data hold narrow and no-break spaces, which voices and SMS do not know."""
    return written.replace("\u202f", " ").replace("\u00a0", " ")
