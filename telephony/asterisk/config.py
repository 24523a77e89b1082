"""What a private Asterisk is made of, as data, and the configuration files rendered from it."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from telephony.asterisk.install import Installation
from telephony.asterisk.modules import LOADED

Transport = Literal["udp", "tcp", "tls"]
Encryption = Literal["off", "srtp"]

DEFAULT_CODECS = ("alaw", "ulaw", "g722")
WEBRTC_CODECS = ("opus", "alaw", "ulaw")
WEB_CODECS = ("alaw", "ulaw", "opus")
"""Of browser phones: what trunks and telephones speak comes first, so that nothing is converted."""
CODECS = frozenset({"alaw", "ulaw", "g722", "opus", "gsm"})
RETRY_SECONDS = 20
"""How long a new call rings while no application is connected."""

TRUNK = "trunk-"
"""Endpoints of trunks carry this prefix; an extension's endpoint is its number."""
PROBE = "probe-"
"""The endpoint by which the far end of a trunk is asked whether it is there; no call passes through it."""
PROBE_SECONDS = 20
"""How often it is asked."""
SILENT_SECONDS, REFUSED_SECONDS = 30, 300
"""When a trunk registers again at a far end that does not answer, and at one that refuses it."""
ANONYMOUS = "anonymous"
DIRECT = "direct"
"""The endpoint that calls to a bare SIP address leave through; nothing comes in by it."""
WEB = "web-"
"""The endpoint of an extension's browser phone carries this prefix before the number."""
PHONE_SILENCE_SECONDS = 60
"""A telephone of the house that sends no sound for so long in a talk is gone, too."""
USER = "user-"
"""The endpoint of a browser phone without an extension carries this prefix."""
WEB_SILENCE_SECONDS = 8
"""A browser phone that sends no sound for so long is gone: a closed laptop or page says no goodbye."""


class ConfigError(ValueError):
    """A value cannot go into the configuration. ``field`` names it, the message says the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP trunk to a provider or an office exchange.

    Calls from `host` and from the `addresses` (IP addresses or networks) come in through it. Over TLS it has its own
    transport: with `verify` the far end's certificate must be for `host` and signed by `authority` (PEM), or by one
    that this machine trusts. `encryption` is that of the sound, with keys by SDES. With `qualify` the far end is asked
    every so often whether it is there; calls are tried whatever it answers.
    """

    name: str
    host: str
    port: int = 5060
    username: str = ""
    password: str = field(default="", repr=False)
    register: bool = False
    codecs: tuple[str, ...] = DEFAULT_CODECS
    transport: Transport = "udp"
    addresses: tuple[str, ...] = ()
    from_user: str = ""
    encryption: Encryption = "off"
    verify: bool = True
    authority: str = field(default="", repr=False)
    qualify: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """A phone of our own: it registers with its number and password."""

    number: str
    password: str = field(repr=False)
    name: str = ""
    webrtc: bool = False
    encryption: Encryption = "off"


@dataclass(frozen=True, slots=True)
class WebPhone:
    """A phone in a browser. It lives in the memory of a running Asterisk, with a password that is replaced often.

    `name` is its SIP user; callers see `number`. One that `dials` may call what a phone of the house may call;
    another is a caller whom nobody vouches for.
    """

    name: str
    password: str = field(repr=False)
    number: str = ""
    display: str = ""
    dials: bool = True


@dataclass(frozen=True, slots=True)
class AsteriskConfig:
    """One private Asterisk. `folder` holds everything it writes.

    `music_folder` has one folder of 8 kHz WAV files for each kind of music; without ``default`` a tune is made.
    `anonymous` lets callers in whom no trunk or extension vouches for. `system` begins the ids of channels, and so of
    calls: no two Asterisks of one database may share it.
    """

    folder: Path
    ari_password: str = field(repr=False)
    app: str = "callweave"
    system: str = "callweave"
    ari_user: str = "callweave"
    ari_port: int = 8088
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (20000, 22000)
    external_address: str = ""
    local_networks: tuple[str, ...] = ()
    local_address: str = ""
    max_calls: int = 1000
    anonymous: bool = True
    trunks: tuple[Trunk, ...] = ()
    extensions: tuple[Extension, ...] = ()
    music_folder: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_port: int = 5061
    tones: Literal["cn", "us"] = "cn"

    @property
    def recordings(self) -> Path:
        """Where recordings are written, each as ``<name>.wav``."""
        return self.folder / "spool" / "recording"

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.ari_port}"


