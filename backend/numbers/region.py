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
_ENDING = re.compile(r"(?<=..)(省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)$")
"""What a Chinese name of a place may go without."""
_HAN = re.compile(r"[\u4e00-\u9fff]")
"""The plans name most places abroad in English alone: such a name is left out in Chinese."""


@dataclass(frozen=True, slots=True)
class Region:
    """A number's home; what is not known is empty."""

    country: Text
    province: Text
    city: Text
    carrier: Text
    code: str = ""
    """The country as a code, such as CN."""

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
    return Region(home, province, city, service, phonenumbers.region_code_for_number(parsed) or "")


@lru_cache(maxsize=10_000)
def place_of(number: str, country: str) -> Text | None:
    """Where a number belongs to in a few words: province and city, the country of one from abroad; None for nowhere."""
    found = region_of(number, country)
    return None if found is None else in_short(found, country)


def in_short(found: Region, country: str) -> Text | None:
    """A region in a few words, as seen from a country; the country itself where no place has a name in a language."""
    parts = [found.province, found.city]
    if found.code != country:
        parts.insert(0, found.country)
    zh = dict.fromkeys(_ENDING.sub("", part.zh) for part in parts if part.zh)
    en = dict.fromkeys(part.en for part in reversed(parts) if part.en)
    if not zh and not en:
        return None
    return text(" ".join(zh) or found.country.zh, ", ".join(en) or found.country.en)


def _places(zh: str, en: str, code: int) -> tuple[Text, Text]:
    parts = [part.strip() for part in en.split(",") if part.strip()]
    city_en, province_en = (parts[0], parts[-1]) if len(parts) > 1 else (parts[0] if parts else "", "")
    if code != _CHINA:
        return text("", province_en), text(zh if _HAN.search(zh) else "", city_en)
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
