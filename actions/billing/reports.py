"""Serviceberichte: numbered, rendered, archived and mailed; each step looks first what is done (S26, S163, S165)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import archive, people
from actions.archive import Document
from actions.billing.around import the_house
from actions.billing.preview import no_recipient, who_is
from actions.billing.recipients import Recipients, choose, persons_of, same_addresses
from actions.billing.report_content import report_contents
from actions.billing.sharing import NUMBERED_REPORT, left_by_others, portion, reports_waiting
from actions.mail.outbox import NewMail, queue
from actions.numbers import next_numbers
from integrations.documents.contents import ReportContent
from integrations.mail.catalogue import service_report_mail
from integrations.mail.types import Attachment
from kit import clock
from kit import log as logs
from kit.database import lock
from models.billing import BillingItem, Invoice, InvoiceKind, ItemState, ReportState, ServiceReport
from models.parties import Customer, Site
from models.plumbing import MailState, OutboxMail
from models.service_desk import Ticket, TicketState
from models.work import EntryState, ServiceEntry


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered document, or why there is none."""

    pdf: bytes | None
    error: str = ""


RenderReports = Callable[[Sequence[ReportContent]], list[Page]]
"""Renders a batch in the given order, on as many processes as this worker has."""


def _recipients(session: Session, reports: Sequence[ServiceReport]) -> dict[int, Recipients]:
    people_of = persons_of(session, sorted({r.customer_id for r in reports}))
    return {r.id: choose(people_of.get(r.customer_id, []), r.paying_site_id) for r in reports}


