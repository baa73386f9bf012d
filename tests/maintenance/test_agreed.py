"""Bedarfsanalyse, promise coverage, options, load (S16, S105, S106, S140)."""

import datetime as dt
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.maintenance.analysis import draft, in_force, lines_of, remove_line, set_line
from actions.maintenance.belongings import add_document, documents_of, link_ticket, open_ticket, tickets_of
from actions.maintenance.catalogue import ensure_catalogue, load_catalogue, retire_check, save_check
from actions.maintenance.changes import EndSeries, change_plan
from actions.maintenance.coverage import coverage
from actions.maintenance.load import load_board, year_load
from actions.maintenance.load_chart import load_svg
from actions.maintenance.options import book_updates
from actions.maintenance.signing import preview_signing, sign
from kit import clock
from kit.database import Role, unit_of_work
from kit.errors import ConflictError, UsageError
from models.contracts import ContractKind
from models.maintenance import AgreedCheck, CheckCatalogue, DueDate, NeedsAnalysis
from models.parties import Customer, Employee
from models.service_desk import Ticket
from rules.load import Job, Technician, book, suggest
from rules.windows import window_on
from tests import factories as make
from tests.maintenance.making import ledger, plan, round_on, write

D = dt.date
TODAY = D(2026, 1, 12)


@pytest.fixture(autouse=True)
def _on_that_day() -> None:
    clock.set_today(TODAY)


def signed(session: Session, customer: Customer | None = None, **values: object) -> NeedsAnalysis:
    """A version with the backup check, signed and in force."""
    row = draft(session, (customer or make.customer(session)).id)
    set_line(session, row.id, "backup", **({"starts_on": D(2026, 1, 19)} | values))
    sign(session, row.id, TODAY, "Karla Kontakt", TODAY)
    return row


def plans_of(session: Session, customer_id: int) -> list[AgreedCheck]:
    return list(session.scalars(sa.select(AgreedCheck).where(AgreedCheck.customer_id == customer_id).order_by(AgreedCheck.id)))


# ---------------------------------------------------------------- catalogue


@pytest.mark.promise("S106")
def test_the_catalogue_is_seeded_once_and_the_house_changes_it(session: Session) -> None:
    session.execute(sa.delete(CheckCatalogue))  # another test of this process may have left it there
    assert ensure_catalogue(session) >= 23
    assert ensure_catalogue(session) == 0
    save_check(session, "backup", title="Sicherung ansehen", cadence="FREQ=DAILY", minutes=5, checklist=["Bericht lesen", " "])
    save_check(
        session,
        "kasse",
        title="Kassensystem prüfen",
        cadence="freq=weekly",
        minutes=20,
        checklist=["TSE prüfen"],
        topic="Kasse",
    )
    retire_check(session, "printers")
    assert ensure_catalogue(session) == 0
    known = load_catalogue(session)
    assert known.title("BACKUP") == "Sicherung ansehen"
    assert known.of("Kassensystem prüfen – Filiale Ost") == known.of("kasse")
    assert "printers" not in {entry.key for entry in known.entries}
    assert known.minutes("Eigene Prüfung", None) == 30
    assert session.scalar(sa.select(CheckCatalogue.cadence).where(CheckCatalogue.key == "kasse")) == "FREQ=WEEKLY"


# ---------------------------------------------------------------- Bedarfsanalyse


