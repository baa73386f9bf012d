"""The house's mailbox over IMAP: what lies there, one letter at a time, and aside with what has been stored.

A letter is never marked: whether it is done is known by our database alone, and on the server by the folder it lies in.
Texts of errors never carry the address of the mailbox as it was set, since the password is part of it.
"""

import base64
import datetime as dt
import ipaddress
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any, Protocol, Self
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from integrations.mail.types import MailSettingsError
from kit.errors import DrehkreuzError

DONE_FOLDER = "Verarbeitet"
"""Where letters go once they are stored; nobody but people ever deletes there."""
_SETTING = "DREHKREUZ_IMAP_URL"
_EXAMPLE = "imaps://benutzer:kennwort@server/INBOX"
_HEAD = "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]"
_HEAD_LIMIT = 600  # characters of the head of a letter that is not fetched
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


class MailboxError(DrehkreuzError):
    """The mailbox is away or does not do what is needed: the round ends, the next one tries again."""


class LetterError(MailboxError):
    """The server refuses this one letter; the others may be fine."""


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """Where and as whom. `tls` is what the address says, never "if offered"; `timeout` in seconds; `ca_file` PEM."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    timeout: float = 30.0
    ca_file: str = ""

    @property
    def place(self) -> str:
        """How the mailbox is named to people."""
        return f"Postfach {self.user} auf {self.host}:{self.port}, Ordner »{self.folder}«"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as it lies there. `raw` is None when it is larger than allowed and was not fetched; `head` then names it.

    `place` is the same as long as the letter lies there: server, user, folder, UIDVALIDITY, UID. `received_at` is the
    server's time of receipt (INTERNALDATE, UTC), not what the sender wrote.
    """

    uid: int
    place: str
    size: int
    received_at: dt.datetime | None
    raw: bytes | None
    head: str = ""


class Mailbox(Protocol):
    """What the steps need of a mailbox."""

    @property
    def name(self) -> str: ...

    def uids(self) -> list[int]: ...

    def letter(self, uid: int, max_bytes: int) -> Letter | None: ...

    def put_aside(self, uid: int) -> None: ...


