"""Phone numbers: one written form (E.164), and the class a number is charged and limited by."""

import re
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from backend.errors import InvalidError
from nodes.sdk.text import text

SHORT = re.compile(r"\d{2,6}")
_SIGNS = str.maketrans("", "", " -().\t/")


class NumberClass(StrEnum):
    """Classes that outbound rules limit."""

    INTERNAL = "internal"
    EMERGENCY = "emergency"
    NATIONAL = "national"
    MOBILE = "mobile"
    TOLL_FREE = "toll_free"
    SERVICE = "service"
    PREMIUM = "premium"
    INTERNATIONAL = "international"


def _bad(number: str, field: str) -> InvalidError:
    return InvalidError(
        text(f"“{number}”不是有效的电话号码", f"'{number}' is not a phone number"),
        field=field,
        code="bad_number",
        remedy=text(
            "请使用 +8613800000000、本国写法或 2 到 6 位短号。",
            "Write +8613800000000, the national form, or a short number of 2 to 6 digits.",
        ),
    )


def normalise(number: str, country: str, *, field: str = "number") -> str:
    """E.164 for a public number, the digits for a short one. Raises InvalidError ``bad_number``."""
    plain = number.strip().translate(_SIGNS)
    if SHORT.fullmatch(plain):
        return plain
    if not re.fullmatch(r"\+?\d{3,17}", plain):
        raise _bad(number, field)
    try:
        parsed = phonenumbers.parse(plain, country)
    except NumberParseException:
        raise _bad(number, field) from None
    # Numbering plans change faster than any list: a possible number is taken, an impossible one is not.
    if not phonenumbers.is_possible_number(parsed):
        raise _bad(number, field)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def normalise_or_keep(number: str, country: str) -> str:
    """As `normalise`, but a caller's number that is none (``anonymous``, a SIP name) stays as it is."""
    try:
        return normalise(number, country)
    except InvalidError:
        return number.strip()


def classify(number: str, country: str) -> NumberClass:
    """The class of a normalised number."""
    if SHORT.fullmatch(number):
        if phonenumbers.is_emergency_number(number, country):
            return NumberClass.EMERGENCY
        return NumberClass.INTERNAL
    parsed = phonenumbers.parse(number, country)
    if parsed.country_code != phonenumbers.country_code_for_region(country):
        return NumberClass.INTERNATIONAL
    match phonenumbers.number_type(parsed):
        case PhoneNumberType.MOBILE | PhoneNumberType.FIXED_LINE_OR_MOBILE | PhoneNumberType.PAGER:
            return NumberClass.MOBILE
        case PhoneNumberType.TOLL_FREE:
            return NumberClass.TOLL_FREE
        case PhoneNumberType.PREMIUM_RATE:
            return NumberClass.PREMIUM
        case PhoneNumberType.SHARED_COST | PhoneNumberType.UAN | PhoneNumberType.PERSONAL_NUMBER:
            return NumberClass.SERVICE
        case _:
            return NumberClass.NATIONAL