SURPLUS_LINES = 5
"""Calls beyond the cap that are let in at a time to be written down as refused. Whoever keeps each for a moment
decides how many a second that are; what comes beyond them hears busy at once and costs next to nothing."""

RELOADABLE = frozenset({"max_calls", "anonymous", "trunks", "extensions", "music_folder", "tones"})
"""Fields that a running Asterisk takes over without dropping calls; the others need a new start."""


# --------------------------------------------------------------------------- checks


def check(config: AsteriskConfig) -> None:
    """Raise `ConfigError` on the first value that is wrong or could break out of its line."""
    _word("app", config.app)
    _word("ari_user", config.ari_user)
    _secret("ari_password", config.ari_password, required=True)
    _path("folder", config.folder)
    _address("sip_host", config.sip_host)
    for name in ("sip_port", "ari_port", "tls_port"):
        _port(name, getattr(config, name))
    low, high = config.rtp_ports
    _port("rtp_ports", low)
    _port("rtp_ports", high)
    if high - low < 2:
        raise ConfigError("rtp_ports", f"{low}-{high} has no room for a call: give a range such as 20000-22000")
    if config.external_address:
        _host("external_address", config.external_address)
    if config.local_address:
        _address("local_address", config.local_address)
    for network in config.local_networks:
        _network("local_networks", network)
    if config.max_calls < 1:
        raise ConfigError("max_calls", "must be 1 or more")
    if (config.tls_certificate is None) != (config.tls_key is None):
        raise ConfigError("tls_key", "a certificate and its key go together: give both or none")
    for name, file in (("tls_certificate", config.tls_certificate), ("tls_key", config.tls_key)):
        if file is not None:
            _path(name, file)
    _unique("trunks", (trunk.name for trunk in config.trunks))
    for trunk in config.trunks:
        _check_trunk(trunk)
    _unique("extensions", (extension.number for extension in config.extensions))
    for extension in config.extensions:
        _check_extension(extension)


def _check_trunk(trunk: Trunk) -> None:
    where = f"trunks[{trunk.name!r}]"
    _word(f"{where}.name", trunk.name)
    _host(f"{where}.host", trunk.host)
    _port(f"{where}.port", trunk.port)
    if trunk.username:
        _sip_user(f"{where}.username", trunk.username)
    if trunk.from_user:
        _sip_user(f"{where}.from_user", trunk.from_user)
    _secret(f"{where}.password", trunk.password)
    if trunk.register and not trunk.username:
        raise ConfigError(f"{where}.username", "a trunk that registers needs a user name")
    if not trunk.codecs:
        raise ConfigError(f"{where}.codecs", "name one codec at least, such as alaw")
    for codec in trunk.codecs:
        if codec not in CODECS:
            raise ConfigError(f"{where}.codecs", f"{codec!r} is not one of {', '.join(sorted(CODECS))}")
    for address in trunk.addresses:
        _network(f"{where}.addresses", address)
    if trunk.transport not in ("udp", "tcp", "tls"):
        raise ConfigError(f"{where}.transport", f"{trunk.transport!r} is not one of udp, tcp, tls")
    if trunk.authority and not _PEM.fullmatch(trunk.authority.strip()):
        raise ConfigError(f"{where}.authority", "must be certificates in PEM form")


_PEM = re.compile(r"(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+")


