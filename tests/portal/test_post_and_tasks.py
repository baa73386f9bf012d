"""Postausgang and Aufgaben: what a person sees and decides."""

import pytest
import sqlalchemy as sa

from actions import people
from actions.mail import outbox
from integrations.mail.types import Attachment, MailTexts
from kit import clock
from kit.database import unit_of_work
from models.plumbing import MailState, OutboxMail
from models.service_desk import Ticket, TicketState
from portal import mail_view
from tests.portal.conftest import Portal

HTML = (
    '<html><head><title>Titel</title><style>p{color:red}</style></head><body><p style="margin:0" onclick="x()">Guten Tag</p>'
    '<script>alert(1)</script><img src="http://boese.example/zaehler.gif"><form action="/x"><input></form>'
    '<a href="javascript:x()">Knopf</a><iframe src="/"></iframe></body></html>'
)


def mail(portal: Portal, state: MailState = MailState.QUEUED, key: str = "probe:1", **values: object) -> int:
    """A mail with an attachment that came that far."""
    from actions.billing.around import the_house

    with unit_of_work("test") as session:
        new = outbox.NewMail(
            key, "service_report", ("empfang@kunde.example",), MailTexts(f"Servicebericht {key}", "Guten Tag", HTML),
            portal.world.customers[0].id, (Attachment("Bericht für Müller.pdf", b"%PDF-1.7 probe"),),
        )  # fmt: skip
        mail_id = outbox.queue(session, the_house(session), [new])[key]
        row = session.get_one(OutboxMail, mail_id)
        if state is not MailState.QUEUED:
            row.state = state
        if state in (MailState.UNCLEAR, MailState.ACCEPTED):
            row.in_flight_at = row.accepted_at = clock.now()
        for name, value in values.items():
            setattr(row, name, value)
        return mail_id


def state_of(mail_id: int) -> MailState:
    with unit_of_work("test") as session:
        return session.get_one(OutboxMail, mail_id).state


def test_the_outbox_lists_filters_and_searches(portal: Portal) -> None:
    office = portal.browser("back_office")
    assert "Keine Mails" in office.get("/postausgang").text
    mail(portal, MailState.ACCEPTED, "SB-2026-000001")
    mail(portal, MailState.UNCLEAR, "SB-2026-000002")
    page = office.get("/postausgang").text
    assert "angenommen 1" in page
    assert "unklar 1" in page
    assert "SB-2026-000001" not in office.get("/postausgang?zustand=unclear").text
    assert "SB-2026-000002" not in office.get("/postausgang?suche=000001").text
    assert "SB-2026-000001" in office.get("/postausgang?suche=Brömmelkamp").text
    assert office.get("/postausgang?zustand=unsinn").status_code == 200
    assert "100%" not in office.get("/postausgang?suche=100%25").text.partition("<main")[2].partition("value=")[0]


def test_a_mail_is_shown_without_anything_that_runs_or_loads(portal: Portal) -> None:
    office = portal.browser("back_office")
    mail_id = mail(portal, MailState.ACCEPTED, reply="250 2.0.0 Ok: queued as 4711")
    page = office.get(f"/postausgang/{mail_id}").text
    assert "queued as 4711" in page
    assert 'sandbox=""' in page
    assert "Bericht für Müller.pdf" in page
    answer = office.get(f"/postausgang/{mail_id}/ansicht")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    for danger in ("<script", "onclick", "javascript:", "<form", "<iframe", "<input", "zaehler.gif", "Titel</p>", "p{color"):
        assert danger not in answer.text
    assert '<p style="margin:0">Guten Tag</p>' in answer.text
    file = office.get(f"/postausgang/{mail_id}/anhang/0")
    assert file.content == b"%PDF-1.7 probe"
    assert "attachment; filename*=UTF-8''Bericht%20f%C3%BCr%20M%C3%BCller.pdf" in file.headers["content-disposition"]
    assert office.get(f"/postausgang/{mail_id}/anhang/7").status_code == 404
    assert office.get("/postausgang/999999").status_code == 404