@pytest.mark.promise("S105")
@pytest.mark.promise("S106")
def test_what_is_signed_becomes_plans_and_never_changes(session: Session) -> None:
    customer, tina = make.customer(session), make.employee(session)
    row = draft(session, customer.id)
    set_line(
        session,
        row.id,
        "backup",
        starts_on=D(2026, 1, 19),
        technician_id=tina.id,
        window_opens=dt.time(6),
        window_closes=dt.time(8),
    )
    set_line(session, row.id, "Kassensystem prüfen", cadence="FREQ=MONTHLY;BYMONTHDAY=-1", starts_on=D(2026, 1, 19))
    assert draft(session, customer.id).id == row.id, "one draft at a time"
    told = preview_signing(session, row.id, TODAY)
    assert plans_of(session, customer.id) == [], "a preview changes nothing"
    assert len(told.sentences) == 2
    assert sign(session, row.id, TODAY, "Karla Kontakt", TODAY).sentences == told.sentences
    backup, till = plans_of(session, customer.id)
    assert (backup.check, backup.cadence, backup.technician_id, backup.duration_minutes) == (
        "Kontrolle der Datensicherung", "FREQ=WEEKLY;BYDAY=MO", tina.id, 15,
    )  # fmt: skip
    assert min(ledger(session, till)) == D(2026, 2, 2), "the last of January is a Saturday"
    assert in_force(session, customer.id) == row
    for statement in (
        "UPDATE needs_analysis SET notes = 'x'",
        "UPDATE needs_analysis_line SET cadence = 'FREQ=DAILY'",
        "DELETE FROM needs_analysis_line",
    ):
        with pytest.raises(DBAPIError, match="frozen"), session.begin_nested():
            session.execute(sa.text(statement))
    with pytest.raises(ConflictError, match="neue Version"):
        set_line(session, row.id, "firewall")


def test_the_next_version_moves_goes_on_and_ends(session: Session) -> None:
    first = draft(session, make.customer(session).id)
    for check in ("backup", "firewall", "antivirus"):
        set_line(session, first.id, check, starts_on=D(2026, 1, 13))
    sign(session, first.id, TODAY, "Karla Kontakt", TODAY)
    clock.set_today(D(2026, 3, 2))
    second = draft(session, first.customer_id)
    assert (second.version, len(lines_of(session, second.id))) == (2, 3), "it begins with what holds"
    by_check = {line.check.split(":")[0].split()[0]: line for line in lines_of(session, second.id)}
    set_line(session, second.id, "backup", cadence="FREQ=DAILY", starts_on=D(2026, 3, 9))
    set_line(session, second.id, "firewall", duration_minutes=45)
    remove_line(session, second.id, by_check["Virenschutz"].id)
    sentences = sign(session, second.id, D(2026, 3, 2), "Karla Kontakt", D(2026, 3, 2)).sentences
    assert "läuft ab 09.03.2026 täglich" in sentences[0]
    assert "läuft weiter; geändert: Dauer." in sentences[1]
    assert "nicht mehr vereinbart und endet" in sentences[2]
    running = [p for p in plans_of(session, first.customer_id) if p.ends_on is None]
    assert {(p.check.split()[0], p.cadence, p.duration_minutes) for p in running} == {
        ("Kontrolle", "FREQ=DAILY", 15), ("Firewall:", "FREQ=MONTHLY;BYDAY=1TH", 45),
    }  # fmt: skip
    assert {p.needs_analysis_id for p in running} == {second.id}


def test_one_check_for_two_sites_is_two_plans(session: Session) -> None:
    customer = make.customer(session)
    east, west = make.site(session, customer, name="Ost"), make.site(session, customer, name="West")
    row = draft(session, customer.id)
    for site in (east, west):
        set_line(session, row.id, "ups", site_id=site.id, starts_on=D(2026, 1, 19))
    sign(session, row.id, TODAY, "Karla Kontakt", TODAY)
    assert [(p.check, p.site_id) for p in plans_of(session, customer.id)] == [
        ("USV-Selbsttest – Ost", east.id), ("USV-Selbsttest – West", west.id),
    ]  # fmt: skip


def test_a_plan_that_was_imported_is_taken_up(session: Session) -> None:
    imported = plan(session)
    round_on(session, TODAY)
    row = draft(session, imported.customer_id)
    set_line(session, row.id, "Kontrolle der Datensicherung", duration_minutes=15)
    sign(session, row.id, TODAY, "Karla Kontakt", TODAY)
    (only,) = plans_of(session, imported.customer_id)
    assert (only.id, only.needs_analysis_id) == (imported.id, row.id)


def test_a_signature_needs_a_person_a_day_and_something_to_sign(session: Session) -> None:
    row = draft(session, make.customer(session).id)
    with pytest.raises(UsageError, match="keine Prüfung"):
        sign(session, row.id, TODAY, "Karla", TODAY)
    set_line(session, row.id, "backup")
    for day, name in ((D(2026, 1, 13), "Karla"), (TODAY, " ")):
        with pytest.raises(UsageError, match="unterschrieben"):
            sign(session, row.id, day, name, TODAY)
    with pytest.raises(UsageError, match="Intervall"):
        set_line(session, row.id, "Etwas Eigenes")