def _check_extension(extension: Extension) -> None:
    where = f"extensions[{extension.number!r}]"
    if not re.fullmatch(r"[0-9]{1,15}", extension.number):
        raise ConfigError(f"{where}.number", "an extension is 1 to 15 digits")
    _secret(f"{where}.password", extension.password, required=True)
    _plain(f"{where}.name", extension.name)
    if re.search(r'["<>\\]', extension.name):
        raise ConfigError(f"{where}.name", 'must not contain ", <, > or a backslash')


def _plain(field: str, value: str) -> str:
    """A value that stays on its line of an Asterisk configuration file."""
    if re.search(r"[\x00-\x1f\x7f\u0085\u2028\u2029]", value):
        raise ConfigError(field, "must not contain line breaks or control characters")
    if ";" in value:
        raise ConfigError(field, "must not contain ';', which begins a comment in Asterisk's files")
    if value != value.strip() or value.startswith(">"):
        raise ConfigError(field, "must not begin or end with a space, nor begin with '>'")
    if len(value) > 200:
        raise ConfigError(field, "must not be longer than 200 characters")
    return value


def _secret(field: str, value: str, *, required: bool = False) -> None:
    _plain(field, value)
    if required and not value:
        raise ConfigError(field, "must not be empty")


def is_word(value: str) -> bool:
    """Whether a value may be a name in a configuration file."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", value) is not None


def _word(field: str, value: str) -> None:
    if not is_word(value):
        raise ConfigError(field, f"{value!r} must be 1 to 40 letters, digits, '-' or '_'")


def _sip_user(field: str, value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._~!*'()&=+$,?/%@-]{1,80}", value):
        raise ConfigError(field, "may hold letters, digits and the signs of a SIP user name only")


def _host(field: str, value: str) -> None:
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        if not re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.?", value):
            raise ConfigError(field, f"{value!r} is neither an IP address nor a host name") from None


def _address(field: str, value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ConfigError(field, f"{value!r} is not an IP address; 0.0.0.0 listens on all") from None


def _network(field: str, value: str) -> None:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ConfigError(field, f"{value!r} is not an IP address or network such as 10.0.0.0/8") from None


def _port(field: str, value: int) -> None:
    if not 1 <= value <= 65535:
        raise ConfigError(field, f"{value} is not a port (1 to 65535)")


def _path(field: str, value: Path) -> None:
    if not value.is_absolute():
        raise ConfigError(field, f"{value} must be an absolute path")
    _plain(field, str(value))


def _unique(field: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ConfigError(field, f"{value!r} is there twice")
        seen.add(value)


# --------------------------------------------------------------------------- rendering


def run_folder(config: AsteriskConfig) -> Path:
    """Where Asterisk's control socket lives; socket paths are short, so a deep home gets a place in /tmp."""
    inside = config.folder / "run"
    if len(str(inside)) < 85:
        return inside
    digest = f"{abs(hash_text(str(config.folder))):08x}"
    return Path("/tmp") / f"callweave-{digest}"  # noqa: S108