@pytest.mark.parametrize(("outcome", "becomes"), [("angekommen", MailState.ACCEPTED), ("erneut", MailState.QUEUED)])
def test_an_unclear_mail_is_settled_by_a_person(portal: Portal, outcome: str, becomes: MailState) -> None:
    office = portal.browser("back_office")
    mail_id = mail(portal, MailState.UNCLEAR)
    assert "Ist diese Mail angekommen?" in office.get(f"/postausgang/{mail_id}").text
    office.post(f"/postausgang/{mail_id}/klaeren", data={"outcome": "weiß nicht"})
    assert state_of(mail_id) is MailState.UNCLEAR
    office.post(f"/postausgang/{mail_id}/klaeren", data={"outcome": outcome})
    assert state_of(mail_id) is becomes
    office.post(f"/postausgang/{mail_id}/klaeren", data={"outcome": outcome})
    assert "nicht »unklar«" in office.get(f"/postausgang/{mail_id}").text


def test_who_may_only_look_gets_no_buttons(portal: Portal) -> None:
    mail_id = mail(portal, MailState.UNCLEAR)
    page = portal.browser("dispatcher").get(f"/postausgang/{mail_id}").text
    assert "Ist angekommen" not in page
    assert portal.browser("dispatcher").post(f"/postausgang/{mail_id}/klaeren").status_code == 403


def test_a_bounced_mail_is_sent_again(portal: Portal) -> None:
    office = portal.browser("back_office")
    mail_id = mail(portal, MailState.BOUNCED, error="550 5.1.1 unbekannt")
    assert "550 5.1.1 unbekannt" in office.get(f"/postausgang/{mail_id}").text
    office.post(f"/postausgang/{mail_id}/erneut")
    assert state_of(mail_id) is MailState.QUEUED
    delivered = mail(portal, MailState.ACCEPTED, "probe:2")
    office.post(f"/postausgang/{delivered}/erneut")
    assert state_of(delivered) is MailState.ACCEPTED
    assert "nicht erneut gesendet" in office.get(f"/postausgang/{delivered}").text


def test_mails_without_html_are_readable_too() -> None:
    content = mail_view.read(
        b"From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
    )
    assert (content.text.strip(), content.html, content.attachments) == ("Grüße", "", ())


# --- tasks


def ask(portal: Portal, role: str, key: str = "probe") -> str:
    with unit_of_work("test") as session:
        question = people.Question(key, portal.world.customers[0].id, role, f"Bitte klären: {key}", "Zeile eins\nZeile zwei")
        return people.ask(session, question)


def test_tasks_reach_the_roles_they_wait_for(portal: Portal) -> None:
    number = ask(portal, "back_office")
    office, other, head = portal.browser("back_office"), portal.browser("materials"), portal.browser("service_head")
    for browser in (office, head):
        assert "Bitte klären: probe" in browser.get("/aufgaben").text
        assert "Zeile zwei" in browser.get(f"/aufgaben/{number}").text
    assert "Bitte klären" in office.get("/uebersicht").text
    assert "Bitte klären" not in other.get("/aufgaben").text
    assert other.get(f"/aufgaben/{number}").status_code == 404
    assert other.post(f"/aufgaben/{number}/erledigt").status_code == 404


def test_a_task_is_closed_once(portal: Portal) -> None:
    number = ask(portal, "back_office")
    office = portal.browser("back_office")
    for _ in range(2):
        assert office.post(f"/aufgaben/{number}/erledigt").status_code == 303
    with unit_of_work("test") as session:
        ticket = session.scalars(sa.select(Ticket).where(Ticket.number == number)).one()
        assert ticket.state is TicketState.CLOSED
    assert "Keine offenen Aufgaben" in office.get("/aufgaben").text
    assert number in office.get("/aufgaben?erledigt=ja").text
