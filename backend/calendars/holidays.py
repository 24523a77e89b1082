"""Public holidays by country and year, in both languages of the app, with the weekend days that are worked (FL10)."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

import holidays
from babel import Locale

from backend.errors import InvalidError
from nodes.sdk.text import Text, text

YEARS = (2000, 2100)
_FIRST = ("CN", "HK", "MO", "TW", "SG", "MY", "JP", "KR", "US", "GB", "DE", "FR")
"""Countries that stand at the top of the list."""

_ZH = {
    "New Year's Day": "元旦", "New Year's Eve": "除夕", "Epiphany": "主显节", "Good Friday": "耶稣受难日",
    "Easter Sunday": "复活节", "Easter Monday": "复活节星期一", "Labor Day": "劳动节", "Labour Day": "劳动节",
    "May Day": "劳动节", "International Workers' Day": "国际劳动节", "Worker's Day": "劳动节",
    "Ascension Day": "耶稣升天节", "Whit Monday": "圣灵降临节星期一", "Pentecost Monday": "圣灵降临节星期一",
    "Assumption Day": "圣母升天节", "All Saints' Day": "万圣节（诸圣日）", "Immaculate Conception": "圣母无染原罪日",
    "Christmas Eve": "平安夜", "Christmas Day": "圣诞节", "Boxing Day": "节礼日",
    "Second Day of Christmas": "圣诞节次日",
    "Thanksgiving Day": "感恩节", "Thanksgiving": "感恩节", "Independence Day": "独立日", "National Day": "国庆节",
    "Memorial Day": "阵亡将士纪念日", "Veterans Day": "退伍军人节", "Columbus Day": "哥伦布日",
    "Martin Luther King Jr. Day": "马丁·路德·金纪念日", "Washington's Birthday": "华盛顿诞辰日",
    "Juneteenth National Independence Day": "六月节", "German Unity Day": "德国统一日", "Republic Day": "共和国日",
    "Constitution Day": "宪法日", "Victory Day": "胜利日", "St. Stephen's Day": "圣斯德望日",
    "Corpus Christi": "基督圣体节", "Bastille Day": "法国国庆日", "Armistice Day": "停战纪念日",
    "Spring Bank Holiday": "春季银行假日", "Summer Bank Holiday": "夏季银行假日", "Eid al-Fitr": "开斋节",
    "Eid al-Adha": "宰牲节", "Diwali": "排灯节", "Deepavali": "排灯节", "Vesak Day": "卫塞节",
    "Chinese New Year": "春节", "Korean New Year": "韩国春节", "Chuseok": "秋夕", "Canada Day": "加拿大日",
    "Australia Day": "澳大利亚日", "ANZAC Day": "澳新军团日",
}  # fmt: skip
"""Usual names in Chinese, for countries whose calendar the library has in other languages only."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day that differs: a ``holiday``, or ``open`` for a weekend day that is worked in place of another."""

    date: dt.date
    name: Text
    state: str


@dataclass(frozen=True, slots=True)
class Year:
    """The public holidays of a country in a year. ``note`` tells what is not certain yet."""

    country: str
    year: int
    days: list[Holiday]
    note: Text | None


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, Text]]:
    """Codes and names of the countries that are known, the usual ones first."""
    zh, en = Locale("zh").territories, Locale("en").territories
    known = {code for code in holidays.list_supported_countries(include_aliases=False) if code in en}
    order = [*(code for code in _FIRST if code in known), *sorted(known - set(_FIRST), key=lambda code: en[code])]
    return [(code, text(zh.get(code, en[code]), en[code])) for code in order]


def public_holidays(country: str, year: int) -> Year:
    """What is closed, and what is worked, in a country in a year. Raises InvalidError naming the field."""
    country = country.strip().upper()
    if country not in {code for code, _ in countries()}:
        raise InvalidError(
            text(f"没有国家“{country}”的节假日", f"the holidays of '{country}' are not known"),
            field="country",
            remedy=text("请从列表中选择国家。", "Choose a country of the list."),
        )
    if not YEARS[0] <= year <= YEARS[1]:
        raise InvalidError(
            text(f"年份应在 {YEARS[0]} 到 {YEARS[1]} 之间", f"the year is from {YEARS[0]} to {YEARS[1]}"),
            field="year",
            remedy=text("请换一个年份。", "Choose another year."),
        )
    languages = holidays.list_localized_countries().get(country, [])

    def named(*wanted: str) -> dict[dt.date, str]:
        language = next((tag for tag in wanted if tag in languages), None)
        found = holidays.country_holidays(country, years=year, language=language)
        return {on: str(name) for on, name in found.items()}

    english, own = named("en_US", "en_GB"), named("zh_CN")
    chinese = any(tag == "zh_CN" for tag in languages)
    days = [
        Holiday(on, text(own[on] if chinese and on in own else _in_chinese(name), name), "holiday")
        for on, name in english.items()
    ]
    days += _worked(country, year)
    return Year(country, year, sorted(days, key=lambda day: day.date), _note(country, year, days))


def _in_chinese(name: str) -> str:
    """The name with its usual Chinese words, as far as they are known."""
    parts = [part.strip() for part in name.split(";")]
    told = []
    for part in parts:
        base, _, observed = part.partition(" (")
        found = _ZH.get(base) or _ZH.get(re.sub(r"^(The )?", "", base), base)
        told.append(f"{found}（补假）" if observed.startswith("observed") else found)
    return "；".join(told)


def _worked(country: str, year: int) -> list[Holiday]:
    """Weekend days that are worked in place of others, as China orders them each year."""
    found = holidays.country_holidays(country, years=year)
    return [
        Holiday(on, text("调休上班", "Working day in place of a holiday"), "open")
        for on in sorted(getattr(found, "weekend_workdays", ()) or ())
        if on.year == year
    ]


def _note(country: str, year: int, days: list[Holiday]) -> Text | None:
    if country == "CN" and not any(day.state == "open" for day in days):
        return text(
            f"{year} 年的调休安排尚未收录，公布后请补上。",
            f"Which weekend days of {year} are worked is not known yet: add them when they are announced.",
        )
    return None