def address_of(url: str, timeout: float = 30.0, ca_file: str = "") -> MailboxAddress:
    """Read `imaps://user:password@server[:port]/folder`; user, password and folder are percent-decoded.

    Raises:
        MailSettingsError: not such an address, or unencrypted beyond this machine.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:  # its text may hold a piece of the password
        host, port, parts = "", None, urlsplit("")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    whole = parts.scheme in {"imaps", "imap"} and host and user and password
    if not whole or parts.query or parts.fragment or _UNPRINTABLE.search(user + password + folder):
        raise MailSettingsError(
            f"{_SETTING}: keine vollständige Adresse der Form {_EXAMPLE}. Sonderzeichen in Benutzer und Kennwort "
            "(etwa / ? # % :) bitte prozentkodieren, zum Beispiel %2F für den Schrägstrich."
        )
    tls = parts.scheme == "imaps"
    if not tls and not _is_loopback(host):
        raise MailSettingsError(
            f"{_SETTING}: imap:// überträgt das Kennwort unverschlüsselt und gilt nur auf diesem Rechner; "
            f"bitte imaps:// für {host} einstellen."
        )
    if folder.rpartition("/")[2].rpartition(".")[2] == DONE_FOLDER:
        raise MailSettingsError(
            f"{_SETTING}: In »{DONE_FOLDER}« liegt, was schon gelesen ist; bitte einen anderen Ordner nennen, meist INBOX."
        )
    return MailboxAddress(host, port or (993 if tls else 143), tls, user, password, folder, timeout, ca_file)


class ImapMailbox:
    """One connection with its folder open for writing. Use as a context manager.

    Raises:
        MailboxError: on entering and at every call, when the server is away, silent or refuses.
    """

    def __init__(self, address: MailboxAddress) -> None:
        self._address = address
        self._client: IMAPClient | None = None
        self._validity = 0
        self._aside = ""

    @property
    def name(self) -> str:
        return self._address.place

    def __enter__(self) -> Self:
        try:
            self._connect()
            self._log_in()
            self._open_folder()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye; a server that no longer listens is no fault."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            client.logout()
        except (IMAPClientError, OSError):
            try:
                client.shutdown()
            except OSError:
                return

    def uids(self) -> list[int]:
        """Everything in the folder, oldest first, whatever its flags say."""
        with self._fault("sieht den Ordner nicht durch"):
            return sorted(self._open.search("ALL"))

    def letter(self, uid: int, max_bytes: int) -> Letter | None:
        """The letter, unread as it was; None when it is not there any more (another process was quicker).

        Args:
            uid: one of `uids()`.
            max_bytes: a larger one is described instead of fetched.

        Raises:
            LetterError: the server refuses this letter alone.
        """
        with self._fault("gibt eine Mail nicht heraus", letter=uid):
            about = self._open.fetch([uid], ["RFC822.SIZE", "INTERNALDATE"]).get(uid, {})
            if b"RFC822.SIZE" not in about:
                return None
            size, received_at = int(about[b"RFC822.SIZE"]), _utc(about.get(b"INTERNALDATE"))
            raw = self._body(uid, "BODY.PEEK[]") if size <= max_bytes else None
            if size <= max_bytes and raw is None:
                return None
            if raw is not None and len(raw) <= max_bytes:
                return Letter(uid, self._place(uid), len(raw), received_at, raw)
            return Letter(uid, self._place(uid), size, received_at, None, _one_line(self._body(uid, _HEAD) or b""))

    def put_aside(self, uid: int) -> None:
        """Move the letter to »Verarbeitet«; one that is gone already is no fault."""
        with self._fault(f"verschiebt nicht nach »{DONE_FOLDER}«"):
            if not self._aside:
                self._aside = self._done_folder()
            self._open.move([uid], self._aside)

    @property
    def _open(self) -> IMAPClient:
        if self._client is None:
            raise MailboxError(f"{self.name}: nicht geöffnet.")
        return self._client

    def _place(self, uid: int) -> str:
        address = self._address
        return f"{address.host}/{address.user}/{address.folder}/{self._validity}/{uid}"

    def _body(self, uid: int, item: str) -> bytes | None:
        """The bytes of the item; a server may answer with more than was asked for."""
        answer: dict[bytes, Any] = self._open.fetch([uid], [item]).get(uid, {})
        return next((value for key, value in answer.items() if key.startswith(b"BODY[") and isinstance(value, bytes)), None)

    def _connect(self) -> None:
        address = self._address
        with self._fault("nicht erreichbar"):
            context = ssl.create_default_context(cafile=address.ca_file or None) if address.tls else None
            self._client = IMAPClient(address.host, address.port, ssl=address.tls, ssl_context=context, timeout=address.timeout)
            self._client.normalise_times = False

    def _log_in(self) -> None:
        """By AUTHENTICATE PLAIN where offered, since LOGIN carries only ASCII."""
        address, client = self._address, self._open
        try:
            with self._fault("bricht bei der Anmeldung ab"):
                if client.has_capability("AUTH=PLAIN"):
                    client.plain_login(address.user, address.password)
                else:
                    client.login(address.user, address.password)
        except UnicodeEncodeError:
            raise MailboxError(
                f"{self.name}: Der Mailserver nimmt nur Kennwörter ohne Umlaute an; bitte das Kennwort ändern."
            ) from None

    def _open_folder(self) -> None:
        with self._fault("öffnet den Ordner nicht; bitte den Namen am Ende der Adresse prüfen"):
            if not self._open.has_capability("MOVE"):
                raise MailboxError(
                    f"{self.name}: Der Mailserver kann nicht verschieben (MOVE, RFC 6851); bitte ein Postfach auf einem "
                    "Server wählen, der es kann."
                )
            self._validity = int(self._open.select_folder(self._address.folder).get(b"UIDVALIDITY", 0))

    def _done_folder(self) -> str:
        """Its full name; made when it is missing. Another process may make it at the same moment."""
        client, prefix = self._open, ""
        if client.has_capability("NAMESPACE"):
            personal = client.namespace().personal
            prefix = personal[0][0] if personal else ""
        name = f"{prefix}{DONE_FOLDER}"
        if not client.folder_exists(name):
            try:
                client.create_folder(name)
            except IMAPClientAbortError:
                raise
            except IMAPClientError:
                if not client.folder_exists(name):
                    raise
        return name

    @contextmanager
    def _fault(self, what: str, letter: int = 0) -> Iterator[None]:
        """Say in German what went wrong: place, what failed, what the server said, remedy."""
        remedy = f"Der nächste Lauf versucht es wieder; bleibt es dabei, bitte {_SETTING} und den Mailserver prüfen."
        try:
            yield
        except LoginError as no:
            raise MailboxError(
                f"{self.name}: Der Mailserver lehnt die Anmeldung ab ({self._said(no)}); bitte Benutzer und Kennwort in "
                f"{_SETTING} prüfen."
            ) from None
        except ssl.SSLError as no:
            raise MailboxError(
                f"{self.name}: Die verschlüsselte Verbindung kam nicht zustande ({self._said(no)}); bitte Name und "
                "Zertifikat des Mailservers prüfen."
            ) from no
        except (IMAPClientAbortError, OSError) as no:
            raise MailboxError(f"{self.name}: Der Mailserver {_broken(what)} ({self._said(no)}). {remedy}") from no
        except IMAPClientError as no:
            kind = LetterError if letter else MailboxError
            which = f", Mail UID {letter}" if letter else ""
            raise kind(f"{self.name}{which}: Der Mailserver {_broken(what)} ({self._said(no)}). {remedy}") from no

    def _said(self, fault: Exception) -> str:
        """The server's words; some repeat the command, and the password with it."""
        said = _UNPRINTABLE.sub(" ", str(fault)).strip()
        user, password = self._address.user, self._address.password
        for secret in (base64.b64encode(f"\0{user}\0{password}".encode()).decode(), password):
            said = said.replace(secret, "***")
        return said[:300] or type(fault).__name__


def _broken(what: str) -> str:
    return f"ist {what}" if what.startswith("nicht") else what


def _utc(at: dt.datetime | None) -> dt.datetime | None:
    return at.astimezone(dt.UTC) if at is not None and at.tzinfo is not None else None


def _one_line(head: bytes) -> str:
    """»From: … Subject: …« as a person reads it; nothing in a head may stop us."""
    text = head.decode("utf-8", "replace")
    with suppress(ValueError, LookupError, HeaderParseError):  # an encoding that nobody knows: shown as it came
        text = str(make_header(decode_header(text)))
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:_HEAD_LIMIT]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
