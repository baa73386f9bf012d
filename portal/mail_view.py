"""A stored mail as a page can show it: text, cleaned HTML, attachments by name."""

import email
import email.policy
from dataclasses import dataclass
from email.message import Message
from urllib.parse import quote

import nh3
from fastapi import Response

PRIVATE_KINDS = frozenset({"invitation", "password_reset"})
"""Mails with a link that opens somebody's account: nobody else reads them."""

_TAGS = nh3.ALLOWED_TAGS | {"html", "head", "body", "center"}
_ATTRIBUTES = {
    "*": {"style", "align", "width", "height", "cellpadding", "cellspacing", "border", "bgcolor", "role", "lang"},
    "a": {"href"},
    "img": {"src", "alt"},
}


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MailContent:
    """What the reader of the mail sees."""

    date: str
    sender: str
    to: str
    message_id: str
    text: str
    html: str
    attachments: tuple[Part, ...]


def is_private(kind: str) -> bool:
    """Whether the content stays closed even for those who run the post."""
    return kind in PRIVATE_KINDS


def read(raw: bytes) -> MailContent:
    """Take a mail of our own apart. Its HTML loses everything that runs or loads."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return MailContent(
        date=str(mail.get("Date", "")),
        sender=str(mail.get("From", "")),
        to=str(mail.get("To", "")),
        message_id=str(mail.get("Message-ID", "")),
        text=text.get_content() if text is not None else "",
        html=clean(html.get_content()) if html is not None else "",
        attachments=tuple(
            Part(part.get_filename() or "anhang", part.get_content_type(), _bytes(part)) for part in mail.iter_attachments()
        ),
    )


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _kept(tag: str, name: str, value: str) -> str | None:
    """Pictures only from inside the mail: one from elsewhere would tell its sender that somebody reads."""
    return value if (tag, name) != ("img", "src") or value.startswith("data:image/") else None


def clean(html: str) -> str:
    """HTML without scripts, forms, frames and remote pictures."""
    body = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        clean_content_tags={"script", "style", "title", "noscript", "template"},
        url_schemes={"https", "http", "mailto", "tel", "data"},
        link_rel="noopener noreferrer",
    )
    return f'<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Mail</title></head><body>{body}</body></html>'


def attachment_response(part: Part) -> Response:
    """Saved, never opened in the portal's own origin."""
    return Response(
        part.content,
        media_type=part.content_type,
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(part.name)}",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )
