"""Pages of maintenance: what is agreed, planned, worked off and proven, from a browser."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from actions.maintenance.ledger import horizon, write_ahead
from actions.maintenance.round import Range, create_due
from kit import clock
from kit.database import unit_of_work
from models.maintenance import AgreedCheck, CheckEvidence, DueDate, NeedsAnalysis
from models.plumbing import OutboxEvent
from models.service_desk import Ticket, TicketKind
from models.work import ServiceEntry
from tests.maintenance.making import plan
from tests.portal.conftest import Portal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def round_today() -> None:
    with unit_of_work("test") as session:
        write_ahead(session, clock.today(), horizon(clock.today()))
        create_due(session, Range(clock.today(), clock.today()))


def one_plan(portal: Portal, **values: object) -> int:
    """A weekly plan of the first customer since three weeks, for the technician."""
    today = clock.today()
    with unit_of_work("test") as session:
        row = plan(
            session,
            portal.world.customers[0],
            **{
                "starts_on": today - dt.timedelta(days=21),
                "cadence": "FREQ=WEEKLY",
                "technician_id": portal.world.people["technician"].id,
                "catch_up": "one_listing",
            }
            | values,
        )
        plan_id = row.id
    round_today()
    return plan_id


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the confirming form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def ticket_number() -> str:
    with unit_of_work("test") as session:
        return session.scalars(sa.select(Ticket.number).where(Ticket.kind == TicketKind.MAINTENANCE)).one()


def followed(browser: TestClient, answer: object) -> str:
    """The page that a write leads to, with its message."""
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    return browser.get(answer.headers["location"]).text  # type: ignore[attr-defined]


@pytest.mark.promise("S110")
def test_a_technician_works_off_a_ticket(portal: Portal) -> None:
    one_plan(portal)
    tina, number = portal.browser("technician"), ticket_number()
    assert "Meine Wartungstickets" in tina.get("/wartung").text
    here = f"/wartung/tickets/{number}"
    page = tina.get(here).text
    assert "fehlen noch 4" in page
    assert "Alter der jüngsten vollständigen Sicherung prüfen" in page
    assert "Es fehlt das Ergebnis von" in followed(tina, tina.post(f"{here}/abschliessen"))
    with unit_of_work("test") as session:
        due = session.scalars(sa.select(DueDate.id).where(DueDate.state == "created").order_by(DueDate.due_on)).all()
    wrong = tina.post(f"{here}/ergebnis/{due[0]}", data={"outcome": "failed", "reason": " "})
    assert wrong.status_code == 422
    assert "braucht einen Grund" in wrong.text
    sent = tina.post(
        f"{here}/ergebnis/{due[0]}",
        data={"outcome": "failed", "reason": "Band fehlt", "item_0": "nein", "reading_frei": "12"},
        files={"dateien": ("bild.png", PNG, "image/png")},
    )
    page = followed(tina, sent)
    assert "Ein Störungsticket ist angelegt." in page
    assert "bild.png" in page
    with unit_of_work("test") as session:
        shot = session.scalars(sa.select(CheckEvidence)).one()
    answer = tina.get(f"/wartung/belege/{shot.id}")
    assert (answer.content, answer.headers["content-security-policy"]) == (PNG, "default-src 'none'; sandbox")
    followed(tina, tina.post(f"{here}/ergebnis/{due[1]}", data={"outcome": "done", "all_dates": "ja"}))
    form = {"key": "abcdef123456", "minutes": "90", "place": "remote", "text": "Alle vier nachgeholt."}
    assert "60 Minuten berechenbar, 30 Minuten nicht berechenbar" in followed(tina, tina.post(f"{here}/leistung", data=form))
    tina.post(f"{here}/leistung", data=form)
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).where(ServiceEntry.key.like("W-abcdef%"))) == 2, "sent twice"
    assert "ist abgeschlossen" in followed(tina, tina.post(f"{here}/abschliessen"))
    assert tina.get(f"{here}?").text.count("Ergebnis speichern") == 0


def test_a_plan_is_changed_as_it_was_shown(portal: Portal) -> None:
    plan_id = one_plan(portal)
    boss = portal.browser("dispatcher")
    here = f"/wartung/plaene/{plan_id}"
    start = clock.today() + dt.timedelta(days=30)
    form = {
        "art": "aussetzen",
        "first": start.isoformat(),
        "last": (start + dt.timedelta(days=13)).isoformat(),
        "reason": "Umbau",
    }
    shown = boss.post(f"{here}/vorschau", data=form)
    assert "2 Termine werden ausgesetzt" in shown.text
    fields = hidden(shown.text)
    assert "2 Termine werden ausgesetzt" in followed(boss, boss.post(f"{here}/aendern", data=fields))
    assert "seit der Vorschau geändert" in followed(boss, boss.post(f"{here}/aendern", data=fields))
    wrong = boss.post(f"{here}/vorschau", data={"art": "verlegen", "first": start.isoformat(), "cadence": "FREQ=STÜNDLICH"})
    assert wrong.status_code == 422
    assert "DAILY, WEEKLY, MONTHLY oder YEARLY" in wrong.text
    terms = hidden(
        boss.post(f"{here}/vorschau", data={"art": "bedingungen", "minutes": "45", "opens": "22:00", "closes": "01:00"}).text
    )
    followed(boss, boss.post(f"{here}/aendern", data=terms))
    assert "22:00–01:00 Uhr" in boss.get(here).text
    assert boss.post(f"{here}/vorschau", data={"art": "bedingungen", "opens": "22:00"}).status_code == 422
    assert portal.browser("technician").post(f"{here}/vorschau", data=form).status_code == 403


def test_one_date_is_moved(portal: Portal) -> None:
    plan_id = one_plan(portal)
    boss = portal.browser("dispatcher")
    with unit_of_work("test") as session:
        due = session.scalars(sa.select(DueDate).where(DueDate.state == "planned").order_by(DueDate.due_on).limit(1)).one()
        due_id, to = due.id, due.due_on + dt.timedelta(days=1)
    form = {"art": "verlegen", "to": to.isoformat(), "reason": "Messe"}
    shown = boss.post(f"/wartung/termine/{due_id}/vorschau", data=form)
    assert f"wird auf den {to:%d.%m.%Y} verlegt: Messe" in shown.text
    assert "verlegt: Messe" in followed(boss, boss.post(f"/wartung/termine/{due_id}/aendern", data=hidden(shown.text)))
    assert boss.post(f"/wartung/termine/{due_id}/vorschau", data=form).status_code == 422
    assert boss.get(f"/wartung/termine/{due_id}").status_code == 200
    assert boss.get(f"/wartung/plaene/{plan_id}").status_code == 200


@pytest.mark.promise("S105")
@pytest.mark.promise("S106")
def test_a_needs_analysis_from_draft_to_proof(portal: Portal) -> None:
    karin, customer = portal.browser("account_manager"), portal.world.customers[0]
    here = f"/bedarf/{customer.number}"
    followed(karin, karin.post(f"{here}/entwurf"))
    wrong = karin.post(f"{here}/pruefung", data={"check": "Etwas Eigenes"})
    assert wrong.status_code == 422
    assert "steht nicht im Prüfkatalog" in wrong.text
    tomorrow = (clock.today() + dt.timedelta(days=1)).isoformat()
    followed(
        karin,
        karin.post(f"{here}/pruefung", data={"check": "Kontrolle der Datensicherung", "starts_on": tomorrow, "minutes": "20"}),
    )
    followed(karin, karin.post(f"{here}/pruefung", data={"check": "Kasse", "cadence": "FREQ=MONTHLY;BYMONTHDAY=31"}))
    page = karin.get(here).text
    assert "BYMONTHDAY=-1" in page, "the hint about short months"
    assert "Terminen in den nächsten 13 Monaten" in page
    with unit_of_work("test") as session:
        row = session.scalars(sa.select(NeedsAnalysis)).one()
        analysis_id = row.id
        assert session.scalar(sa.select(sa.func.count()).select_from(AgreedCheck)) == 0, "showing the effect has none"
    assert karin.get(f"{here}/version/{analysis_id}.pdf").content.startswith(b"%PDF-")
    signed = karin.post(f"{here}/unterschrift", data={"agreed_by": "Karla Kontakt", "agreed_on": clock.today().isoformat()})
    assert "Version 1 gilt." in followed(karin, signed)
    assert "ist angelegt" in followed(karin, karin.post(f"{here}/ticket", data={"subject": "Netzplan aufnehmen"}))
    stored = karin.post(
        f"{here}/dokument", data={"titel": "Scan"}, files={"datei": ("scan.pdf", b"%PDF-1.7 x", "application/pdf")}
    )
    assert "abgelegt" in followed(karin, stored)
    page = karin.get(here).text
    assert "Netzplan aufnehmen" in page
    document = re.search(rf"{here}/dokument/(\d+)", page)
    assert document is not None
    assert karin.get(document[0]).headers["content-disposition"].startswith("attachment")
    month = f"{clock.today():%Y-%m}"
    assert "Stand 1" in followed(karin, karin.post(f"{here}/nachweis/{month}"))
    link = re.search(rf"{here}/nachweis/{month}/(\d+)\.pdf", karin.get(f"{here}/nachweis/{month}").text)
    assert link is not None
    assert karin.get(link[0]).content.startswith(b"%PDF-")
    other = portal.world.customers[1].number
    assert karin.get(f"/bedarf/{other}/version/{analysis_id}.pdf").status_code == 404
    assert portal.browser("technician").post(f"{here}/entwurf").status_code == 403


def test_round_coverage_load_and_closing_days(portal: Portal) -> None:
    boss = portal.browser("dispatcher")
    with unit_of_work("test") as session:
        plan(session, portal.world.customers[0], starts_on=clock.today(), cadence="FREQ=DAILY", shift="next_workday")
        write_ahead(session, clock.today(), horizon(clock.today()))
    assert "Tickets würden entstehen" in boss.get("/wartung/runde").text
    followed(boss, boss.post("/wartung/runde", data={"first": "2026-01-01", "last": ""}))
    with unit_of_work("test") as session:
        event = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.deployment == "maintenance_round")).one()
        assert event.parameters == {"first": "2026-01-01"}
    gaps = boss.get("/wartung/abdeckung?art=no_technician").text
    assert "Niemand ist eingeteilt." in gaps
    assert f">{portal.world.customers[0].name}</a>" in gaps
    page = boss.get("/wartung/auslastung").text
    assert "<svg" in page
    assert "haben noch niemanden" in page
    day = next(d for d in (clock.today() + dt.timedelta(days=n) for n in range(10, 20)) if d.weekday() == 1)
    shown = boss.post("/wartung/betriebsruhe", data={"day": day.isoformat(), "name": "Betriebsausflug"}).text
    assert "1 Termine rücken" in shown or "Termine rücken" in shown
    followed(boss, boss.post("/wartung/betriebsruhe", data=hidden(shown)))
    assert "Betriebsausflug" in boss.get("/wartung/betriebsruhe").text


def test_the_preview_of_a_round_takes_empty_fields_and_refuses_wrong_ranges(portal: Portal) -> None:
    one_plan(portal)
    boss = portal.browser("dispatcher")
    assert boss.get("/wartung/runde?first=&last=").status_code == 200, "as the form sends it"
    for query, why in (
        ("first=2026-13-40&last=", "nicht lesbar"), ("first=2026-03-02&last=2026-03-01", "endet vor seinem Beginn"),
        ("first=&last=2090-01-01", "Wählen Sie ein früheres Ende"),
    ):  # fmt: skip
        answer = boss.get(f"/wartung/runde?{query}")
        assert (answer.status_code, why in answer.text) == (422, True), query
    refused = followed(boss, boss.post("/wartung/runde", data={"first": "", "last": "2090-01-01"}))
    assert "Wählen Sie ein früheres Ende" in refused