@pytest.mark.promise("S16")
def test_tickets_and_documents_hang_on_the_analysis(session: Session) -> None:
    row = signed(session)
    clock.set_today(D(2026, 1, 19))
    round_on(session, D(2026, 1, 19))
    wish = open_ticket(session, row.id, "Netzplan aufnehmen", "Im Gespräch gewünscht.")
    assert open_ticket(session, row.id, "Netzplan aufnehmen ", "").id == wish.id
    other = make.ticket(session, session.get_one(Customer, row.customer_id))
    link_ticket(session, row.id, other.id)
    link_ticket(session, row.id, other.id)
    assert {t.id for t in tickets_of(session, row.id)} >= {wish.id, other.id}
    assert len(tickets_of(session, row.id)) == 3
    with pytest.raises(ConflictError, match="nicht zu diesem Kunden"):
        link_ticket(session, row.id, make.ticket(session, make.customer(session)).id)
    scan = add_document(session, row.id, "Unterschriebenes Exemplar", "scan.pdf", b"%PDF-1.7 ...")
    assert add_document(session, row.id, "nochmal", "scan2.pdf", b"%PDF-1.7 ...").id == scan.id
    assert [d.title for d in documents_of(session, row.id)] == ["Unterschriebenes Exemplar"]
    with pytest.raises(UsageError, match="weder PDF"):
        add_document(session, row.id, "x", "x.html", b"<html>")


def test_customers_see_signed_versions_only(committed: None) -> None:
    with unit_of_work("test") as session:
        row = signed(session)
        draft(session, row.customer_id)
    with unit_of_work("test", Role.PORTAL_CUSTOMER, row.customer_id) as session:
        seen = session.connection().execute(sa.text("SELECT version FROM needs_analysis")).scalars().all()
        lines = session.connection().execute(sa.text("SELECT needs_analysis_id FROM needs_analysis_line")).scalars().all()
    assert (seen, lines) == ([1], [row.id])


# ---------------------------------------------------------------- coverage


@pytest.mark.promise("S105")
def test_coverage_names_what_is_promised_and_does_not_happen(session: Session) -> None:
    tina = make.employee(session)
    customer = make.customer(session, number="K1")
    row = draft(session, customer.id)
    set_line(session, row.id, "backup", starts_on=D(2026, 1, 13), technician_id=tina.id)
    set_line(session, row.id, "firewall", cadence=None)
    sign(session, row.id, TODAY, "Karla", TODAY)
    ended = make.contract(session, customer, starts_on=D(2024, 1, 1), ends_on=D(2025, 12, 31))
    plan(session, customer, check="USV-Selbsttest", contract_id=ended.id, technician_id=tina.id, starts_on=D(2026, 1, 5))
    plan(session, customer, check="Eigene Prüfung", cadence="FREQ=MONTHLY;BYMONTHDAY=31", starts_on=D(2026, 1, 31))
    plan(session, customer, check="Kaputt", cadence="FREQ=NIE")
    plan(session, make.customer(session, number="K2"), check="Fertig", cadence="FREQ=DAILY;COUNT=2", starts_on=D(2025, 1, 1))
    round_on(session, TODAY)
    for day in (14, 20):
        clock.set_today(D(2026, 1, day))
        round_on(session, D(2026, 1, day))
    gaps = {(gap.kind, gap.check) for gap in coverage(session, D(2026, 1, 20)) if gap.customer == "K1"}
    assert gaps == {
        ("no_schedule", "Firewall: Firmware und Regeln prüfen"), ("no_schedule", "Kaputt"), ("no_result", "USV-Selbsttest"),
        ("no_technician", "Eigene Prüfung"), ("no_agreement", "Eigene Prüfung"), ("contract_ended", "USV-Selbsttest"),
        ("rule_hint", "Eigene Prüfung"),
    }  # fmt: skip
    tina.active = False
    session.flush()
    assert ("no_technician", "Kontrolle der Datensicherung") in {(g.kind, g.check) for g in coverage(session, D(2026, 1, 20))}


# ---------------------------------------------------------------- the option "updates" of a managed service