def number_reports(session: Session, run_id: int, *, after: int = 0, limit: int = 500) -> tuple[int, int]:
    """Give planned reports their numbers, in order of customer and site, where somebody can receive them.

    From here on their entries are reported for good. A second call meets none of them. Visits at the same time take turns, so
    that each leaves this step with every number given.

    Args:
        session: the issuing transaction.
        run_id: the billing run.
        after: the last position (rank of customer and site) that was looked at.
        limit: how many to look at.

    Returns:
        how many got a number, and the last position looked at (0 = none left).
    """
    lock(session, f"billing-numbers:{run_id}")
    rank = sa.func.row_number().over(order_by=(Customer.number, sa.func.coalesce(Site.code, "")))
    ordered = (
        sa.select(ServiceReport.id, rank.label("position"), Customer.number.label("customer"), Site.code.label("site"))
        .join(BillingItem, BillingItem.id == ServiceReport.item_id)
        .join(Customer, Customer.id == ServiceReport.customer_id)
        .outerjoin(Site, Site.id == ServiceReport.paying_site_id)
        .where(BillingItem.run_id == run_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(ServiceReport, ordered.c.position, ordered.c.customer, ordered.c.site)
        .join(ordered, ordered.c.id == ServiceReport.id)
        .where(ordered.c.position > after, ServiceReport.state == ReportState.PLANNED)
        .order_by(ordered.c.position)
        .limit(limit)
        .with_for_update(of=ServiceReport, skip_locked=True)
    ).all()
    if not rows:
        return 0, 0
    to = _recipients(session, [row.ServiceReport for row in rows])
    ready = [row.ServiceReport for row in rows if to[row.ServiceReport.id].emails]
    for row in rows:
        if not to[row.ServiceReport.id].emails:
            _ask_for_recipient(session, row.ServiceReport, who_is(row.customer, row.site))
    _recipients_named(session, ready)
    now = clock.now()
    numbers = next_numbers(session, "SB", clock.local(now).year, len(ready))
    for report, number in zip(ready, numbers, strict=True):
        report.number, report.state, report.issued_at = number, ReportState.NUMBERED, now
    session.flush()
    ids = [report.id for report in ready]
    session.execute(sa.update(ServiceEntry).where(ServiceEntry.report_id.in_(ids)).values(state=EntryState.REPORTED))
    session.execute(sa.update(BillingItem).where(BillingItem.id.in_([r.item_id for r in ready])).values(state=ItemState.ISSUED))
    return len(ready), rows[-1].position


def _missing_key(report: ServiceReport) -> str:
    return f"recipient-missing:{report.id}"


def _ask_for_recipient(session: Session, report: ServiceReport, who: str) -> None:
    """A missing recipient blocks report and invoice, so somebody is asked (U9)."""
    missing = no_recipient(who)
    people.ask(
        session,
        people.Question(
            key=_missing_key(report),
            customer_id=report.customer_id,
            role=missing.role,
            subject=f"Servicebericht {report.month} hat keinen Empfänger",
            text=f"{missing.why} Der nächste Besuch des Laufs geht dann weiter.",
        ),
    )


def _recipients_named(session: Session, reports: Sequence[ServiceReport]) -> None:
    keys = [_missing_key(report) for report in reports]
    still_open = sa.select(Ticket.dedup_key).where(Ticket.dedup_key.in_(keys), Ticket.state != TicketState.CLOSED)
    for key in session.scalars(still_open).all():
        people.answered(session, key or "")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the mail of a report was so far."""

    count: int
    state: MailState | None
    recipients: tuple[str, ...]


def issue_reports(session: Session, run_id: int, render: RenderReports, limit: int = 50) -> int:
    """Render, archive and queue a batch of at most `limit` numbered reports; returns how many.

    Several visits share a run: each takes rows that no other holds. After a crash the same number is rendered again.
    """
    limit = portion(reports_waiting(session, run_id), limit)
    reports = session.scalars(
        sa.select(ServiceReport)
        .join(BillingItem, BillingItem.id == ServiceReport.item_id)
        .where(BillingItem.run_id == run_id, *NUMBERED_REPORT)
        .order_by(ServiceReport.number)
        .limit(limit)
        .with_for_update(of=ServiceReport, skip_locked=True)
    ).all()
    if not reports:
        return 0
    contents = report_contents(session, [r.id for r in reports])
    to = _recipients(session, reports)
    for report in reports:
        report.fault = None if to[report.id].emails else "Seit der Nummer ist kein Empfänger mehr hinterlegt."
    wanted = [report for report in reports if report.fault is None]
    made = []
    for report, page in zip(wanted, render([contents[r.id] for r in wanted]), strict=True):
        report.fault = page.error or None
        about = {"report": report.number, "customer": contents[report.id].customer.number}
        logs.item("Servicebericht gesetzt", fault=report.fault, **about)
        if page.pdf is not None:
            made.append((report, page.pdf))
    kept = archive.keep(
        session,
        *(
            Document("reports", report.number or "", pdf, customer_id=report.customer_id, day=contents[report.id].issued_on)
            for report, pdf in made
        ),
    )
    for (report, _), place in zip(made, kept, strict=True):
        report.archive_key, report.sha256, report.state = place.key, place.sha256, ReportState.ISSUED
    _queue(session, made, contents)
    return len(reports)


def reports_open(session: Session, run_id: int) -> bool:
    """Whether any report of the run has no pages yet."""
    without = (ServiceReport.state.in_((ReportState.PLANNED, ReportState.NUMBERED)), BillingItem.run_id == run_id)
    statement = sa.select(ServiceReport.id).join(BillingItem, BillingItem.id == ServiceReport.item_id).where(*without).limit(1)
    return session.scalar(statement) is not None


def reports_left(session: Session, run_id: int) -> bool:
    """Wait for the reports that other visits hold; whether any of them is still to be issued."""
    return left_by_others(session, ServiceReport, run_id, *NUMBERED_REPORT)


def _queue(session: Session, reports: Sequence[tuple[ServiceReport, bytes]], contents: dict[int, ReportContent]) -> None:
    """One mail per report, all its recipients in To."""
    if not reports:
        return
    house = the_house(session)
    to = _recipients(session, [report for report, _ in reports])
    follows = set(
        session.scalars(
            sa.select(Invoice.report_id).where(
                Invoice.report_id.in_([r.id for r, _ in reports]), Invoice.kind == InvoiceKind.SERVICE
            )
        )
    )
    attempts = _attempts(session, [report for report, _ in reports])
    mails, keys = [], {}
    for report, pdf in reports:
        content = contents[report.id]
        keys[report.id] = f"report:{report.number}:{attempts[report.id].count + 1}"
        texts = service_report_mail(
            house=content.house,
            contact=content.contact,
            customer=content.payer.name,
            report_id=content.number,
            month=content.month,
            invoice_follows=report.id in follows,
        )
        attachment = Attachment(f"Servicebericht_{content.number}.pdf", pdf)
        mails.append(NewMail(keys[report.id], "service_report", to[report.id].emails, texts, report.customer_id, (attachment,)))
        if to[report.id].fallback:
            _flag_fallback(session, report, to[report.id])
    ids = queue(session, house, mails)
    for report, _ in reports:
        report.mail_id = ids[keys[report.id]]


def _attempts(session: Session, reports: Sequence[ServiceReport]) -> dict[int, _Attempt]:
    mails: dict[int, _Attempt] = defaultdict(lambda: _Attempt(0, None, ()))
    ids = [r.mail_id for r in reports if r.mail_id is not None]
    rows = {
        m.id: m
        for m in session.scalars(sa.select(OutboxMail).where(OutboxMail.id.in_(ids)).options(sa.orm.defer(OutboxMail.raw)))
    }
    for report in reports:
        if report.mail_id is not None:
            mail = rows[report.mail_id]
            mails[report.id] = _Attempt(int(mail.key.rpartition(":")[2]), mail.state, tuple(mail.recipients))
    return mails


def _flag_fallback(session: Session, report: ServiceReport, to: Recipients) -> None:
    people.ask(
        session,
        people.Question(
            key=f"recipient-fallback:{report.customer_id}:{report.paying_site_id or 0}",
            customer_id=report.customer_id,
            role="account_manager",
            subject="Kein Empfänger für Serviceberichte benannt",
            text=f"Der Servicebericht {report.number} ging ersatzweise an {', '.join(to.emails)}. Bitte mit dem Kunden klären, "
            "wer die Serviceberichte erhalten soll.",
        ),
    )


def resend_bounced(session: Session, run_id: int, limit: int = 50) -> int:
    """Mail reports again whose mail came back, once somebody has named other recipients; the archived bytes are sent."""
    reports = session.scalars(
        sa.select(ServiceReport)
        .join(BillingItem, BillingItem.id == ServiceReport.item_id)
        .join(OutboxMail, OutboxMail.id == ServiceReport.mail_id)
        .where(BillingItem.run_id == run_id, OutboxMail.state == MailState.BOUNCED)
        .order_by(ServiceReport.number)
        .with_for_update(of=ServiceReport, skip_locked=True)
    ).all()
    to, attempts = _recipients(session, reports), _attempts(session, reports)
    changed = [r for r in reports if to[r.id].emails and not same_addresses(to[r.id].emails, attempts[r.id].recipients)][:limit]
    if not changed:
        return 0
    contents = report_contents(session, [r.id for r in changed])
    for report in changed:
        people.answered(session, f"mail-bounced:report:{report.number}:{attempts[report.id].count}")
    stored = archive.read_all(session, [r.archive_key or "" for r in changed])
    _queue(session, [(r, stored[r.archive_key or ""]) for r in changed], contents)
    return len(changed)
