"""A small house with everything that pages show: people of all roles, customers, work, a released month, post."""

import datetime as dt
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive
from actions.billing import preview, release
from actions.invitations import ensure_login
from actions.mail import outbox
from actions.numbers import next_numbers
from integrations.mail.types import Attachment, MailTexts
from kit import clock
from models.access import Login
from models.billing import (
    BillingRun,
    Invoice,
    InvoiceState,
    ReportState,
    RunState,
    ServiceReport,
)
from models.handover import DatevFile, HandOverState, PostalBatch, SapDocument
from models.parties import Customer, Employee, House, StaffRole
from models.plumbing import MailState, OutboxMail
from models.work import EntryState
from portal.security.signin import open_session
from rules.month import Month
from tests import factories as make

PASSWORD = "richtig gutes Kennwort 7"
LAST = Month.of(clock.today()).plus(-1)
"""The month that is to be billed."""

PEOPLE = {
    StaffRole.TECHNICIAN: ("Tilda", "Techow"),
    StaffRole.DISPATCHER: ("Detlef", "Disse"),
    StaffRole.ACCOUNT_MANAGER: ("Karin", "Kamp"),
    StaffRole.BACK_OFFICE: ("Ines", "Innert"),
    StaffRole.MATERIALS: ("Mats", "Lagerström"),
    StaffRole.MONITORING: ("Mona", "Mohr"),
    StaffRole.SERVICE_HEAD: ("Selma", "Leitner"),
    StaffRole.OPERATOR: ("Ole", "Opitz"),
}


@dataclass
class World:
    """Ids to ask for; `token` signs a person in without the form."""

    people: dict[str, Employee] = field(default_factory=dict)
    customers: list[Customer] = field(default_factory=list)
    contact_email: str = ""


def email_of(role: str) -> str:
    return f"{role.replace('_', '.')}@probehaus.example"


def people(session: Session, world: World) -> None:
    """One person per role, with a login."""
    for role, (first, last) in PEOPLE.items():
        person = make.employee(session, email=email_of(role), first_name=first, last_name=last, roles=[role.value])
        world.people[role.value] = person
        ensure_login(session, person.email)


def customers(session: Session, world: World, count: int = 3) -> None:
    """Customers with agreement and contact; the first has a Kontingent, the second nobody who receives reports."""
    names = ("Bäckerei Brömmelkamp GmbH", "Autohaus Öztürk KG", "Praxis Dr. Weiß", "Zimmerei Höfer", "Kanzlei Lüth & Partner")
    for index in range(count):
        customer = make.customer(
            session,
            number=f"K{1001 + index}",
            name=names[index % len(names)],
            account_manager_id=world.people["account_manager"].id,
        )
        world.customers.append(customer)
        make.agreement(session, customer)
        functions = ["main"] if index == 1 else ["service_report", "main"]
        if index != 1:
            contact = make.contact(
                session,
                customer,
                functions=functions,
                portal="reporter" if index == 0 else "none",
                email=f"kontakt{index}@kunde.example",
            )
            if index == 0:
                world.contact_email = contact.email
                ensure_login(session, contact.email)
    make.contract(session, world.customers[0], overdraft_allowed=True, starts_on=dt.date(2026, 1, 1))


def work(session: Session, world: World, approved: int = 4, captured: int = 3) -> None:
    """Entries of last month at every customer: approved ones, and the last `captured` at the first customer still open."""
    texts = (
        "Druckertreiber erneuert und Testseite gedruckt.",
        "VPN-Zugang für zwei neue Mitarbeiterinnen eingerichtet, Anleitung übergeben.",
        "Firewall-Regel für die Telefonanlage angepasst.",
        "Datensicherung geprüft, Rücksicherung einer Datei vorgeführt.",
    )
    technician = world.people["technician"]
    for index, customer in enumerate(world.customers):
        ticket = make.ticket(
            session, customer, subject=("Drucker druckt nicht", "VPN bricht ab", "Sicherung prüfen")[index % 3]
        )
        for n in range(approved):
            billable = n != 3
            make.entry(
                session, customer, technician, ticket,
                key=f"L-{index + 1}{n:02}", work_date=LAST.first_day + dt.timedelta(days=3 + n), minutes=45 + 30 * n,
                text=texts[n % 4], trips=1 if n == 1 else 0, billable=billable,
                non_billable_reason=None if billable else "Kulanz nach Rückfrage",
            )  # fmt: skip
    ticket = make.ticket(session, world.customers[0], subject="Postfach voll")
    for n in range(captured):
        make.entry(
            session, world.customers[0], technician, ticket,
            key=f"L-9{n:02}", work_date=LAST.first_day + dt.timedelta(days=10 + n), minutes=30 + n,
            text=texts[n % 4], state=EntryState.CAPTURED, approved_by=None, approved_at=None,
        )  # fmt: skip


