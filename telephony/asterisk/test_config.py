"""Rendering: what the files say, and that no value breaks out of its line."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.asterisk.config import AsteriskConfig, ConfigError, Extension, Trunk, render, run_folder
from telephony.asterisk.install import Installation
from telephony.asterisk.modules import LOADED

HERE = Installation("private", "22.10.1", module_names=frozenset(LOADED) - {"codec_gsm"})
CONFIG = AsteriskConfig(folder=Path("/srv/callweave/asterisk"), ari_password="secret")


def sections(text: str) -> dict[tuple[str, str], dict[str, list[str]]]:
    """A rendered pjsip.conf by name and type."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for block in filter(None, text.split("\n\n")):
        name, *lines = block.strip().splitlines()
        values: dict[str, list[str]] = {}
        for line in lines:
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
        found[name.strip("[]"), values.pop("type")[0]] = values
    return found


def test_extensions_and_trunks() -> None:
    config = replace(
        CONFIG,
        extensions=(Extension("8001", "pw-1", "Front desk"), Extension("8002", "pw-2", webrtc=True)),
        trunks=(
            Trunk(
                "city",
                "sip.example.com",
                5070,
                username="u1",
                password="pw-3",
                register=True,
                transport="tcp",
                codecs=("ulaw",),
                addresses=("203.0.113.0/24",),
            ),
        ),
    )
    found = sections(render(config, HERE)["pjsip.conf"])
    desk = found["8001", "endpoint"]
    assert desk["callerid"] == ['"Front desk" <8001>'] and desk["context"] == ["from-extension"]
    assert found["8001", "auth"] == {"auth_type": ["userpass"], "username": ["8001"], "password": ["pw-1"]}
    assert found["8002", "endpoint"]["webrtc"] == ["yes"] and found["8002", "endpoint"]["allow"] == ["opus,alaw,ulaw"]
    trunk = found["trunk-city", "endpoint"]
    assert trunk["identify_by"] == ["ip"] and trunk["transport"] == ["tcp"] and trunk["outbound_auth"] == ["trunk-city"]
    assert found["trunk-city", "identify"]["match"] == ["sip.example.com", "203.0.113.0/24"]
    assert found["trunk-city", "aor"]["contact"] == [r"sip:sip.example.com:5070\;transport=tcp"]
    assert found["trunk-city", "registration"]["client_uri"] == [r"sip:u1@sip.example.com:5070\;transport=tcp"]
    for name, kind in found:
        if kind == "endpoint":
            assert found[name, kind]["direct_media"] == ["no"] and found[name, kind]["rtp_symmetric"] == ["yes"]


def test_users_come_before_addresses() -> None:
    order = sections(render(CONFIG, HERE)["pjsip.conf"])["global", "global"]["endpoint_identifier_order"]
    assert order == ["username,auth_username,ip,anonymous"]


def test_strangers_come_in_only_when_allowed() -> None:
    assert ("anonymous", "endpoint") in sections(render(CONFIG, HERE)["pjsip.conf"])
    assert ("anonymous", "endpoint") not in sections(render(replace(CONFIG, anonymous=False), HERE)["pjsip.conf"])


def test_behind_nat() -> None:
    config = replace(
        CONFIG, sip_host="0.0.0.0", external_address="198.51.100.7", local_networks=("10.0.0.0/8", "192.168.0.0/16")
    )
    found = sections(render(config, HERE)["pjsip.conf"])
    for protocol in ("udp", "tcp", "ws"):
        transport = found[protocol, "transport"]
        assert transport["external_media_address"] == ["198.51.100.7"]
        assert transport["local_net"] == ["10.0.0.0/8", "192.168.0.0/16"]
    assert found["udp", "transport"]["bind"] == ["0.0.0.0:5060"]
    assert "media_address" not in found["anonymous", "endpoint"]


def test_only_modules_that_are_there_are_loaded() -> None:
    text = render(CONFIG, HERE)["modules.conf"]
    assert "load = chan_pjsip.so\n" in text and "codec_gsm" not in text and "autoload=no" in text


def test_music_folders(tmp_path: Path) -> None:
    config = replace(CONFIG, music_folder=tmp_path)
    text = render(config, HERE, ["jazz"])["musiconhold.conf"]
    assert f"[jazz]\nmode=files\ndirectory={tmp_path}/jazz" in text
    assert "[default]\nmode=files\ndirectory=/srv/callweave/asterisk/music/default" in text


def test_a_deep_home_has_its_control_socket_elsewhere() -> None:
    deep = replace(CONFIG, folder=Path("/home") / ("x" * 120))
    assert len(str(run_folder(deep) / "asterisk.ctl")) < 100
    assert run_folder(CONFIG) == CONFIG.folder / "run"


