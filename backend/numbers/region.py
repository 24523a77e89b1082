"""Where a number belongs to: country, province, city and carrier, in both languages, from the numbering plans alone."""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, carrier, geocoder

from backend.numbers.phone import SHORT
from nodes.sdk.text import Text, text

_CHINA = 86
_PLACE_ZH = re.compile(r"(?P<province>.+?(?:省|自治区|特别行政区))?(?P<city>.*)")
HIDDEN = 4
_MUNICIPALITIES = ("北京市", "上海市", "天津市", "重庆市")


@dataclass(frozen=True, slots=True)
class Region:
    """A number's home; what is not known is empty."""

    country: Text
    province: Text
    city: Text
    carrier: Text

    @property
    def words(self) -> Text:
        """All of it in one line, small to large in English, large to small in Chinese."""
        zh = [part for part in (self.country.zh, self.province.zh, self.city.zh) if part]
        en = [part for part in (self.city.en, self.province.en, self.country.en) if part]
        return text(" ".join(dict.fromkeys(zh)), ", ".join(dict.fromkeys(en)))


@lru_cache(maxsize=10_000)
def region_of(number: str, country: str) -> Region | None:
    """The region of a number in any form; None for short numbers and for what is no number."""
    if SHORT.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    home = text(geocoder.country_name_for_number(parsed, "zh"), geocoder.country_name_for_number(parsed, "en"))
    zh, en = (geocoder.description_for_number(parsed, language) for language in ("zh", "en"))
    province, city = _places(zh if zh != home.zh else "", en if en != home.en else "", parsed.country_code or 0)
    service = text(carrier.name_for_number(parsed, "zh"), carrier.name_for_number(parsed, "en"))
    return Region(home, province, city, service)


def _places(zh: str, en: str, code: int) -> tuple[Text, Text]:
    parts = [part.strip() for part in en.split(",") if part.strip()]
    city_en, province_en = (parts[0], parts[-1]) if len(parts) > 1 else (parts[0] if parts else "", "")
    if code != _CHINA:
        return text(province_en, province_en), text(zh or city_en, city_en)
    if zh in _MUNICIPALITIES:
        return text(zh, city_en), text(zh, city_en)
    found = _PLACE_ZH.fullmatch(zh)
    province_zh, city_zh = (found["province"] or "", found["city"]) if found else ("", zh)
    if len(parts) == 1 and province_zh and not city_zh:
        province_en, city_en = city_en, ""
    return text(province_zh, province_en), text(city_zh, city_en)


def masked(number: str) -> str:
    """A number whose middle is hidden, for people without the right to see it. Short numbers are the house's own."""
    digits = number.removeprefix("+")
    if len(digits) <= 6 or not digits.isdigit():
        return number
    shown = len(digits) - HIDDEN
    tail = min(4, (shown + 1) // 2)
    return f"{number[: len(number) - HIDDEN - tail]}{'*' * HIDDEN}{number[-tail:]}"


def written_forms(number: str, country: str) -> list[str]:
    """How calls may have a number on record: E.164, with and without its plus, and nationally."""
    forms = [number]
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException:
        return forms
    forms += [
        number.removeprefix("+"),
        str(parsed.national_number),
        "".join(filter(str.isdigit, phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))),
        f"00{number.removeprefix('+')}",
    ]
    return list(dict.fromkeys(forms))
