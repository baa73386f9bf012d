"""What lies between the steps: late bounces, words that change, parts that end early, a Storno of a month long done."""

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from actions.billing import cancel, overview, preview, release, visit, withdraw
from actions.billing.report_content import report_contents
from actions.mail import bounces, dispatch
from flows.monthly_billing import monthly_billing
from kit import clock
from kit.database import unit_of_work
from models.agreements import CooperationAgreement
from models.billing import Invoice, InvoiceState, KontingentEntry, ServiceReport, ServiceReportGroup
from models.contracts import ContractKind
from models.maintenance import CompanyDay
from models.parties import Customer, Employee
from models.plumbing import MailState, OutboxMail
from models.service_desk import Ticket
from models.work import ServiceEntry
from rules.month import Month
from tests import factories as make
from tests.billing.conftest import OCTOBER, release_month, told

pytestmark = pytest.mark.usefixtures("month")
NOVEMBER = Month(2026, 11)


def customer_of(session: sa.orm.Session, number: str) -> Customer:
    return session.scalars(sa.select(Customer).where(Customer.number == number)).one()


def part(number: str, site: str | None = None) -> dict[str, object]:
    customers: list[dict[str, object]] = told()["customers"]  # type: ignore[assignment]
    return next(c for c in customers if c["number"] == number and c["site"] == site)


def snapshot(month: Month = OCTOBER) -> str:
    with unit_of_work("test") as session:
        return preview.build(session, month).snapshot


BOUNCE = """\
From: MAILER-DAEMON@mx.example
To: service@probehaus.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <back-1@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="grenze"

--grenze
Content-Type: text/plain

Nicht zustellbar.
--grenze
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 unknown user
--grenze
Content-Type: text/rfc822-headers

Message-ID: {message_id}
Subject: Servicebericht
--grenze--
"""


@pytest.mark.promise("U9")
def test_a_bounce_that_waits_in_the_inbox_is_read_before_any_invoice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_REPORT_GRACE_DAYS", "1")
    release_month()
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        mail = session.scalars(sa.select(OutboxMail).where(OutboxMail.recipients.contains(["k1@kunde.example"]))).one()
        raw = BOUNCE.format(recipient="k1@kunde.example", message_id=mail.message_id).replace("\n", "\r\n")
        assert bounces.take(session, raw.encode())
    clock.set_today(dt.date(2026, 11, 4))
    monthly_billing("2026-10")
    assert part("K1")["invoices"] == []
    assert [b["what"] for b in part("K1")["blocked"]] == ["bounce"]  # type: ignore[attr-defined]
    assert len(part("K3")["invoices"]) == 1  # type: ignore[arg-type]


@pytest.mark.promise("S25")
def test_words_on_the_report_belong_to_the_snapshot() -> None:
    before = snapshot()
    with unit_of_work("test") as session:
        session.execute(sa.update(ServiceEntry).where(ServiceEntry.key == "L-1").values(text="Anders beschrieben."))
    assert snapshot() != before


def test_what_comes_after_the_month_is_no_input_of_it() -> None:
    before = snapshot()
    with unit_of_work("test") as session:
        customer = customer_of(session, "K1")
        make.agreement(session, customer, version=2, signed_on=dt.date(2026, 11, 1), hour_price=Decimal(120))
        make.contract(session, customer, starts_on=dt.date(2026, 11, 1))
        make.contract(session, customer, starts_on=dt.date(2026, 11, 1), kind=ContractKind.RENTAL)
        make.entry(session, customer, make.employee(session), make.ticket(session, customer), work_date=dt.date(2026, 11, 3))
        session.execute(sa.text("UPDATE contact SET phone = '+49 2581 1'"))
    assert snapshot() == before
    with unit_of_work("test") as session:
        make.agreement(session, customer_of(session, "K1"), version=3, signed_on=dt.date(2026, 10, 1), hour_price=Decimal(120))
    assert snapshot() != before


