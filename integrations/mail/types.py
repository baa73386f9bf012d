"""Plain values that go into and come out of outgoing mail. No message is read or sent here."""

import enum
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

from kit.errors import DrehkreuzError

AutoSubmitted = Literal["auto-generated", "auto-replied", "no"]
TlsMode = Literal["required", "starttls", "none"]


class MailContentError(DrehkreuzError):
    """A mail that may not be built: a control character in a header, an address that is none, no recipient."""


class MailSettingsError(DrehkreuzError):
    """The mail settings contradict each other or would send a password unprotected."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address with the name that stands beside it."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A finished file that travels with the mail."""

    filename: str
    content: bytes
    content_type: str = "application/pdf"


@dataclass(frozen=True, slots=True)
class MailTexts:
    """Subject and both bodies of one mail, as its templates gave them."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A finished mail: the bytes never change again, however often they are handed over.

    `sender` and `recipients` are the envelope; `raw` has CRLF line ends and is pure ASCII.
    """

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    raw: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()

    def only(self, recipients: tuple[str, ...]) -> Self:
        """The same bytes for a part of the envelope: what is left after some recipients were accepted."""
        return replace(self, recipients=recipients)


class SendState(enum.StrEnum):
    """What became of one hand-over to the mail server."""

    ACCEPTED = "accepted"  # the server took it for at least one recipient
    REFUSED = "refused"  # final: sending the same again is useless
    TEMPORARY = "temporary"  # surely not taken; try again later
    UNCLEAR = "unclear"  # the final dot left, the answer never came: may or may not be delivered


@dataclass(frozen=True, slots=True)
class RecipientRefusal:
    """The server's no to one recipient (RFC 5321 code and text)."""

    recipient: str
    code: int
    text: str

    @property
    def permanent(self) -> bool:
        return self.code >= 500


@dataclass(frozen=True, slots=True)
class SendResult:
    """Outcome of one mail.

    `reply` is the server's last answer (with its queue id, where it gives one); `refused` names every recipient that
    was not taken, also when the others were (`state` is then ACCEPTED); `reason` is a German sentence, empty when all
    went well. `whole_server` says that the fault is the server's or the settings', not this mail's: the rest of the
    batch would fare the same.
    """

    state: SendState
    reply: str = ""
    code: int = 0
    accepted: tuple[str, ...] = ()
    refused: tuple[RecipientRefusal, ...] = ()
    reason: str = ""
    whole_server: bool = False

    @property
    def partial(self) -> bool:
        """Taken for some recipients only."""
        return self.state is SendState.ACCEPTED and bool(self.refused)

    @property
    def retry_recipients(self) -> tuple[str, ...]:
        """Recipients that were refused for the moment only (4xx), while others were accepted."""
        return tuple(r.recipient for r in self.refused if not r.permanent)


BeforeData = Callable[[OutgoingMail], Awaitable[None] | None]
"""Called when every recipient has been answered and DATA comes next: the place to commit `in_flight`.

It may raise: then nothing is sent and the exception reaches the caller of `send`.
"""


def nothing_before_data(_mail: OutgoingMail) -> None:
    """For callers that keep no state of their own."""


class MailSender(Protocol):
    """Hands finished mails to a mail server, over one connection as long as that holds."""

    def send(self, mail: OutgoingMail, before_data: BeforeData = nothing_before_data) -> SendResult: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how mail goes out. TLS is never "if offered": `required` and `starttls` fail without it.

    `timeout` (seconds) ends the wait for every answer; the answer to a finished mail may take four times as long, because
    servers scan it then and giving up early leaves an unclear mail. `ca_file` names own certificate authorities (PEM).
    """

    host: str
    port: int = 587
    tls: TlsMode = "starttls"
    user: str = ""
    password: str = ""
    timeout: float = 30.0
    ca_file: str = ""
    local_name: str = ""


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """One address that a bounce speaks of. `status` is the enhanced code (RFC 3463), "" when none is given."""

    recipient: str
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail that came back (or hangs: `permanent` is then False).

    `message_id` is the original mail's, with angle brackets, "" when the bounce does not carry it.
    """

    message_id: str
    recipients: tuple[BouncedRecipient, ...]
    permanent: bool

    @property
    def recipient(self) -> str:
        return self.recipients[0].recipient if self.recipients else ""

    @property
    def status(self) -> str:
        return self.recipients[0].status if self.recipients else ""

    @property
    def diagnostic(self) -> str:
        return self.recipients[0].diagnostic if self.recipients else ""