@pytest.mark.promise("S140")
def test_the_option_updates_creates_its_schedule_once(session: Session) -> None:
    customer = make.customer(session)
    flat = {"kontingent_hours_per_month": None, "kontingent_hour_price": None}
    rental = make.contract(
        session, customer, kind=ContractKind.RENTAL, starts_on=D(2026, 2, 1), ends_on=D(2026, 12, 31), **flat
    )
    agreed = book_updates(session, rental.id, "firewall", TODAY)
    assert book_updates(session, rental.id, "firewall", TODAY).id == agreed.id
    assert (agreed.contract_id, agreed.starts_on, agreed.ends_on) == (rental.id, D(2026, 2, 1), D(2026, 12, 31))
    assert (min(ledger(session, agreed)), max(ledger(session, agreed))) == (D(2026, 2, 5), D(2026, 12, 3))
    assert {g.kind for g in coverage(session, TODAY)} == {"no_technician"}, "the contract is its agreement"
    with pytest.raises(UsageError, match="Kontingent"):
        book_updates(session, make.contract(session, customer).id, "firewall", TODAY)
    with pytest.raises(UsageError, match="unbekannt"):
        book_updates(session, rental.id, "kaffee", TODAY)


# ---------------------------------------------------------------- load


def test_the_suggestion_looks_at_skill_acquaintance_and_load() -> None:
    monday = D(2026, 1, 12)
    ada, ben = Technician(1, "Ada", skills=frozenset({"Server"})), Technician(2, "Ben", skills=frozenset({"Firewall"}))
    job = Job(monday, 60, window_on(monday, dt.time(8), dt.time(11)), skill="Firewall")
    assert suggest(job, [ada, ben]).technician_id == 2  # type: ignore[union-attr]
    for _ in range(3):
        chosen = suggest(job, [ada, ben])
        assert chosen is not None
        book(ben, job, chosen.slot, counted=False)
    slots = [start.hour for start, _ in ben.slots]
    assert slots == [7, 8, 9], "08:00, 09:00 and 10:00 in Berlin"
    assert suggest(job, [ada, ben]).technician_id == 1, "Ben's window is full"  # type: ignore[union-attr]
    assert suggest(job, []) is None


def test_the_ticket_of_a_plan_without_technician_names_a_suggestion(session: Session) -> None:
    busy, free = (make.employee(session, skills=["Datensicherung"]) for _ in range(2))
    for n in range(20):
        plan(session, check=f"Prüfung {n}", technician_id=busy.id, duration_minutes=60)
    open_plan = plan(session)
    round_on(session, TODAY)
    due = session.scalars(sa.select(DueDate).where(DueDate.agreed_check_id == open_plan.id, DueDate.state == "created")).one()
    assert due.technician_id == free.id
    assert session.get_one(Ticket, due.ticket_id).assignee_id is None, "a suggestion is no assignment"
    taken = session.scalars(
        sa.select(DueDate.slot_at).where(DueDate.technician_id == busy.id, DueDate.slot_at.is_not(None))
    ).all()
    assert len(set(taken)) == len(taken) == 9, "nine hours of service day, no slot twice"


def test_the_year_ahead_as_figures_and_as_a_picture(session: Session) -> None:
    tina: Employee = make.employee(session, first_name="Tina", last_name="<Berg>", weekly_hours=20)
    plan(session, technician_id=tina.id, duration_minutes=240)
    plan(session, check="Eigene", duration_minutes=30)
    gone = plan(session, check="Alt", technician_id=tina.id)
    write(session, TODAY)
    change_plan(session, gone.id, EndSeries(TODAY), TODAY)
    load = year_load(session, TODAY, D(2027, 1, 10))
    week = load.cells[tina.id, (2026, 8)]
    assert (week.minutes, week.dates, week.share) == (240, 1, 0.2)
    assert load.cells[None, (2026, 8)].minutes == 30
    assert len(load.weeks) == 52
    svg = load_svg(load)
    picture = ET.fromstring(svg)
    assert picture.attrib["role"] == "img"
    said = [e.text for e in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert "Tina <Berg>, KW 8/2026: 1 Termine, 4:00 Std., 20 % der Woche" in said
    assert "style" not in svg
    assert load_board(session, TODAY, TODAY)[tina.id].booked[TODAY] == 255