CITY = Trunk("city", "203.0.113.1")
DESK = Extension("8001", "secret")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (replace(CONFIG, ari_password=""), "ari_password"),
        (replace(CONFIG, ari_password="a\nb"), "ari_password"),
        (replace(CONFIG, ari_password="a;b"), "ari_password"),
        (replace(CONFIG, ari_user="x]\n[evil"), "ari_user"),
        (replace(CONFIG, app="a,b"), "app"),
        (replace(CONFIG, sip_host="localhost; x"), "sip_host"),
        (replace(CONFIG, sip_port=0), "sip_port"),
        (replace(CONFIG, rtp_ports=(20000, 20000)), "rtp_ports"),
        (replace(CONFIG, external_address="a b"), "external_address"),
        (replace(CONFIG, local_networks=("10.0.0.0/99",)), "local_networks"),
        (replace(CONFIG, folder=Path("relative")), "folder"),
        (replace(CONFIG, folder=Path("/a;b")), "folder"),
        (replace(CONFIG, tls_certificate=Path("/c.pem")), "tls_key"),
        (replace(CONFIG, trunks=(replace(CITY, name="a b"),)), "trunks['a b'].name"),
        (replace(CONFIG, trunks=(replace(CITY, host="h\nmatch=0.0.0.0/0"),)), "trunks['city'].host"),
        (replace(CONFIG, trunks=(replace(CITY, password="p;q"),)), "trunks['city'].password"),
        (replace(CONFIG, trunks=(replace(CITY, username="u>\n"),)), "trunks['city'].username"),
        (replace(CONFIG, trunks=(replace(CITY, from_user="a b"),)), "trunks['city'].from_user"),
        (replace(CONFIG, trunks=(replace(CITY, register=True),)), "trunks['city'].username"),
        (replace(CONFIG, trunks=(replace(CITY, codecs=("mp3",)),)), "trunks['city'].codecs"),
        (replace(CONFIG, trunks=(replace(CITY, addresses=("everywhere",)),)), "trunks['city'].addresses"),
        (replace(CONFIG, trunks=(replace(CITY, transport="tls", authority="x\n[evil]"),)), "trunks['city'].authority"),
        (replace(CONFIG, trunks=(CITY, CITY)), "trunks"),
        (replace(CONFIG, extensions=(DESK, DESK)), "extensions"),
        (replace(CONFIG, extensions=(replace(DESK, number="trunk-city"),)), "extensions['trunk-city'].number"),
        (replace(CONFIG, extensions=(replace(DESK, password=""),)), "extensions['8001'].password"),
        (replace(CONFIG, extensions=(replace(DESK, password="=>x\r\n"),)), "extensions['8001'].password"),
        (replace(CONFIG, extensions=(replace(DESK, password=">x"),)), "extensions['8001'].password"),
        (replace(CONFIG, extensions=(replace(DESK, name='A" <1>'),)), "extensions['8001'].name"),
    ],
)
def test_bad_values_are_refused_by_name(config: AsteriskConfig, field: str) -> None:
    with pytest.raises(ConfigError) as refused:
        render(config, HERE)
    assert refused.value.field == field and str(refused.value).startswith(f"{field}: ")


@given(password=st.text(), name=st.text(), host=st.text(), user=st.text())
def test_no_value_adds_a_line(password: str, name: str, host: str, user: str) -> None:
    config = replace(
        CONFIG,
        extensions=(Extension("8001", password, name),),
        trunks=(Trunk("city", host, username=user, password=password),),
    )
    try:
        files = render(config, HERE)
    except ConfigError:
        return
    plain = replace(
        CONFIG,
        extensions=(Extension("8001", "p", "n"),),
        trunks=(Trunk("city", "h", username="u" if user else "", password="p"),),
    )
    expected = render(plain, HERE)
    for file, text in files.items():
        assert len(text.splitlines()) == len(expected[file].splitlines()), file
        assert text.count(";") == expected[file].count(";"), file


def test_secrets_are_not_shown() -> None:
    assert "pw-9" not in repr(replace(CONFIG, ari_password="pw-9", extensions=(Extension("1", "pw-9"),)))


def test_the_far_end_of_a_trunk_is_asked_beside_the_way_its_calls_take() -> None:
    asked = sections(render(replace(CONFIG, trunks=(replace(CITY, qualify=True),)), HERE)["pjsip.conf"])
    assert "qualify_frequency" not in asked["trunk-city", "aor"], "a contact that does not answer would not be dialled"
    assert asked["probe-city", "aor"]["contact"] == asked["trunk-city", "aor"]["contact"]
    assert int(asked["probe-city", "aor"]["qualify_frequency"][0]) > 0
    probe = asked["probe-city", "endpoint"]
    assert probe["context"] == ["nowhere"] and ("probe-city", "identify") not in asked, "no call comes in by it"
    assert not [
        name for name, _ in sections(render(replace(CONFIG, trunks=(CITY,)), HERE)["pjsip.conf"]) if "probe" in name
    ]