@pytest.mark.promise("U9")
def test_a_missing_recipient_opens_a_task_once() -> None:
    with unit_of_work("test") as session:
        session.execute(sa.text("DELETE FROM contact WHERE email = 'k1@kunde.example'"))
    release_month()
    monthly_billing("2026-10")
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        asked = session.execute(sa.select(Ticket.role, Ticket.subject).where(Ticket.kind == "task")).tuples().all()
    assert asked == [("account_manager", "Servicebericht 2026-10 hat keinen Empfänger")]


def test_a_recipient_lost_between_number_and_pages_holds_up_nobody_else() -> None:
    from tasks import billing as steps

    release_month()
    run = steps.begin_visit("2026-10")
    assert run is not None
    steps.number_reports(run)
    with unit_of_work("test") as session:
        session.execute(sa.text("DELETE FROM contact WHERE email = 'k1@kunde.example'"))
    monthly_billing("2026-10")
    assert [b["what"] for b in part("K1")["blocked"]] == ["recipient"]  # type: ignore[attr-defined]
    assert [len(part(n)["invoices"]) for n in ("K1", "K2", "K3")] == [0, 1, 1]  # type: ignore[arg-type]
    with unit_of_work("test") as session:
        make.contact(session, customer_of(session, "K1"), email="neu@kunde.example")
    assert monthly_billing("2026-10").open_items == ()
    assert told()["state"] == "done"


def test_a_storno_of_an_undelivered_invoice_lets_its_month_end() -> None:
    release_month()
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        invoice = session.scalars(sa.select(Invoice).join(Customer).where(Customer.number == "K2")).one()
        session.execute(sa.update(OutboxMail).where(OutboxMail.id == invoice.mail_id).values(state=MailState.BOUNCED))
        number = invoice.number or ""
        cancel.cancel_invoice(session, number, "Adresse gibt es nicht", "Ina")
    assert told()["state"] == "waiting", "the daily visit sees a month with a Storno"
    with unit_of_work("test") as session:
        assert visit.open_months(session) == ["2026-10"]
    assert monthly_billing("2026-10").open_items == ()
    assert told()["state"] == "done"
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(Invoice.state).where(Invoice.number == number)) is InvoiceState.CANCELLED


def test_an_entry_without_price_is_open_until_a_later_run_takes_it() -> None:
    with unit_of_work("test") as session:
        priceless = make.customer(session, number="K4")
        make.contact(session, priceless)
        make.entry(session, priceless, make.employee(session), make.ticket(session, priceless), key="L-4")
    release_month()
    monthly_billing("2026-10")
    assert [b["what"] for b in part("K4")["blocked"]] == ["price"]  # type: ignore[attr-defined]
    clock.set_today(dt.date(2026, 12, 1))
    with unit_of_work("test") as session:
        make.agreement(session, customer_of(session, "K4"))
    with unit_of_work("test") as session:
        release.release(session, NOVEMBER, preview.build(session, NOVEMBER).snapshot, "Ina")
    monthly_billing("2026-10")
    assert part("K4")["blocked"] == []


def _per_site_with_a_contract_that_ended() -> None:
    """Head office has only a closed Kontingent's late booking, the branch S1 pays for its work and nobody receives it."""
    with unit_of_work("test") as session:
        customer = make.customer(session, number="K5", billing="per_site")
        make.agreement(session, customer)
        branch = make.site(session, customer, code="S1")
        branch.bills_to_id = branch.id
        make.contract(session, customer, ends_on=dt.date(2026, 9, 30))
        rental = make.contract(session, customer, number="V-M", kind=ContractKind.RENTAL, site_id=branch.id)
        rental.starts_on = dt.date(2026, 10, 20)
        technician = make.employee(session)
        ticket = make.ticket(session, customer, site_id=branch.id)
        make.entry(session, customer, technician, ticket, key="L-5", work_date=dt.date(2026, 9, 30))
        make.entry(session, customer, technician, ticket, key="L-6", work_date=dt.date(2026, 10, 21))


def test_a_customer_with_a_part_done_at_once_can_still_be_withdrawn() -> None:
    _per_site_with_a_contract_that_ended()
    release_month()
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        assert withdraw.withdraw_customer(session, OCTOBER, "K5") == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(KontingentEntry)) == 0


