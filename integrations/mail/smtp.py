"""Handing mails to the server by aiosmtplib, phase by phase, so that it is always known how far a mail got.

Until the final dot of DATA has left this process, a mail is surely not taken (`TEMPORARY`); once the answer to the dot is
read, the case is decided; in between, and only there, it is `UNCLEAR`.
"""

import asyncio
import inspect
import ipaddress
import re
import ssl
from typing import Self

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from integrations.mail.types import (
    BeforeData,
    MailSettingsError,
    OutgoingMail,
    RecipientRefusal,
    SendResult,
    SendState,
    SmtpServer,
    nothing_before_data,
)

_BARE_LINE_END = re.compile(rb"\r\n|\n|\r")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")
_SLOWEST_LINE = 50_000  # bytes per second below which a transfer counts as stuck
_TOO_BIG = frozenset({552, 523})
_TROUBLE = (aiosmtplib.SMTPException, OSError, TimeoutError)


class _ServerTroubleError(Exception):
    """The server (or the way to it) fails, whatever the mail: carried to the result, never to the caller."""


def _printable(text: str, limit: int = 400) -> str:
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _UNPRINTABLE.sub(" ", clean).strip()[:limit]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AsyncSmtpSender:
    """One connection, opened at the first mail, reused for the next, renewed once when the server has closed it."""

    def __init__(self, server: SmtpServer) -> None:
        if server.user and server.tls == "none" and not _is_loopback(server.host):
            raise MailSettingsError(
                f"DREHKREUZ_SMTP_TLS=none: das Kennwort für {server.host} ginge unverschlüsselt über das Netz; "
                "bitte starttls oder required einstellen."
            )
        self._server = server
        self._smtp: aiosmtplib.SMTP | None = None

    async def send(self, mail: OutgoingMail, before_data: BeforeData = nothing_before_data) -> SendResult:
        """Hand over one mail. What `before_data` raises reaches the caller, and then nothing was sent.

        A no of the server is a result, not an exception.
        """
        reused = self._is_connected()
        try:
            return await self._attempt(mail, before_data)
        except _ServerTroubleError as trouble:
            if not reused:
                return self._later(str(trouble))
        try:  # the old connection had gone stale (limit of mails per connection, idle time): once more with a new one
            return await self._attempt(mail, before_data)
        except _ServerTroubleError as trouble:
            return self._later(str(trouble))

    async def close(self) -> None:
        """Say goodbye; a server that no longer listens is no fault."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        transport = smtp.transport
        try:
            if smtp.is_connected:
                await smtp.quit(timeout=min(self._server.timeout, 5))
        except _TROUBLE:
            pass
        finally:
            smtp.close()
            await _cut(transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _attempt(self, mail: OutgoingMail, before_data: BeforeData) -> SendResult:
        smtp = await self._connected(mail)
        try:
            refused = await self._envelope(smtp, mail)
        except aiosmtplib.SMTPResponseException as no:
            return await self._refused_envelope(smtp, no)
        except _TROUBLE as fault:
            await self._drop()
            raise _ServerTroubleError(
                f"die Verbindung brach ab, bevor die Mail übergeben war ({_printable(str(fault))})"
            ) from fault
        taken = tuple(r for r in mail.recipients if r not in {x.recipient for x in refused})
        if not taken:
            await self._reset(smtp)
            return _nobody_took_it(refused)
        try:
            answer = before_data(mail)
            if inspect.isawaitable(answer):
                await answer
        except BaseException:
            await self._reset(smtp)
            raise
        return await self._content(smtp, mail, taken, refused)

    async def _connected(self, mail: OutgoingMail) -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        await self._drop()
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            timeout=server.timeout,
            use_tls=server.tls == "required",
            start_tls=server.tls == "starttls",
            cert_bundle=server.ca_file or None,
            local_hostname=server.local_name or mail.sender.rpartition("@")[2],
        )
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await _introduce(smtp)
        except _TROUBLE as fault:
            transport = smtp.transport
            smtp.close()
            await _cut(transport)
            raise _ServerTroubleError(_connect_fault(fault)) from fault
        self._smtp = smtp
        return smtp

    async def _envelope(self, smtp: aiosmtplib.SMTP, mail: OutgoingMail) -> tuple[RecipientRefusal, ...]:
        options = [f"SIZE={len(mail.raw)}"] if smtp.supports_extension("size") else []
        if not mail.raw.isascii() and smtp.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        await smtp.mail(mail.sender, options=options)
        refused = []
        for recipient in mail.recipients:
            try:
                await smtp.rcpt(recipient)
            except aiosmtplib.SMTPRecipientRefused as no:
                if no.code == aiosmtplib.SMTPStatus.domain_unavailable:  # 421: the server hangs up
                    raise aiosmtplib.SMTPServerDisconnected(no.message) from no
                refused.append(RecipientRefusal(recipient, no.code, _printable(no.message)))
        return tuple(refused)

    async def _refused_envelope(self, smtp: aiosmtplib.SMTP, no: aiosmtplib.SMTPResponseException) -> SendResult:
        """MAIL FROM got a no: too big is this mail's fault, everything else the sender address's or the server's."""
        if no.code == aiosmtplib.SMTPStatus.domain_unavailable:
            await self._drop()
            raise _ServerTroubleError(f"er vertröstet ({no.code} {_printable(no.message)})") from no
        await self._reset(smtp)
        said = f"{no.code} {_printable(no.message)}"
        if no.code in _TOO_BIG:
            return SendResult(SendState.REFUSED, said, no.code, reason=f"Die Mail ist dem Mailserver zu groß ({said}).")
        if no.code < 500:
            return self._later(f"er vertröstet ({said})", no.code)
        return self._later(
            f"er nimmt den Absender nicht an ({said}); bitte DREHKREUZ_MAIL_FROM und die Anmeldung prüfen", no.code
        )

    async def _content(
        self, smtp: aiosmtplib.SMTP, mail: OutgoingMail, taken: tuple[str, ...], refused: tuple[RecipientRefusal, ...]
    ) -> SendResult:
        dot_left = False
        try:
            go = await smtp.execute_command(b"DATA")
            if go.code == aiosmtplib.SMTPStatus.start_input:
                protocol = await self._written(smtp, _transparent(mail.raw))
                protocol.write(b".\r\n")
                dot_left = True
                go = await protocol.read_response(timeout=4 * self._server.timeout)
        except _TROUBLE as fault:
            await self._drop()
            if not dot_left:
                return self._later(f"die Verbindung brach mitten in der Mail ab ({_printable(str(fault))})")
            return SendResult(
                SendState.UNCLEAR,
                refused=refused,
                reason="Die Mail war vollständig übergeben, dann blieb die Antwort des Mailservers aus "
                f"({_printable(str(fault))}); ob sie zugestellt wird, ist ungewiss. "
                "Bitte im Protokoll des Mailservers nach der Message-ID suchen.",
            )
        return await self._verdict(smtp, go, dot_left, taken, refused)

    async def _verdict(
        self,
        smtp: aiosmtplib.SMTP,
        answer: aiosmtplib.SMTPResponse,
        whole: bool,
        taken: tuple[str, ...],
        refused: tuple[RecipientRefusal, ...],
    ) -> SendResult:
        said = f"{answer.code} {_printable(answer.message)}"
        if whole and answer.code == aiosmtplib.SMTPStatus.completed:
            return SendResult(SendState.ACCEPTED, said, answer.code, taken, refused, _partly(refused))
        await self._reset(smtp)
        if answer.code == aiosmtplib.SMTPStatus.domain_unavailable:
            return self._later(f"er vertröstet ({said})", answer.code)
        if 400 <= answer.code < 500:
            return SendResult(SendState.TEMPORARY, said, answer.code, (), refused, f"Der Mailserver vertröstet: {said}.")
        if answer.code >= 500:
            return SendResult(SendState.REFUSED, said, answer.code, (), refused, f"Der Mailserver lehnt die Mail ab: {said}.")
        state = SendState.UNCLEAR if whole else SendState.TEMPORARY
        return SendResult(state, said, answer.code, (), refused, f"Der Mailserver antwortet unverständlich: {said}.")

    async def _written(self, smtp: aiosmtplib.SMTP, content: bytes) -> SMTPProtocol:
        """Everything but the final dot, waited for until it has left: a break up to here is surely no delivery."""
        protocol, transport = smtp.protocol, smtp.transport
        if protocol is None or not isinstance(transport, asyncio.WriteTransport):
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        async with asyncio.timeout(self._patience(content)):
            protocol.write(content)
            pause = 0.0002
            while transport.get_write_buffer_size():
                await asyncio.sleep(pause)
                pause = min(2 * pause, 0.02)
                if transport.is_closing():
                    raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        return protocol

    def _patience(self, content: bytes) -> float:
        return self._server.timeout + len(content) / _SLOWEST_LINE

    async def _reset(self, smtp: aiosmtplib.SMTP) -> None:
        """Ready for the next mail; a connection that does not answer is given up."""
        try:
            await smtp.rset()
        except _TROUBLE:
            await self._drop()

    async def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            transport = smtp.transport
            smtp.close()
            await _cut(transport)

    def _is_connected(self) -> bool:
        return self._smtp is not None and self._smtp.is_connected

    def _later(self, why: str, code: int = 0) -> SendResult:
        place = f"Mailserver {self._server.host}:{self._server.port}"
        return SendResult(
            SendState.TEMPORARY, "", code, reason=f"{place}: {why}; wird später erneut versucht.", whole_server=True
        )