def hash_text(text: str) -> int:
    """A number that is the same for the same text in every process."""
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def render(config: AsteriskConfig, installation: Installation, music: Sequence[str] = ()) -> dict[str, str]:
    """All configuration files by name. Raises `ConfigError` on a value that could break out of its line.

    `music` names the kinds that the music folder holds; ``default`` is always there, by our own tune if need be.
    """
    check(config)
    files = {
        "asterisk.conf": _asterisk(config, installation),
        "modules.conf": _modules(installation),
        "logger.conf": "[general]\ndateformat=%F %T.%3q\n[logfiles]\nmessages.log => notice,warning,error\n",
        "http.conf": (
            f"[general]\nenabled=yes\nenablestatic=no\nbindaddr=127.0.0.1\nbindport={config.ari_port}\n"
            "sessionlimit=5000\nsession_inactivity=30000\nsession_keep_alive=15000\n"
        ),
        "ari.conf": (
            "[general]\nenabled=yes\npretty=no\nwebsocket_write_timeout=1000\n"
            f"[{config.ari_user}]\ntype=user\nread_only=no\npassword_format=plain\npassword={config.ari_password}\n"
        ),
        "rtp.conf": _rtp(config),
        "sorcery.conf": _SORCERY,
        "pjsip.conf": _pjsip(config),
        "extensions.conf": _dialplan(config),
        "musiconhold.conf": _music(config, music),
        "indications.conf": _indications(config),
        "stasis.conf": "[threadpool]\nminimum_size=5\ninitial_size=5\nidle_timeout_sec=20\nmax_size=50\n",
        "pjproject.conf": (
            "[startup]\ntype=startup\nlog_level=default\n"
            "[log_mappings]\ntype=log_mappings\nasterisk_error=0\nasterisk_warning=1\n"
        ),
        "cdr.conf": "[general]\nenable=no\n",
        "cel.conf": "[general]\nenable=no\n",
        "manager.conf": "[general]\nenabled=no\n",
        "features.conf": "[general]\n",
        "ccss.conf": "[general]\n",
        "dnsmgr.conf": "[general]\nenable=no\n",
    }
    for trunk in config.trunks:
        if trunk.transport == "tls" and trunk.authority:
            files[_authority(trunk)] = trunk.authority.strip() + "\n"
    for name in ("acl", "chan_websocket", "cli", "cli_aliases", "cli_permissions", "codecs", "dsp", "udptl"):
        files.setdefault(f"{name}.conf", "")
    for name in ("websocket_client", "enum"):
        files.setdefault(f"{name}.conf", "")
    return files


_SORCERY = "[res_pjsip]\n" + "".join(
    f"{kind}=config,pjsip.conf,criteria=type={kind}\n{kind}=memory\n" for kind in ("endpoint", "aor", "auth")
)
"""Phones of the configuration, and those in browsers, which come and go."""


def _rtp(config: AsteriskConfig) -> str:
    out = f"[general]\nrtpstart={config.rtp_ports[0]}\nrtpend={config.rtp_ports[1]}\nstrictrtp=yes\nicesupport=yes\n"
    if config.external_address and config.local_address:
        # Browsers are told the outer address beside our own.
        out += f"[ice_host_candidates]\n{config.local_address} => {config.external_address},include_local_address\n"
    return out


def web_phone_objects(phone: WebPhone, sip_host: str) -> dict[tuple[str, str], dict[str, str]]:
    """What Asterisk keeps of a browser phone: fields by kind and name, in the order in which to make them."""
    _word("name", phone.name)
    _secret("password", phone.password, required=True)
    _plain("display", phone.display)
    if re.search(r'["<>\\\\]', phone.display) or not re.fullmatch(r"[0-9A-Za-z+]{0,40}", phone.number):
        raise ConfigError("display", 'must not contain ", <, > or a backslash')
    values: dict[str, str | Sequence[str]] = {
        **_common(sip_host),
        "context": "from-extension" if phone.dials else "from-browser",
        "aors": phone.name,
        "auth": phone.name,
        "allow": ",".join(WEB_CODECS),
        "identify_by": "username,auth_username",
        "callerid": f'"{phone.display or phone.number}" <{phone.number}>',
        "rewrite_contact": "yes",
        "webrtc": "yes",
        "dtmf_mode": "rfc4733",
        "rtp_timeout": str(WEB_SILENCE_SECONDS),
        # They come through our own web server: nobody outside may try their names.
        "deny": "0.0.0.0/0.0.0.0,::/0",
        "permit": "127.0.0.1/255.255.255.255,::1/128",
    }
    fields = {key: value if isinstance(value, str) else ",".join(value) for key, value in values.items()}
    return {
        ("aor", phone.name): {
            "max_contacts": "1", "remove_existing": "yes", "minimum_expiration": "30",
            "default_expiration": "60", "maximum_expiration": "120",
        },
        ("auth", phone.name): {"auth_type": "userpass", "username": phone.name, "password": phone.password},
        ("endpoint", phone.name): fields,
    }  # fmt: skip


