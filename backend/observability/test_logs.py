"""Log lines: what they belong to, both formats, levels, and that nothing confidential is in them."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from backend.observability import logs
from backend.observability.logs import Redactor, handler, in_call, levels_of, within
from backend.settings import Settings
from telephony.driver import Digit


@pytest.fixture
def lines() -> Iterator[Any]:
    """A logger of its own, and a function that gives the lines so far as objects or text."""
    made: list[logging.Handler] = []
    logger = logging.getLogger("callweave.test.logs")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False

    def open_(kind: logs.Format, *secrets: str) -> tuple[logging.Logger, io.StringIO]:
        stream = io.StringIO()
        made.append(handler(kind, Redactor(secrets), stream))
        logger.addHandler(made[-1])
        return logger, stream

    yield open_
    for one in made:
        logger.removeHandler(one)


@dataclass
class FakeCall:
    id: str


async def test_lines_carry_what_they_belong_to(lines: Any) -> None:
    log, stream = lines("json")

    async def beside() -> None:
        await asyncio.sleep(0)
        log.info("beside")

    async def handle(call: FakeCall) -> None:
        task = asyncio.create_task(beside())
        with within(flow="hotline", node="menu", step=""):
            log.info("inside")
        await task

    log.info("before")
    await asyncio.gather(in_call(handle)(FakeCall("c1")), in_call(handle)(FakeCall("c2")))
    log.info("after")
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["message"] for one in found if "call" not in one] == ["before", "after"]
    for name in ("c1", "c2"):
        mine = {one["message"]: one for one in found if one.get("call") == name}
        assert set(mine) == {"inside", "beside"}
        assert mine["inside"]["run"] == f"call-{name}"
        assert (mine["inside"]["flow"], mine["inside"]["node"]) == ("hotline", "menu")
        assert "node" not in mine["beside"], "the mark of a block ends with it"
        assert "step" not in mine["inside"], "what is empty is left out"


def test_json_is_one_object_a_line_whatever_is_logged(lines: Any) -> None:
    log, stream = lines("json")
    log.warning("two\nlines %s", "余额")
    misfit = log.makeRecord(log.name, logging.INFO, "x.py", 1, "arguments that do not fit %d", ("x",), None)
    log.handlers[-1].handle(misfit)
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("failed")
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["level"] for one in found] == ["warning", "info", "error"]
    assert found[0]["message"] == "two\nlines 余额"
    assert "do not fit" in found[1]["message"]
    assert "ValueError: broken" in found[2]["error"] and "Traceback" in found[2]["error"]
    assert found[0]["logger"] == "callweave.test.logs"
    assert found[0]["at"].endswith("+00:00")


def test_text_is_for_people_and_cannot_be_forged(lines: Any) -> None:
    log, stream = lines("text")
    with within(call="c1", run="call-c1"):
        log.info("caller says %s", "hello\n2026-11-24 INFO root: I am a line")
    first, second = stream.getvalue().splitlines()
    assert " INFO callweave.test.logs: caller says hello" in first
    assert second.startswith("    2026"), "a line that follows is indented"
    assert second.endswith("[call=c1 run=call-c1]")


SECRETS = {
    "GET /ari/events?app=callweave&api_key=callweave:s3cr3t-ari HTTP/1.1": "s3cr3t-ari",
    "smtp://user:mail-pass@mail.example:25 refused": "mail-pass",
    "postgresql+asyncpg://weave:db-pass-1@db/weave": "db-pass-1",
    "authorization: Bearer abcdefghijklmnop": "abcdefghijklmnop",
    '{"password": "hunter2-hunter2", "name": "x"}': "hunter2-hunter2",
    "pin=246813 refused": "246813",
    "token: tok-123456": "tok-123456",
    f"event {Digit('c1', '7')!r} failed": "'7'",
    "Cookie: callweave_8080=session-value-1": "session-value-1",
}


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_confidential_is_hidden(lines: Any, kind: logs.Format, text: str) -> None:
    log, stream = lines(kind)
    log.info("%s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        log.exception("failed")
    written = stream.getvalue()
    assert SECRETS[text] not in written
    assert logs.HIDDEN in written


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=Redactor.SHORTEST, max_size=40).filter(
        lambda text: text.strip() == text
    ),
    st.text(max_size=40),
    st.text(max_size=40),
)
def test_known_values_never_pass(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret]).clean(f"{before}|{secret}|{after}").replace(logs.HIDDEN, "")


def test_ordinary_words_stay() -> None:
    plain = "call out-7 to 8001: no_answer, spin 3 of 4; the token is missing; http://host:8080/path@2"
    assert Redactor(["s3cr3t-value"]).clean(plain) == plain


def test_settings_choose_format_and_levels(tmp_path: Path) -> None:
    config = Settings(
        home=tmp_path,
        log_level="warning",
        log_format="json",
        log_levels="callweave.test.deep=debug, callweave.test.quiet=error",
        ari_password=SecretStr("ari-password-of-this-test"),
    )
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    try:
        logs.set_up(config, stream)
        logging.getLogger("callweave.test.deep").debug("heard")
        logging.getLogger("callweave.test.quiet").warning("unheard")
        logging.getLogger("callweave.test.other").info("unheard")
        logging.getLogger("callweave.test.other").warning("says ari-password-of-this-test")
        logging.getLogger("aiosqlite").info("INSERT ... parameters")
    finally:
        for one in list(root.handlers):
            root.removeHandler(one)
        for one in handlers:
            root.addHandler(one)
        root.setLevel(level)
    found = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert found == ["heard", f"says {logs.HIDDEN}"]


def test_a_wrong_level_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="log_levels"):
        Settings(log_levels="backend=loud")
    with pytest.raises(ValueError, match="backend=loud"):
        levels_of("backend=loud")
    assert levels_of("") == {}
