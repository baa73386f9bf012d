"""Postausgang: every mail with its state, its rendered content and the mail server's answer; unclear ones are settled."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from actions.mail import outbox
from kit.errors import ConflictError, NotFoundError
from models.plumbing import MailState, OutboxMail
from models.watching import AccessKind
from portal import mail_view
from portal.forms import Data, Form, filled
from portal.modules import NavEntry, Section
from portal.pages import Crumb, go, page
from portal.queries import post
from portal.security.person import Person, StaffSession, need
from portal.security.watch import reads

router = APIRouter(prefix="/postausgang")
NAV = (
    NavEntry(Section.SERVICE_DESK, "Postausgang", "/postausgang", "send", ("post.sehen",), order=40, shortcut="p", bottom=True),
)
See = Annotated[Person, Depends(need("post.sehen"))]
Decide = Annotated[Person, Depends(need("post.entscheiden"))]
LIST = Crumb("Postausgang", "/postausgang")
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


class SettleForm(Form):
    """What a person found out about an unclear mail."""

    outcome: Literal["angekommen", "erneut"] = Field()


@router.get("")
def list_mails(
    request: Request, person: See, session: StaffSession, *, seite: int = 1, zustand: str = "", suche: str = ""
) -> Response:
    """Fifty mails, newest first."""
    del person
    return page(
        request,
        "outbox.html",
        crumbs=(LIST,),
        mails=post.mails(session, seite, zustand, suche),
        counts=outbox.counts(session),
        states=[state for state in MailState],  # noqa: C416 - an enum in the order of its members
        query={"zustand": zustand, "suche": suche},
    )


def _mail(session: StaffSession, mail_id: int) -> OutboxMail:
    mail = session.get(OutboxMail, mail_id)
    if mail is None:
        raise NotFoundError(f"Postausgang: Es gibt keine Mail mit der Nummer {mail_id}.")
    return mail


@router.get("/{mail_id}", dependencies=[reads.noted(AccessKind.MAIL)])
def show_mail(request: Request, person: See, session: StaffSession, mail_id: int) -> Response:
    """One mail: envelope, way, text, attachments."""
    mail = _mail(session, mail_id)
    private = mail_view.is_private(mail.kind)
    return page(
        request,
        "mail.html",
        crumbs=(LIST, Crumb(mail.subject)),
        mail=mail,
        private=private,
        content=None if private else mail_view.read(outbox.raw_of(session, mail_id)),
        customer=post.customer_of(session, mail),
        may_decide=person.may("post.entscheiden"),
    )


def _content(session: StaffSession, mail_id: int) -> mail_view.MailContent:
    """The parts of a mail; those with a personal link stay closed."""
    mail = _mail(session, mail_id)
    if mail_view.is_private(mail.kind):
        raise NotFoundError("Postausgang: Diese Mail enthält einen persönlichen Link und wird nicht angezeigt.")
    return mail_view.read(outbox.raw_of(session, mail_id))


@router.get("/{mail_id}/ansicht")
def show_html(person: See, session: StaffSession, mail_id: int) -> Response:
    """The mail as its reader sees it, for the frame on its page: no script, nothing from elsewhere."""
    del person
    return Response(_content(session, mail_id).html, media_type="text/html", headers={"content-security-policy": MAIL_POLICY})


@router.get("/{mail_id}/anhang/{index}", dependencies=[reads.noted(AccessKind.DOCUMENT)])
def open_attachment(person: See, session: StaffSession, mail_id: int, index: int) -> Response:
    """One attachment, saved under its own name."""
    del person
    parts = _content(session, mail_id).attachments
    if not 0 <= index < len(parts):
        raise NotFoundError("Postausgang: Diesen Anhang gibt es nicht.")
    return mail_view.attachment_response(parts[index])


@router.post("/{mail_id}/klaeren")
def settle(request: Request, person: Decide, session: StaffSession, mail_id: int, data: Data) -> Response:
    """An unclear mail arrived, or is to be sent again."""
    form = filled(SettleForm, data)
    if form.value is None:
        return go(request, f"/postausgang/{mail_id}", "Bitte wählen Sie »angekommen« oder »erneut senden«.", "warning")
    arrived = form.value.outcome == "angekommen"
    try:
        outbox.resolve_unclear(session, mail_id, arrived=arrived, actor=person.actor)
    except ConflictError as refusal:
        return go(request, f"/postausgang/{mail_id}", str(refusal), "danger")
    text = "Die Mail gilt als angekommen." if arrived else "Die Mail wird noch einmal gesendet."
    return go(request, f"/postausgang/{mail_id}", text)


@router.post("/{mail_id}/erneut")
def resend(request: Request, person: Decide, session: StaffSession, mail_id: int) -> Response:
    """Try a mail again that was given up or waits."""
    try:
        outbox.resend(session, mail_id, person.actor)
    except ConflictError as refusal:
        return go(request, f"/postausgang/{mail_id}", str(refusal), "danger")
    return go(request, f"/postausgang/{mail_id}", "Die Mail steht wieder im Ausgang.")
