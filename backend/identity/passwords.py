"""Rules against weak passwords (AD2)."""

import re
import secrets

from backend.errors import InvalidError
from nodes.sdk.text import text

MIN_LENGTH = 10
MAX_LENGTH = 200

# Words that head every list of leaked passwords; figures and signs around or inside them do not help.
_COMMON_WORDS = (
    "password passwort admin administrator root user guest login welcome letmein master secret qwerty qwertyuiop "
    "asdfgh asdfghjkl zxcvbn zxcvbnm iloveyou monkey dragon football baseball sunshine princess shadow superman "
    "trustno batman michael jennifer hunter freedom whatever starwars computer internet service hotline callcenter "
    "callcentre callweave company business manager supervisor quality agent telephone phone test testing changeme "
    "default temp temporary woaini mima guanliyuan kehu fuwu zhongguo beijing shanghai hello"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_LEET = str.maketrans("013457@$!8", "oieastasib")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "0123456789")


def check_password(password: str, account: str, field: str = "password") -> None:
    """Raise InvalidError unless the password is strong enough for this account."""

    def refuse(zh: str, en: str) -> InvalidError:
        return InvalidError(
            text(zh, en),
            field=field,
            code="weak_password",
            remedy=text(
                f"请使用至少 {MIN_LENGTH} 位、含字母与数字或符号、不含账号和常见单词的密码。",
                f"Use {MIN_LENGTH} characters or more, letters with digits or signs, without the account's name "
                "and without common words.",
            ),
        )

    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise refuse(
            f"密码长度应为 {MIN_LENGTH} 到 {MAX_LENGTH} 位", f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters"
        )
    lower = password.lower()
    if password.isalpha():
        raise refuse("密码不能只有字母", "a password of letters alone is weak")
    if password.isdigit():
        raise refuse("密码不能只有数字", "a password of digits alone is weak")
    if len(set(lower)) < 5:
        raise refuse("密码中重复的字符太多", "a password needs five different characters or more")
    name = account.lower()
    plain = lower.translate(_LEET)
    if len(name) >= 3 and any(name in text_ or name[::-1] in text_ for text_ in (lower, plain)):
        raise refuse("密码不能取自账号", "a password must not be drawn from the account's name")
    core = re.sub(r"^[^a-z@$]+|[^a-z]+$", "", lower).translate(_LEET)
    for letters in (re.sub(r"[^a-z]", "", lower), re.sub(r"[^a-z]", "", core)):
        rest = letters
        for word in sorted(_COMMON, key=len, reverse=True):
            rest = rest.replace(word, "")
        if letters and len(rest) <= 2:
            raise refuse("密码取自常见单词", "a password must not be a common word with signs around it")
    if _longest_run(lower) > len(lower) / 2:
        raise refuse("密码取自键盘或数字顺序", "a password must not follow the keyboard or the order of figures")


def _longest_run(word: str) -> int:
    longest = 0
    for run in _RUNS:
        for line in (run, run[::-1]):
            for start in range(len(word)):
                end = start
                while end < len(word) and word[start : end + 1] in line:
                    end += 1
                longest = max(longest, end - start)
    return longest


def make_password() -> str:
    """A strong password that people can read out."""
    letters = "abcdefghjkmnpqrstuvwxyz"
    figures = "23456789"
    groups = ["".join(secrets.choice(letters) for _ in range(4)) for _ in range(3)]
    return "-".join(groups) + "-" + "".join(secrets.choice(figures) for _ in range(4))
