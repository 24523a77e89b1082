"""SIPp callers against a phone of another make."""

import shutil
import struct
from pathlib import Path

import pytest

from tests.phones import Phone, sipp


def test_key_packets_follow_rfc_4733() -> None:
    packets = sipp.key_packets("#", sequence=65535, timestamp=500)
    fields = [struct.unpack(">BBHIIBBH", packet) for packet in packets]
    assert {one[5] for one in fields} == {11}
    assert [one[2] for one in fields][:3] == [65535, 0, 1]
    assert {one[3] for one in fields} == {500}, "all packets of a key carry its beginning"
    assert [bool(one[1] & 0x80) for one in fields] == [True] + [False] * (len(fields) - 1)
    assert [bool(one[6] & 0x80) for one in fields][-4:] == [False, True, True, True]
    durations = [one[7] for one in fields]
    assert durations == sorted(durations) and durations[-3:] == [1280] * 3


def test_a_scenario_has_an_end(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ends with"):
        sipp.scenario([sipp.Pause(1)], tmp_path)


@pytest.mark.asterisk
@pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (apt-get install sip-tester)")
async def test_keys_of_many_callers_arrive(tmp_path: Path) -> None:
    async with Phone("bob", folder=tmp_path, auto="answer", auto_after=0.0) as bob:
        keys: list[sipp.Step] = [sipp.Pause(0.4), sipp.Key("1"), sipp.Pause(0.5), sipp.Key("#"), sipp.Pause(0.4)]
        file = sipp.scenario([*keys, sipp.HangUp()], tmp_path / "sipp")
        result = await sipp.run(file, f"127.0.0.1:{bob.port}", service="bob", calls=3, rate=5, timeout=20)
        assert (result.successful, result.failed, result.returncode) == (3, 0, 0), result.errors
        assert len(result.response_ms) == 3 and result.percentile(0.95) < 20_000
        assert [(await call.ended()).digits for call in bob.calls.values()] == ["1#"] * 3
