"""The vault: sealed for one row, changed or moved boxes do not open, keys rotate."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.vault import Vault, VaultError, ring, vault

OLD, NEW = Vault({"2026a": b"a" * 32}, "2026a"), Vault({"2027a": b"b" * 32, "2026a": b"a" * 32}, "2027a")


@given(st.text(max_size=200), st.integers())
def test_what_is_sealed_opens_for_its_row_only(secret: str, row: int) -> None:
    sealed = OLD.seal(secret, "login", row)
    assert OLD.open(sealed, "login", row) == secret
    with pytest.raises(VaultError):
        OLD.open(sealed, "login", row + 1)
    with pytest.raises(VaultError):
        OLD.open(sealed, "credential", row)


def test_equal_secrets_look_different() -> None:
    assert OLD.seal("gleich", "login", 1) != OLD.seal("gleich", "login", 1)


@given(st.data())
def test_a_changed_box_never_opens(data: st.DataObject) -> None:
    sealed = bytearray(OLD.seal("geheim", "login", 1))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultError):
        OLD.open(bytes(sealed), "login", 1)


@pytest.mark.parametrize("nonsense", [b"", b"\x01", b"\x01\x05abc", b"\x02" * 200])
def test_what_is_no_box_says_so(nonsense: bytes) -> None:
    with pytest.raises(VaultError, match="kein versiegelter Inhalt"):
        OLD.open(nonsense, "login", 1)


def test_keys_rotate_without_touching_the_secret() -> None:
    sealed = OLD.seal("geheim", "login", 1)
    renewed = NEW.rewrap(sealed, "login", 1)
    assert (NEW.key_id(sealed), NEW.key_id(renewed)) == ("2026a", "2027a")
    alone = Vault({"2027a": b"b" * 32}, "2027a")
    assert alone.open(renewed, "login", 1) == "geheim"
    with pytest.raises(VaultError, match=r"»2026a«.*DREHKREUZ_VAULT_KEYS"):
        alone.open(sealed, "login", 1)


def coded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_the_ring_is_read_from_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
    monkeypatch.setenv("DREHKREUZ_VAULT_KEYS", f"2027a:{coded(b'b' * 32)}, 2026a:{coded(b'a' * 32)}")
    assert vault() == NEW


@pytest.mark.parametrize(
    "written",
    [
        "2027a",
        "2027a:",
        f":{coded(b'b' * 32)}",
        "2027a:kurz",
        f"a:{coded(b'c' * 32)},a:{coded(b'd' * 32)}",
        f"a:{coded(b'x' * 16)}",
    ],
)
def test_a_malformed_ring_names_the_entry_and_no_key(written: str) -> None:
    with pytest.raises(VaultError, match=r"Eintrag [12] ist nicht lesbar") as fault:
        ring(written)
    assert "kurz" not in str(fault.value)


def test_without_setting_the_home_has_its_own_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DREHKREUZ_HOME", str(tmp_path))
    monkeypatch.delenv("DREHKREUZ_VAULT_KEYS", raising=False)
    assert vault().open(vault().seal("geheim", "login", 1), "login", 1) == "geheim"
    assert (tmp_path / "secrets" / "vault").stat().st_mode & 0o777 == 0o600


def test_systemd_hands_the_ring_over_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LoadCredential=DREHKREUZ_VAULT_KEYS:…: no secret in the environment, in `.env` or in the home; a variable goes before."""
    home, given = tmp_path / "home", tmp_path / "credentials"
    home.mkdir()
    given.mkdir()
    monkeypatch.setenv("DREHKREUZ_HOME", str(home))
    (given / "DREHKREUZ_VAULT_KEYS").write_text(f"2027a:{base64.b64encode(b'c' * 32).decode()}\n", encoding="utf-8")
    (given / "fremd").write_text("gehört einem anderen Programm", encoding="utf-8")
    monkeypatch.delenv("DREHKREUZ_VAULT_KEYS", raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert vault().keys == {"2027a": b"c" * 32}
    assert not (home / "secrets" / "vault").exists(), "no key of the home's own is made"
    monkeypatch.setenv("DREHKREUZ_VAULT_KEYS", f"2026a:{base64.b64encode(b'a' * 32).decode()}")
    assert vault().current == "2026a"
