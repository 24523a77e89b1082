"""Confidential values: sealed columns and references, password and PIN hashes, tokens."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "enc:v1:"
_REFERENCE = re.compile(r"enc:v1:[A-Za-z0-9_\-]+={0,2}")


class SealError(Exception):
    """A reference cannot be opened: it was damaged, or sealed with a key that is gone."""


class SecretBox:
    """Seals and reveals values (`nodes.sdk.services.Secrets`).

    A reference is ``enc:v1:<token>``. The first key seals; every key opens, so that a key can be replaced by putting
    a new one in front.
    """

    def __init__(self, *keys: bytes) -> None:
        self._keys = MultiFernet([Fernet(key) for key in keys])
        self._first = keys[0]

    @classmethod
    def at(cls, home: Path) -> "SecretBox":
        """The box of an installation: ``<home>/secret.key``, made at first use, readable by its owner only."""
        file = home / "secret.key"
        content = create_private_file(file, lambda: Fernet.generate_key() + b"\n")
        keys = content.split()
        if not keys:
            raise SealError(f"{file} is empty: restore it from a backup, or remove it and enter every secret again")
        return cls(*keys)

    def seal(self, value: str) -> str:
        """A reference that holds only ciphertext."""
        return PREFIX + self._keys.encrypt(value.encode()).decode()

    def reveal(self, value: str) -> str:
        """`value` with every reference inside replaced by its plain text."""
        return _REFERENCE.sub(lambda found: self._open(found.group()), value)

    def _open(self, reference: str) -> str:
        try:
            return self._keys.decrypt(reference.removeprefix(PREFIX).encode()).decode()
        except InvalidToken as error:
            raise SealError("a sealed value cannot be opened: was the key file replaced?") from error

    def derive(self, label: str) -> str:
        """A secret of its own for a label: the same in every process that has the key, and it tells nothing of it."""
        return hmac.new(self._first, f"derive:{label}".encode(), hashlib.sha256).hexdigest()

    @staticmethod
    def is_sealed(value: str) -> bool:
        """Whether `value` is one reference and nothing else."""
        return _REFERENCE.fullmatch(value) is not None


def create_private_file(file: Path, make: Callable[[], bytes]) -> bytes:
    """The content of `file`; when it is missing, it is made with mode 0600. Two processes agree on one content."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        return file.read_bytes()
    except FileNotFoundError:
        pass
    draft = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(make())
    try:
        # A link appears whole or not at all, and never replaces the file of a process that was faster.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()


_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def hash_secret(plain: str) -> str:
    """The argon2id hash of a password or PIN. Takes tens of milliseconds: call it in a thread."""
    return _HASHER.hash(plain)


def verify_secret(hashed: str | None, plain: str) -> bool:
    """Whether `plain` has this hash. Without a hash the same time is spent, so that nobody learns who exists."""
    try:
        return _HASHER.verify(hashed or _nobody(), plain) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(hashed)


@cache
def _nobody() -> str:
    return hash_secret(secrets.token_hex(16))


def new_token() -> str:
    """A random token of 256 bits."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


API_TOKEN_FILE = "api.token"  # noqa: S105 - the name of a file


def api_token(home: Path) -> str:
    """The token that the local command line proves itself with: ``<home>/api.token``, 0600, made at first use."""
    return create_private_file(home / API_TOKEN_FILE, lambda: new_token().encode()).decode().strip()