def test_excluded_entries_stay_with_the_part_that_was_released() -> None:
    _per_site_with_a_contract_that_ended()
    release_month()
    assert part("K5", "S1")["excluded"] == [{"entry": "L-6", "contract": "V-M"}]
    with unit_of_work("test") as session:
        session.execute(sa.text("UPDATE site SET bills_to_id = NULL"))
        told_later = overview.show(session, OCTOBER)
    assert [c["excluded"] for c in told_later["customers"] if c["excluded"]] == [[{"entry": "L-6", "contract": "V-M"}]]


@pytest.mark.promise("U9")
@pytest.mark.parametrize("named", ["K1@Kunde.Example", "weitergeleitet@anderswo.example"])
def test_a_bounce_counts_however_the_server_writes_the_address(named: str) -> None:
    release_month()
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        mail = session.scalars(sa.select(OutboxMail).where(OutboxMail.recipients.contains(["k1@kunde.example"]))).first()
        assert mail is not None
        assert dispatch.bounced(session, mail.message_id, named, "5.1.1")
        assert mail.state is MailState.BOUNCED


@pytest.mark.promise("U9")
def test_the_grace_time_counts_the_days_on_which_the_house_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_REPORT_GRACE_DAYS", "1")
    with unit_of_work("test") as session:
        session.add(CompanyDay(day=dt.date(2026, 11, 3), name="Betriebsausflug"))
    release_month()
    monthly_billing("2026-10")
    clock.set_today(dt.date(2026, 11, 3))
    monthly_billing("2026-10")
    assert [part(n)["invoices"] for n in ("K1", "K2", "K3")] == [[], [], []]
    clock.set_today(dt.date(2026, 11, 5))
    monthly_billing("2026-10")
    assert told()["state"] == "done"


def test_hints_to_the_office_stand_in_the_preview_and_not_on_the_report() -> None:
    with unit_of_work("test") as session:
        session.execute(sa.text("UPDATE cooperation_agreement SET travel_price = NULL"))
        session.execute(sa.update(ServiceEntry).where(ServiceEntry.key == "L-1").values(trips=1))
        seen = preview.build(session, OCTOBER)
        assert ["Anfahrtspreis" in hint.text for item in seen.items for hint in item.payer.hints] == [True]
    release_month()
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        contents = report_contents(session, list(session.scalars(sa.select(ServiceReport.id))))
    assert {content.hints for content in contents.values()} == {()}


def test_a_second_release_names_what_still_waits() -> None:
    with unit_of_work("test") as session:
        session.execute(sa.text("DELETE FROM contact WHERE email = 'k1@kunde.example'"))
    seen = release_month()
    with unit_of_work("test") as session:
        again = release.release(session, OCTOBER, seen, "Ina")
    assert (again.new, [b.what for b in again.blocked]) == (False, ["recipient"])


@pytest.mark.promise("S95", "U29")
def test_without_contract_a_month_is_one_report_at_the_price_of_the_version_that_said_so() -> None:
    """Two tickets, one collective report; each price names the version that was signed when the work was done."""
    with unit_of_work("test") as session:
        customer = customer_of(session, "K1")
        second = make.agreement(session, customer, version=2, signed_on=dt.date(2026, 10, 20), hour_price=Decimal("101.00"))
        technician = session.scalars(sa.select(Employee)).one()
        make.entry(session, customer, technician, make.ticket(session, customer), work_date=dt.date(2026, 10, 22))
    release_month()
    with unit_of_work("test") as session:
        report = session.scalars(sa.select(ServiceReport).where(ServiceReport.customer_id == customer.id)).one()
        groups = session.execute(
            sa.select(ServiceReportGroup.price, CooperationAgreement.version)
            .join(CooperationAgreement, CooperationAgreement.id == ServiceReportGroup.agreement_id)
            .where(ServiceReportGroup.report_id == report.id)
            .order_by(CooperationAgreement.version)
        ).tuples()
        assert list(groups) == [(Decimal("95.00"), 1), (Decimal("101.00"), second.version)]