def _asterisk(config: AsteriskConfig, installation: Installation) -> str:
    home = config.folder
    return f"""[directories]
astetcdir => {home}/etc
astmoddir => {installation.modules}
astvarlibdir => {home}/data
astdbdir => {home}/db
astkeydir => {home}/data
astdatadir => {home}/data
astagidir => {home}/data/agi-bin
astspooldir => {home}/spool
astrundir => {run_folder(config)}
astlogdir => {home}/log
astsbindir => {installation.binary.parent}
[options]
quiet = yes
nocolor = yes
systemname = {config.system}
maxcalls = {config.max_calls * 4 + 100}
maxfiles = 65536
"""


def _modules(installation: Installation) -> str:
    names = [name for name in LOADED if name in installation.module_names]
    return "[modules]\nautoload=no\n" + "".join(f"load = {name}.so\n" for name in names)


def _section(name: str, kind: str, values: dict[str, str | Sequence[str]]) -> str:
    lines = [f"[{name}]", f"type={kind}"]
    for key, value in values.items():
        lines += [f"{key}={one}" for one in ([value] if isinstance(value, str) else value)]
    return "\n".join(lines) + "\n\n"


def _pjsip(config: AsteriskConfig) -> str:
    bracketed = f"[{config.sip_host}]" if ":" in config.sip_host else config.sip_host
    nat: dict[str, str | Sequence[str]] = {}
    if config.external_address:
        nat = {
            "external_media_address": config.external_address,
            "external_signaling_address": config.external_address,
            "local_net": config.local_networks,
        }
    out = _section("global", "global", {
        "user_agent": "Callweave",
        "endpoint_identifier_order": "username,auth_username,ip,anonymous",
        "keep_alive_interval": "90",
    })  # fmt: skip
    out += _section("system", "system", {"threadpool_initial_size": "4", "threadpool_max_size": "20"})
    for protocol in ("udp", "tcp"):
        out += _section(protocol, "transport", {"protocol": protocol, "bind": f"{bracketed}:{config.sip_port}", **nat})
    out += _section("ws", "transport", {"protocol": "ws", "bind": f"127.0.0.1:{config.ari_port}", **nat})
    if config.tls_certificate is not None:
        out += _section("tls", "transport", {
            "protocol": "tls",
            "bind": f"{bracketed}:{config.tls_port}",
            "cert_file": str(config.tls_certificate),
            "priv_key_file": str(config.tls_key),
            "method": "tlsv1_2",
            **nat,
        })  # fmt: skip
    for trunk in config.trunks:
        if trunk.transport == "tls":
            # Its own, as what is trusted belongs to a transport; calls only leave through it.
            out += _section(_transport(trunk), "transport", {
                "protocol": "tls",
                "bind": f"{bracketed}:0",
                "method": "tlsv1_2",
                "verify_server": "yes" if trunk.verify else "no",
                "ca_list_file": f"{config.folder}/etc/{_authority(trunk)}" if trunk.authority else SYSTEM_AUTHORITIES,
                "allow_reload": "yes",
                **nat,
            })  # fmt: skip
    common = _common(config.sip_host)
    out += _section(DIRECT, "endpoint", {
        **common,
        "context": "nowhere",
        "allow": ",".join(DEFAULT_CODECS),
        "identify_by": "ip",
    })  # fmt: skip
    if config.anonymous:
        out += _section(ANONYMOUS, "endpoint", {
            **common,
            "context": "from-anonymous",
            "allow": ",".join(DEFAULT_CODECS),
            "identify_by": "ip",
            "allow_transfer": "no",
        })  # fmt: skip
    return (
        out
        + "".join(_trunk(t, common) for t in config.trunks)
        + "".join(_extension(e, common) for e in config.extensions)
    )


