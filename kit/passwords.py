"""Passwords: argon2id (RFC 9106, second recommended set), few at a time, the same time for known and unknown people.

What is hashed is the password's HMAC under a key of the ring (`kit/vault.py`), a pepper: who has the database alone cannot even
begin to guess (ASVS 2.4.5). The hash names its key; hashes without one, or of an older key, are renewed at the next sign-in.

A new one is measured by zxcvbn: how many guesses it takes whoever begins with lists of stolen passwords, names, rows of the
keyboard, dates and what is known of the person.
"""

import hashlib
import hmac
import logging
import re
import threading
from dataclasses import dataclass
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kit.errors import UsageError
from kit.vault import vault

log = logging.getLogger(__name__)

MINIMUM = 12
_MAXIMUM = 128
_GUESSABLE = 3
"""Of zxcvbn's 0 to 4; below it a password takes less than 10^8 guesses."""
_MEASURED = 72
"""Signs that are measured: time grows with the cube of the length, and what is longer is strong by then."""
EXPECTED = (
    "passwort", "kennwort", "geheim", "geheimnis", "willkommen", "hallo", "schatz", "liebe", "ichliebedich", "sommer", "winter",
    "fruehling", "frühling", "herbst", "januar", "februar", "maerz", "märz", "april", "juni", "juli", "august", "september",
    "oktober", "november", "dezember", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag",
    "fussball", "fußball", "deutschland", "anmeldung", "zugang", "service", "portal", "serviceportal", "drehkreuz", "qwertz",
    "qwertzuiop", "asdfghjkl", "yxcvbnm", "1qay2wsx3edc",
)  # fmt: skip
"""What people in Germany begin with; the lists of zxcvbn are English."""
_AT_ONCE = threading.BoundedSemaphore(3)  # each needs 64 MiB; a wave of attempts must not eat the memory
_hasher = PasswordHasher()
_PEPPERED = "hmac:"
"""Before a hash with a pepper: `hmac:<key of the ring>:<argon2id>`."""


class WeakPasswordError(UsageError):
    """The password is too easy; the sentence says what is missing."""


def check_strength(password: str, email: str) -> None:
    """Raises: WeakPasswordError. Length counts, not a mixture of signs (BSI ORP.4, NIST SP 800-63B)."""
    name = email.partition("@")[0].lower()
    if len(password) < MINIMUM:
        raise WeakPasswordError(
            f"Das Kennwort ist zu kurz: Bitte wählen Sie mindestens {MINIMUM} Zeichen, gern mehrere Wörter."
        )
    if len(password) > _MAXIMUM:
        raise WeakPasswordError(f"Das Kennwort ist zu lang: Erlaubt sind höchstens {_MAXIMUM} Zeichen.")
    if len(set(password.lower())) < 6:
        raise WeakPasswordError("Das Kennwort wiederholt wenige Zeichen: Bitte wählen Sie mehrere verschiedene Wörter.")
    if len(name) >= 4 and name in password.lower():
        raise WeakPasswordError("Das Kennwort enthält Ihre E-Mail-Adresse: Bitte wählen Sie etwas, das niemand errät.")
    if _is_guessable(password, email):
        raise WeakPasswordError(
            "Das Kennwort ist leicht zu erraten: Es besteht aus häufig benutzten Kennwörtern, Tastenfolgen oder Jahreszahlen. "
            "Bitte wählen Sie mehrere Wörter, die nichts miteinander zu tun haben."
        )


@dataclass(frozen=True, slots=True)
class Strength:
    """How good a password is while it is typed: `level` 0 (refused) to 4, and a sentence."""

    level: int
    text: str


def strength(password: str, email: str) -> Strength:
    """The same judgement as `check_strength`, to be shown (ASVS 2.1.8)."""
    try:
        check_strength(password, email)
    except WeakPasswordError as weak:
        return Strength(0 if len(password) < MINIMUM else 1, str(weak))
    if _score(password, email) > _GUESSABLE:
        return Strength(4, "Sehr gut: Dieses Kennwort errät niemand.")
    return Strength(3, "Gut. Ein Wort mehr macht es noch schwerer zu erraten.")


def _is_guessable(password: str, email: str) -> bool:
    return _score(password, email) < _GUESSABLE


def _score(password: str, email: str) -> int:
    from zxcvbn import zxcvbn  # its lists take a fifth of a second

    known = [*EXPECTED, *re.split(r"[^\w]+", email.lower())]
    return int(zxcvbn(password[:_MEASURED], user_inputs=known)["score"])


def hashed(password: str) -> str:
    """The hash to store, with its parameters and the name of its key inside. Raises: VaultError."""
    ring = vault()
    given = _peppered(password, ring.keys[ring.current])
    with _AT_ONCE:
        return f"{_PEPPERED}{ring.current}:{_hasher.hash(given)}"


def _peppered(password: str, key: bytes) -> str:
    """The password's HMAC; the key is one for passwords alone, derived from the ring's."""
    pepper = hmac.digest(key, b"drehkreuz:kennwort", hashlib.sha256)
    return hmac.new(pepper, password.encode(), hashlib.sha256).hexdigest()


def _key_of(stored: str) -> tuple[str, str]:
    """Name of the key and the argon2 hash; no name for a hash from before there were peppers."""
    if not stored.startswith(_PEPPERED):
        return "", stored
    name, _, rest = stored.removeprefix(_PEPPERED).partition(":")
    return name, rest


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash("niemand hat dieses Kennwort")


def warm_up() -> None:
    """Compute the hash for unknown people now, so that the first of them takes no longer than the rest."""
    _nobody()


def verify(stored: str | None, password: str) -> bool:
    """Whether the password fits. Without a stored hash, or without its key, it takes the same time and never fits."""
    name, argon = _key_of(stored or "")
    key = vault().keys.get(name) if name else None
    if name and key is None:
        log.error("Kennwörter: Der Schlüssel »%s« fehlt im Schlüsselbund (DREHKREUZ_VAULT_KEYS)", name)
        stored = None
    given = _peppered(password, key) if key is not None else password
    with _AT_ONCE:
        try:
            return _hasher.verify(argon if stored else _nobody(), given) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(stored: str) -> bool:
    """Whether the hash has weaker parameters than today's, no pepper or that of an older key; the next sign-in renews it."""
    name, argon = _key_of(stored)
    return name != vault().current or _hasher.check_needs_rehash(argon)
