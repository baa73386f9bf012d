"""Tresor: AES-256-GCM envelopes for what must be readable again (second factors, credentials), each bound to its row.

A secret has a data key of its own, wrapped by a key of the ring. Rotation wraps the data key anew and never touches the
secret; a box that is moved to another row does not open, because the row's identity is part of what is authenticated.

The ring comes from the setting `VAULT_KEYS` (`2027a:<base64 of 32 bytes>,2026a:…`, the first one seals); without it the home
has a key of its own in `secrets/`, which a backup must keep apart from the database.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.database import home_secret
from kit.errors import DrehkreuzError
from kit.settings import settings

HOME_KEY = "heim"
_FORMAT = 1
_NONCE = 12
_KEY = 32
_TAG = 16
_WRAPPED = _NONCE + _KEY + _TAG


class VaultError(DrehkreuzError):
    """The ring is malformed, a key is gone, or the box was changed or moved."""


@dataclass(frozen=True, slots=True)
class Vault:
    """A key ring: key id -> 32 bytes. `current` seals, all others only open."""

    keys: Mapping[str, bytes]
    current: str

    def seal(self, secret: str, *row: object) -> bytes:
        """Close the secret for one row, e.g. `seal(text, "login", 7)`: opening needs the same identity."""
        data_key = AESGCM.generate_key(bit_length=256)
        nonce = os.urandom(_NONCE)
        box = nonce + AESGCM(data_key).encrypt(nonce, secret.encode(), _identity(row))
        return self._wrapped(data_key, row) + box

    def open(self, sealed: bytes, *row: object) -> str:
        """The secret. Raises: VaultError when key, row or content do not fit."""
        data_key, box = self._unwrapped(sealed, row)
        try:
            return AESGCM(data_key).decrypt(box[:_NONCE], box[_NONCE:], _identity(row)).decode()
        except InvalidTag:
            raise VaultError(f"Tresor: Der Inhalt von {_place(row)} wurde verändert; bitte neu hinterlegen.") from None

    def rewrap(self, sealed: bytes, *row: object) -> bytes:
        """The same box under the current key. Afterwards an old key may leave the ring."""
        data_key, box = self._unwrapped(sealed, row)
        return self._wrapped(data_key, row) + box

    def key_id(self, sealed: bytes) -> str:
        """Which key of the ring closed it."""
        return _split(sealed)[0]

    def _wrapped(self, data_key: bytes, row: tuple[object, ...]) -> bytes:
        nonce, name = os.urandom(_NONCE), self.current.encode()
        wrapped = nonce + AESGCM(self.keys[self.current]).encrypt(nonce, data_key, _identity(row))
        return bytes((_FORMAT, len(name))) + name + wrapped

    def _unwrapped(self, sealed: bytes, row: tuple[object, ...]) -> tuple[bytes, bytes]:
        name, wrapped, box = _split(sealed)
        if name not in self.keys:
            raise VaultError(
                f"Tresor: Der Schlüssel »{name}« für {_place(row)} fehlt im Schlüsselbund; "
                "bitte in DREHKREUZ_VAULT_KEYS ergänzen."
            )
        try:
            return AESGCM(self.keys[name]).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _identity(row)), box
        except InvalidTag:
            raise VaultError(
                f"Tresor: {_place(row)} lässt sich mit dem Schlüssel »{name}« nicht öffnen; "
                "Schlüssel und Zeile gehören nicht zusammen."
            ) from None


def _identity(row: tuple[object, ...]) -> bytes:
    return b"\x1f".join(str(part).encode() for part in row)


def _place(row: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in row)


def _split(sealed: bytes) -> tuple[str, bytes, bytes]:
    if len(sealed) < 2 or sealed[0] != _FORMAT or len(sealed) < 2 + sealed[1] + _WRAPPED + _NONCE + _TAG:
        raise VaultError("Tresor: Das ist kein versiegelter Inhalt; bitte neu hinterlegen.")
    start = 2 + sealed[1]
    return sealed[2:start].decode("utf-8", "replace"), sealed[start : start + _WRAPPED], sealed[start + _WRAPPED :]


def ring(written: str) -> Vault:
    """Read `id:base64,id:base64`. Raises: VaultError that names the entry (never its key)."""
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(written.split(","), start=1):
        name, _, coded = entry.strip().partition(":")
        try:
            key = base64.b64decode(coded, validate=True)
        except binascii.Error:
            key = b""
        if not 0 < len(name.encode()) <= 64 or len(key) != _KEY or name in keys:
            raise VaultError(
                f"DREHKREUZ_VAULT_KEYS: Eintrag {number} ist nicht lesbar; "
                "erlaubt ist Kennung:Base64 von 32 Bytes, jede Kennung einmal."
            )
        keys[name] = key
    return Vault(keys, next(iter(keys)))


def vault() -> Vault:
    """The vault of this home by its settings."""
    written = settings().vault_keys.get_secret_value().strip()
    if written:
        return ring(written)
    return Vault({HOME_KEY: hashlib.sha256(home_secret("vault").encode()).digest()}, HOME_KEY)