def _common(sip_host: str) -> dict[str, str | Sequence[str]]:
    """What every endpoint has."""
    common: dict[str, str | Sequence[str]] = {
        "disallow": "all",
        "dtmf_mode": "auto_info",
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "allow_transfer": "yes",
        "rtp_timeout": "300",
        "rtp_timeout_hold": "3600",
        "language": "en",
    }
    if not ipaddress.ip_address(sip_host).is_unspecified:
        common |= {"media_address": sip_host, "bind_rtp_to_media_address": "yes"}
    return common


SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Whom this machine trusts."""


def _transport(trunk: Trunk) -> str:
    return f"tls-{trunk.name}" if trunk.transport == "tls" else trunk.transport


def _authority(trunk: Trunk) -> str:
    return f"{TRUNK}{trunk.name}.pem"


def _trunk(trunk: Trunk, common: dict[str, str | Sequence[str]]) -> str:
    name = TRUNK + trunk.name
    host = f"[{trunk.host}]" if ":" in trunk.host.strip("[]") and not trunk.host.startswith("[") else trunk.host
    suffix = "" if trunk.transport == "udp" else rf"\;transport={trunk.transport}"
    where = f"{host}:{trunk.port}{suffix}"
    values: dict[str, str | Sequence[str]] = {
        **common,
        "context": "from-trunk",
        "transport": _transport(trunk),
        "aors": name,
        "allow": ",".join(trunk.codecs),
        "identify_by": "ip",
        "trust_id_inbound": "yes",
        "send_pai": "yes",
    }
    if trunk.encryption == "srtp":
        values["media_encryption"] = "sdes"
    if trunk.username and trunk.password:
        values["outbound_auth"] = name
    if trunk.username:
        values["from_domain"] = trunk.host
    if trunk.from_user:
        values["from_user"] = trunk.from_user
    out = _section(name, "endpoint", values)
    out += _section(name, "aor", {"contact": f"sip:{where}"})
    if trunk.qualify:
        # Its own: a contact that does not answer is not dialled, and some far ends answer nothing but calls.
        probe = PROBE + trunk.name
        out += _section(probe, "endpoint", {
            **common,
            "context": "nowhere",
            "transport": _transport(trunk),
            "aors": probe,
            "allow": ",".join(trunk.codecs),
            "identify_by": "ip",
        })  # fmt: skip
        out += _section(probe, "aor", {
            "contact": f"sip:{where}", "qualify_frequency": str(PROBE_SECONDS), "qualify_timeout": "4",
        })  # fmt: skip
    out += _section(name, "identify", {
        "endpoint": name,
        "match": tuple(dict.fromkeys((trunk.host.strip("[]"), *trunk.addresses))),
        "srv_lookups": "no",
    })  # fmt: skip
    if trunk.username and trunk.password:
        out += _section(name, "auth", {
            "auth_type": "userpass", "username": trunk.username, "password": trunk.password,
        })  # fmt: skip
    if trunk.register:
        out += _section(name, "registration", {
            "transport": _transport(trunk),
            "server_uri": f"sip:{where}",
            "client_uri": f"sip:{trunk.username.partition('@')[0]}@{where}",
            "contact_user": trunk.username.partition("@")[0],
            "expiration": "600",
            "retry_interval": str(SILENT_SECONDS),
            "forbidden_retry_interval": str(REFUSED_SECONDS),
            "fatal_retry_interval": str(REFUSED_SECONDS),
            "max_retries": "100000",
            "line": "yes",
            "endpoint": name,
            **({"outbound_auth": name} if trunk.password else {}),
        })  # fmt: skip
    return out


def _extension(extension: Extension, common: dict[str, str | Sequence[str]]) -> str:
    number = extension.number
    values: dict[str, str | Sequence[str]] = {
        **common,
        "context": "from-extension",
        "aors": number,
        "auth": number,
        "allow": ",".join(WEBRTC_CODECS if extension.webrtc else DEFAULT_CODECS),
        "identify_by": "username,auth_username",
        "callerid": f'"{extension.name or number}" <{number}>',
        "rewrite_contact": "yes",
        "rtp_timeout": str(PHONE_SILENCE_SECONDS),
    }
    if extension.webrtc:
        values["webrtc"] = "yes"
    elif extension.encryption == "srtp":
        values["media_encryption"] = "sdes"
    return (
        _section(number, "endpoint", values)
        + _section(number, "aor", {"max_contacts": "1", "remove_existing": "yes"})
        + _section(number, "auth", {"auth_type": "userpass", "username": number, "password": extension.password})
    )


_PRINTABLE = r"\x20-\x7e"


def _dialplan(config: AsteriskConfig) -> str:
    """Every call goes to the application; while none is connected it rings and tries again, then is refused by 503.

    The contexts hold no pattern that the special extension ``h`` would fit. A trunk's call brings the address in its
    ``To`` header along, without what could split an argument.

    A number or Call-ID of other than printable ASCII (RFC 3261, 25.1) is refused (484): Asterisk could put neither that
    channel into JSON, nor the list of channels as long as it is up.
    """
    to = "${FILTER(a-zA-Z0-9+*#._@:,${CHANNEL(pjsip,local_uri)})}"
    out = "[nowhere]\n\n"
    for kind in ("trunk", "extension", "anonymous", "browser"):
        out += f"[from-{kind}]\n"
        called = f"incoming,{kind},${{CHANNEL(endpoint)}},{to if kind == 'trunk' else ''}"
        for pattern in ("_[+*#0-9]!", "_[a-zA-Z]."):
            out += f"""exten => {pattern},1,Set(CALLWEAVE_SAID=${{EXTEN}}${{CHANNEL(pjsip,call-id)}})
 same => n,GotoIf($[${{LEN(${{CALLWEAVE_SAID}})}} > ${{LEN(${{FILTER({_PRINTABLE},${{CALLWEAVE_SAID}})}})}}]?strange)
 same => n,Set(PJSIP_TRANSFER_HANDLING()=ari-only)
 same => n,Set(GROUP(callweave)=calls)
 same => n,GotoIf($[${{GROUP_COUNT(calls@callweave)}} > {config.max_calls}]?full)
 same => n,Set(CALLWEAVE_UNTIL=$[${{EPOCH}} + {RETRY_SECONDS}])
 same => n(enter),Stasis({config.app},{called})
 same => n,GotoIf($["${{STASISSTATUS}}" = "SUCCESS"]?done)
 same => n,Ringing()
 same => n,Wait(0.2)
 same => n,GotoIf($[${{EPOCH}} < ${{CALLWEAVE_UNTIL}}]?enter)
 same => n,Hangup(34)
 same => n(full),Set(GROUP(callweave)=surplus)
 same => n,GotoIf($[${{GROUP_COUNT(surplus@callweave)}} > {SURPLUS_LINES}]?busy)
 same => n,Stasis({config.app},{called},surplus)
 same => n(busy),Hangup(17)
 same => n(strange),Hangup(28)
 same => n(done),Hangup()
"""
        out += "\n"
    return out


def _music(config: AsteriskConfig, music: Sequence[str]) -> str:
    out = ""
    for name in dict.fromkeys(("default", *music)):
        _word("music_folder", name)
        given = config.music_folder / name if config.music_folder and name in music else None
        folder = given if given is not None else config.folder / "music" / name
        _path("music_folder", folder)
        out += f"[{name}]\nmode=files\ndirectory={folder}\nsort=alpha\n\n"
    return out


def _indications(config: AsteriskConfig) -> str:
    return f"""[general]
country={config.tones}
[cn]
description=China
ringcadence=1000,4000
dial=450
busy=450/350,0/350
ring=450/1000,0/4000
congestion=450/700,0/700
[us]
description=United States
ringcadence=2000,4000
dial=350+440
busy=480+620/500,0/500
ring=440+480/2000,0/4000
congestion=480+620/250,0/250
"""
