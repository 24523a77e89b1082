"""What a private Asterisk is made of, as data, and the configuration files rendered from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from telephony.asterisk.install import Installation

Transport = Literal["udp", "tcp", "tls"]
Encryption = Literal["off", "srtp"]

DEFAULT_CODECS = ("alaw", "ulaw", "g722")


class ConfigError(ValueError):
    """A value cannot go into the configuration. ``field`` names it, the message says the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP trunk to a provider or an office exchange.

    Calls from `host` and from the `addresses` (IP addresses or networks) come in through it.
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


@dataclass(frozen=True, slots=True)
class Extension:
    """A phone of our own: it registers with its number and password."""

    number: str
    password: str = field(repr=False)
    name: str = ""
    webrtc: bool = False
    encryption: Encryption = "off"


@dataclass(frozen=True, slots=True)
class AsteriskConfig:
    """One private Asterisk. `folder` holds everything it writes."""

    folder: Path
    ari_password: str = field(repr=False)
    app: str = "callweave"
    ari_user: str = "callweave"
    ari_port: int = 8088
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_ports: tuple[int, int] = (20000, 22000)
    external_address: str = ""
    local_networks: tuple[str, ...] = ()
    max_calls: int = 1000
    anonymous: bool = True
    trunks: tuple[Trunk, ...] = ()
    extensions: tuple[Extension, ...] = ()
    music_folder: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_port: int = 5061

    @property
    def recordings(self) -> Path:
        """Where recordings are written, each as ``<name>.wav``."""
        return self.folder / "spool" / "recording"

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.ari_port}"


def render(config: AsteriskConfig, installation: Installation) -> dict[str, str]:
    """All configuration files by name. Raises `ConfigError` on a value that could break out of its line."""
    raise NotImplementedError
