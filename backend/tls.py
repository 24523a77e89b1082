"""HTTPS: a certificate of our own, or the user's."""

import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.settings import Settings

VALID = timedelta(days=825)
RENEW = timedelta(days=30)


class TlsError(Exception):
    """The certificate cannot be used; the text says what to do."""


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """``ssl_certfile`` and ``ssl_keyfile`` for uvicorn; empty without HTTPS. Raises TlsError."""
    if settings.https == "off":
        return {}
    if settings.https == "self-signed":
        certificate, key = ensure_certificate(settings.home / "tls", _names(settings))
    else:
        if settings.tls_certificate is None or settings.tls_key is None:
            raise TlsError("HTTPS=files needs CALLWEAVE_TLS_CERTIFICATE and CALLWEAVE_TLS_KEY")
        certificate, key = settings.tls_certificate, settings.tls_key
        for file in (certificate, key):
            if not os.access(file, os.R_OK):
                raise TlsError(f"{file} cannot be read: check the path and its rights")
    return {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}


def _names(settings: Settings) -> list[str]:
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname()]
    if settings.public_url:
        names.append(urlsplit(settings.public_url).hostname or "")
    names += [settings.http_host, settings.external_address]
    return sorted({name for name in names if name and name not in ("0.0.0.0", "::")})  # noqa: S104 - left out


def ensure_certificate(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """A self-signed certificate for these names; made anew when it ends soon or a name is missing."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not _good(certificate, key, names):
        _make(certificate, key, names)
    return certificate, key


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _good(certificate: Path, key: Path, names: list[str]) -> bool:
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        known = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    same_key = private.public_key() == found.public_key()
    return (
        same_key
        and found.not_valid_after_utc > datetime.now(UTC) + RENEW
        and {_general(n) for n in names} <= set(known)
    )


def _make(certificate: Path, key: Path, names: list[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Callweave")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key.parent.mkdir(parents=True, exist_ok=True)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = key.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pem)
    draft.replace(key)
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
