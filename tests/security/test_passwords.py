"""A new password is one that nobody tries: not short, not endless, not the person's name, not what everybody takes."""

import base64

import pytest
from argon2 import PasswordHasher

from kit import passwords
from kit.passwords import WeakPasswordError, check_strength

ME = "toni.technik@probehaus.example"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("kurz", "zu kurz"),
        ("Wort " * 26, "höchstens 128"),
        ("ababababababab", "wiederholt"),
        ("ich bin toni.technik", "E-Mail-Adresse"),
        ("1q2w3e4r5t6y", "leicht zu erraten"),  # on the lists of stolen passwords
        ("qwertzuiop12", "leicht zu erraten"),
        ("Passwort123!", "leicht zu erraten"),
        ("Willkommen2026!", "leicht zu erraten"),
        ("ichliebedich1987", "leicht zu erraten"),
        ("Probehaus-2026", "leicht zu erraten"),  # the house, from the address
    ],
)
def test_what_is_tried_first_is_refused(password: str, why: str) -> None:
    with pytest.raises(WeakPasswordError, match=why):
        check_strength(password, ME)


@pytest.mark.parametrize(
    "password", ["richtig pferd batterie klammer", "Zw7#kq!Lm2$vX", "Ein gutes Kennwort 1", "x" + "Lkq7 " * 25]
)
def test_what_nobody_tries_is_taken_whatever_its_signs(password: str) -> None:
    check_strength(password, ME)


def _ring(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    entries = (f"{name}:{base64.b64encode(name.ljust(32).encode()).decode()}" for name in names)
    monkeypatch.setenv("DREHKREUZ_VAULT_KEYS", ",".join(entries))


def test_a_hash_opens_with_the_house_s_key_alone_and_is_renewed_under_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database alone is not enough to guess: the hash is of the password's HMAC under a key of the ring."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    passwords._nobody.cache_clear()
    _ring(monkeypatch, "2026a")
    stored = passwords.hashed("drei müde Wanderschuhe")
    assert stored.startswith("hmac:2026a:$argon2id$")
    assert passwords.verify(stored, "drei müde Wanderschuhe")
    assert not passwords.verify(stored, "drei muntere Wanderschuhe")
    assert not passwords.outdated(stored)
    bare = stored.removeprefix("hmac:2026a:")
    assert not passwords.verify(bare, "drei müde Wanderschuhe"), "without the key the right guess does not fit"

    _ring(monkeypatch, "2027a", "2026a")
    assert passwords.verify(stored, "drei müde Wanderschuhe")
    assert passwords.outdated(stored), "the next sign-in renews it under the new key"
    _ring(monkeypatch, "2027a")
    assert not passwords.verify(stored, "drei müde Wanderschuhe"), "its key is gone: a new password is needed"
    passwords._nobody.cache_clear()


def test_hashes_from_before_the_key_still_open_and_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    _ring(monkeypatch, "2026a")
    old = quick.hash("drei müde Wanderschuhe")
    assert passwords.verify(old, "drei müde Wanderschuhe")
    assert passwords.outdated(old)


@pytest.mark.parametrize(
    ("password", "level", "said"),
    [
        ("kurz", 0, "zu kurz"),
        ("Passwort123!", 1, "leicht zu erraten"),
        ("drei müde Wanderschuhe im Regal", 4, "Sehr gut"),
    ],
)
def test_the_display_judges_as_saving_does(password: str, level: int, said: str) -> None:
    found = passwords.strength(password, ME)
    assert found.level == level
    assert said in found.text
