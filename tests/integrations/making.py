"""Small makers that several suites share."""

import datetime as dt

from integrations.mail.compose import compose
from integrations.mail.types import Address, MailTexts, OutgoingMail

NOW = dt.datetime(2026, 11, 2, 6, tzinfo=dt.UTC)


def mail(key: str = "bericht:1", to: tuple[str, ...] = ("anna@kunde.example",), text: str = "Guten Tag,\n") -> OutgoingMail:
    return compose(
        key=key,
        date=NOW,
        sender=Address("service@haus.example", "Müller IT"),
        to=[Address(a) for a in to],
        texts=MailTexts(f"Betreff {key}", text, f"<p>{text}</p>"),
    )
