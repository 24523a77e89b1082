"""Public holidays to fill calendars with, and a calendar's month before it is stored."""

from datetime import date

import pytest

from backend.calendars.holidays import countries, public_holidays
from backend.errors import InvalidError
from backend.testing import ApiClient


def test_china_has_its_holidays_and_worked_weekends() -> None:
    """The State Council's notice for 2026: Spring Festival from 15 February, 14 and 28 February are worked."""
    year = public_holidays("cn", 2026)
    days = {day.date: day for day in year.days}
    assert days[date(2026, 2, 17)].name.zh == "春节" and "Spring Festival" in days[date(2026, 2, 17)].name.en
    assert {day.date for day in year.days if day.state == "open"} >= {date(2026, 2, 14), date(2026, 2, 28)}
    assert days[date(2026, 2, 28)].name.zh == "调休上班" and year.note is None
    assert public_holidays("CN", 2090).note is not None, "nobody knows yet"
    assert all(day.date.year == 2026 for day in year.days)


def test_other_countries_have_both_languages() -> None:
    names = {day.name.en: day.name.zh for day in public_holidays("DE", 2026).days}
    assert names["Christmas Day"] == "圣诞节" and names["Good Friday"] == "耶稣受难日"
    assert {day.name.zh for day in public_holidays("US", 2026).days} >= {"感恩节", "元旦"}
    assert [code for code, _ in countries()][:2] == ["CN", "HK"] and len(countries()) > 100


@pytest.mark.parametrize(("country", "year", "field"), [("XX", 2026, "country"), ("CN", 1800, "year")])
def test_what_is_not_known_is_said(country: str, year: int, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        public_holidays(country, year)
    assert refused.value.field == field and refused.value.remedy.zh


async def test_holidays_fill_a_calendar_and_its_month_shows(client: ApiClient) -> None:
    told = await client.ask(
        '{ publicHolidays(country: "CN", year: 2026) { days { date state name { zh en } } note { zh } } '
        "holidayCountries { code name { zh en } } }"
    )
    days = [
        {"date": day["date"], "state": day["state"], "name": day["name"]["zh"]}
        for day in told["publicHolidays"]["days"]
    ]
    week = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    ask = """query($w: JSON!, $d: JSON, $m: String!) {
      calendarPreview(timezone: "Asia/Shanghai", week: $w, days: $d, month: $m) { date state name hours } }"""
    month = {one["date"]: one for one in (await client.ask(ask, w=week, d=days, m="2026-02"))["calendarPreview"]}
    assert len(month) == 28
    assert month["2026-02-13"] == {"date": "2026-02-13", "state": "open", "name": "", "hours": [["09:00", "18:00"]]}
    assert (month["2026-02-14"]["state"], month["2026-02-14"]["name"]) == ("open", "调休上班")
    assert (month["2026-02-15"]["state"], month["2026-02-17"]["state"]) == ("closed", "holiday")
    assert (await client.refusal(ask, w=week, d=days, m="2026-13"))["field"] == "month"
    assert (await client.refusal(ask, w={"mon": [["9", "18"]]}, m="2026-02"))["remedy"]["zh"]
    save = """mutation($w: JSON!, $d: JSON) { saveCalendar(name: "c", timezone: "Asia/Shanghai", week: $w, days: $d) {
      value { days } errors { code } } }"""
    assert len((await client.change(save, w=week, d=days))["days"]) == len(days)