class SmtpSender:
    """The same for callers in synchronous code: one sender per thread, `before_data` runs in the caller's thread.

    Within a running event loop use `AsyncSmtpSender`.
    """

    def __init__(self, server: SmtpServer) -> None:
        self._sender = AsyncSmtpSender(server)
        self._runner = asyncio.Runner()

    def send(self, mail: OutgoingMail, before_data: BeforeData = nothing_before_data) -> SendResult:
        """See `AsyncSmtpSender.send`."""
        return self._runner.run(self._sender.send(mail, before_data))

    def close(self) -> None:
        self._runner.run(self._sender.close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _introduce(smtp: aiosmtplib.SMTP) -> None:
    """EHLO, for a very old server HELO: before the first mail, so that it too knows what the server can do."""
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError:
        await smtp.helo()


async def _cut(transport: asyncio.BaseTransport | None) -> None:
    """End a connection at once, also an encrypted one whose peer does not say goodbye, and let the loop close its socket."""
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    for _ in range(5):
        await asyncio.sleep(0)


def _transparent(raw: bytes) -> bytes:
    """CRLF everywhere (no bare line end that a server might take for the end of the mail), leading dots doubled."""
    return _LEADING_DOT.sub(b"..", _BARE_LINE_END.sub(b"\r\n", raw).removesuffix(b"\r\n") + b"\r\n")


def _connect_fault(fault: Exception) -> str:
    said = _printable(str(fault))
    if isinstance(fault, aiosmtplib.SMTPAuthenticationError):
        said = f"{fault.code} {_printable(fault.message)}"
        return f"er lehnt die Anmeldung ab ({said}); bitte DREHKREUZ_SMTP_USER und DREHKREUZ_SMTP_PASSWORD prüfen"
    if isinstance(fault, ssl.SSLError) or isinstance(fault.__cause__, ssl.SSLError):
        return f"die verschlüsselte Verbindung kam nicht zustande ({said}); bitte Zertifikat und DREHKREUZ_SMTP_TLS prüfen"
    if "STARTTLS extension not supported" in said:
        return "er bietet kein STARTTLS, unverschlüsselt wird nicht gesendet; bitte DREHKREUZ_SMTP_TLS prüfen"
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        return f"er weist die Verbindung ab ({fault.code} {_printable(fault.message)})"
    return f"nicht erreichbar ({said})"


def _nobody_took_it(refused: tuple[RecipientRefusal, ...]) -> SendResult:
    final = all(r.permanent for r in refused)
    listed = "; ".join(f"{r.recipient}: {r.code} {r.text}" for r in refused)
    return SendResult(
        SendState.REFUSED if final else SendState.TEMPORARY,
        listed[:400],
        refused[0].code,
        refused=refused,
        reason=f"Kein Empfänger wurde {'angenommen' if final else 'bisher angenommen'}: {listed}.",
    )


def _partly(refused: tuple[RecipientRefusal, ...]) -> str:
    if not refused:
        return ""
    return "Nicht angenommen: " + "; ".join(f"{r.recipient}: {r.code} {r.text}" for r in refused) + "."