def build(session: Session, **sizes: int) -> World:
    """The whole house, nothing released yet."""
    world = World()
    make.house(session, phone="+49 2581 55500")
    people(session, world)
    customers(session, world, sizes.get("customers", 3))
    work(session, world, sizes.get("approved", 4), sizes.get("captured", 3))
    session.flush()
    return world


def token_for(session: Session, email: str, *, second_factor: bool = True) -> str:
    """A session for this person, as if signed in."""
    login = session.scalars(sa.select(Login).where(Login.email == email)).one()
    return open_session(session, login, "Mozilla/5.0 (X11; Linux x86_64) Chrome/156", second_factor=second_factor)


PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def release_month(session: Session) -> str:
    """Release last month as it stands; the answer is its snapshot."""
    seen = preview.build(session, LAST)
    preview.remember(session, seen, clock.now())
    release.release(session, LAST, seen.snapshot, f"employee:{email_of('back_office')}")
    session.flush()
    return seen.snapshot


def issue_month(session: Session) -> None:
    """What a visit of the run would have done by now: papers, mails, hand-overs; all at the first two customers' parts."""
    run = session.scalars(sa.select(BillingRun).where(BillingRun.month == str(LAST))).one()
    house = session.scalars(sa.select(House)).one()
    texts = MailTexts("Servicebericht", "Text des Berichts", "<p>Text des Berichts</p><script>alert(1)</script>")
    reports = session.scalars(sa.select(ServiceReport).order_by(ServiceReport.id)).all()
    for n, report in enumerate(reports, start=1):
        number = f"SB-{LAST.year}-{n:06}"
        kept = archive.keep(
            session, archive.Document("reports", number, PDF + number.encode(), customer_id=report.customer_id)
        )[0]
        mail = outbox.NewMail(
            f"report:{number}", "service_report", ("kontakt0@kunde.example",), MailTexts(f"Servicebericht {number}", texts.text, texts.html),
            report.customer_id, (Attachment(f"Servicebericht_{number}.pdf", PDF),),
        )  # fmt: skip
        report.mail_id = outbox.queue(session, house, [mail])[mail.key]
        report.number, report.issued_at, report.state = number, clock.now(), ReportState.ISSUED
        report.archive_key, report.sha256 = kept.key, kept.sha256
        row = session.get_one(OutboxMail, report.mail_id)
        row.state, row.accepted_at, row.reply = MailState.ACCEPTED, clock.now(), "250 2.0.0 Ok: queued as 4711"
    batch_key = archive.keep(session, archive.Document("post", str(LAST), PDF + b"post"))[0].key
    file_key = archive.keep(session, archive.Document("datev", str(LAST), b"EXTF", "csv"))[0].key
    batch = PostalBatch(run_id=run.id, sequence=1, archive_key=batch_key)
    file = DatevFile(run_id=run.id, sequence=1, file_name="EXTF_Rechnungen.csv", archive_key=file_key)
    session.add_all([batch, file])
    session.flush()
    invoices = session.scalars(sa.select(Invoice).order_by(Invoice.id)).all()
    for n, (invoice, number) in enumerate(zip(invoices, next_numbers(session, "RE", LAST.year, len(invoices)), strict=True), 1):
        pdf, xml = archive.keep(
            session,
            archive.Document("invoices", number, PDF + number.encode(), customer_id=invoice.customer_id),
            archive.Document("invoices", number, b"<invoice/>" + number.encode(), "xml", customer_id=invoice.customer_id),
        )
        invoice.number, invoice.issued_at, invoice.state = number, clock.now(), InvoiceState.ISSUED
        invoice.archive_key, invoice.paper_archive_key, invoice.xml_archive_key = pdf.key, pdf.key, xml.key
        invoice.postal_batch_id, invoice.datev_file_id, invoice.due_on = batch.id, file.id, clock.today()
        state = HandOverState.FAILED if n == 1 else HandOverState.POSTED
        session.add(
            SapDocument(
                customer_id=invoice.customer_id, invoice_id=invoice.id, key=number, adapter="files", state=state, attempts=2,
                posted_at=None if n == 1 else clock.now(), error="Periode gesperrt" if n == 1 else None,
            )
        )  # fmt: skip
    run.state, run.last_visit_at = RunState.WAITING, clock.now()
    session.flush()
