"""A business month, told in order: work is approved, previewed, released, reported, invoiced, handed over, done again."""

import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actions import approval
from actions.billing import cancel, corrections, documents, overview, preview, release, withdraw
from integrations.mail.sink import sunk_mails
from kit import clock
from kit.database import unit_of_work
from kit.errors import ConflictError
from kit.steps import Outcome
from models.billing import Invoice, KontingentEntry
from models.contracts import KontingentOpening
from models.service_desk import Ticket
from models.work import EntryState, ServiceEntry
from rules.month import Month
from tasks import billing as steps
from tests import factories as make
from tests.servers import SinkProcess

OCTOBER = Month(2026, 10)


@pytest.fixture
def sink(committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SinkProcess]:
    server = SinkProcess(tmp_path / "sink").start()
    monkeypatch.setenv("DREHKREUZ_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DREHKREUZ_SMTP_PORT", str(server.port))
    monkeypatch.setenv("DREHKREUZ_SMTP_TLS", "none")
    monkeypatch.setenv("DREHKREUZ_REPORT_GRACE_DAYS", "0")
    monkeypatch.setenv("DREHKREUZ_RENDER_PROCESSES", "1")
    clock.set_today(dt.date(2026, 11, 2))
    yield server
    server.stop()


def visit(month: str = "2026-10") -> Outcome:
    from flows.monthly_billing import monthly_billing

    return monthly_billing(month)


def release_now(month: Month = OCTOBER) -> release.Released:
    with unit_of_work("test") as session:
        seen = preview.build(session, month)
        preview.remember(session, seen, clock.now())
    with unit_of_work("test") as session:
        return release.release(session, month, seen.snapshot, "Ina Innendienst")


def show(month: Month = OCTOBER) -> dict[str, Any]:
    with unit_of_work("test") as session:
        return overview.show(session, month)


def part(told: dict[str, Any], number: str) -> dict[str, Any]:
    return next(c for c in told["customers"] if c["number"] == number)


@pytest.fixture
def house(sink: SinkProcess) -> dict[str, Any]:
    """Two customers: one pays by the hour and by post, one has ten hours a month and wants the e-invoice."""
    with unit_of_work("test") as session:
        make.house(session)
        technician = make.employee(session)
        hourly = make.customer(session, number="K1", name="Stundenkunde GmbH")
        make.contact(session, hourly, email="empfang@stundenkunde.example")
        make.agreement(session, hourly)
        ticket = make.ticket(session, hourly, topic="Drucker")
        make.entry(session, hourly, technician, ticket, key="L-1", minutes=50, trips=1)
        make.entry(session, hourly, technician, ticket, key="L-2", minutes=20, billable=False, non_billable_reason="Kulanz")
        prepaid = make.customer(
            session,
            number="K2",
            name="Kontingentkunde GmbH",
            delivery="email_einvoice",
            invoice_email="buch@kontingent.example",
        )
        make.contact(session, prepaid, email="chefin@kontingent.example")
        make.agreement(session, prepaid)
        contract = make.contract(session, prepaid, number="V-1", overdraft_allowed=True, correction_rule="after_months=1")
        session.add(KontingentOpening(customer_id=prepaid.id, contract_id=contract.id, as_of=dt.date(2026, 9, 30), minutes=0))
        make.entry(session, prepaid, technician, make.ticket(session, prepaid), key="L-3", minutes=700)
        return {"hourly": hourly.id, "prepaid": prepaid.id, "technician": technician.id}


@pytest.mark.promise("S26", "S27", "S156", "S157", "S161", "S162", "S163", "S165", "S167")
def test_report_first_then_invoice_and_a_second_run_changes_nothing(
    house: dict[str, Any], sink: SinkProcess, tmp_path: Path
) -> None:
    waiting = visit()
    assert "Freigabe ausstehend" in waiting.open_items[0]
    assert show()["state"] == "open"
    assert release_now().new
    assert visit().open_items == ()

    told = show()
    assert told["state"] == "done"
    hourly = part(told, "K1")
    assert hourly["report"]["id"] == "SB-2026-000001"
    assert hourly["report"]["state"] == "accepted"
    assert [(g["kind"], g["quantity"], g["net"]) for g in hourly["report"]["groups"]] == [
        ("standard", "1.00", "95.00"),
        ("trip", "1.00", "49.00"),
    ]
    assert [(i["kind"], i["gross"], i["face"], i["state"]) for i in hourly["invoices"]] == [
        ("service", "171.36", "post", "issued")
    ]
    prepaid = part(told, "K2")
    assert [(i["kind"], i["net"], i["state"]) for i in prepaid["invoices"]] == [("kontingent", "900.00", "sent")]
    assert prepaid["kontingent"][0] == {
        "contract": "V-1",
        "carried": 0,
        "granted": 600,
        "used": 705,
        "corrected": 0,
        "balance": -105,
        "correction_proposed": 105,
    }

    mails = [email.message_from_bytes(m.raw, policy=email.policy.default) for m in sunk_mails(sink.folder)]
    assert [str(m["To"]) for m in mails] == [
        "empfang@stundenkunde.example",
        "chefin@kontingent.example",
        "buch@kontingent.example",
    ]
    report = mails[0]
    assert "SB-2026-000001" in report["Subject"]
    assert "SB-2026-000001" in report.get_body().get_content()
    assert [a.get_filename() for a in report.iter_attachments()] == ["Servicebericht_SB-2026-000001.pdf"]
    number = prepaid["invoices"][0]["number"]
    assert number in mails[2]["Subject"]
    assert "SB-" not in mails[2]["Subject"]
    with unit_of_work("test") as session:
        order = session.execute(
            sa.text("SELECT r.accepted_at < i.issued_at FROM outbox_mail r, invoice i WHERE r.kind = 'service_report'")
        ).scalars()
        assert all(order)
        files = documents.write(session, OCTOBER, tmp_path / "out")
    assert {p.relative_to(tmp_path / "out").parts[0] for p in files} == {
        "reports",
        "invoices",
        "checks",
        "post",
        "sap",
        "datev",
    }

    before = show()
    visit()
    visit()
    assert show() == before
    assert len(sunk_mails(sink.folder)) == 3


@pytest.mark.promise("S25", "U15")
def test_a_change_after_the_preview_is_refused_by_name(house: dict[str, Any]) -> None:
    with unit_of_work("test") as session:
        seen = preview.build(session, OCTOBER)
        preview.remember(session, seen, clock.now())
        approval.correct(session, "L-1", minutes=80, trips=1, text="Länger gedauert.", billable=True, reason=None)
    with (
        pytest.raises(release.ChangedSinceError, match=r"K1: Leistung L-1 geändert; netto 144,00 → 191,50 €"),
        unit_of_work("test") as session,
    ):
        release.release(session, OCTOBER, seen.snapshot, "Ina")
    assert show()["state"] == "open"


def test_a_released_entry_is_locked_and_free_again_when_its_customer_is_withdrawn(house: dict[str, Any]) -> None:
    release_now()
    with pytest.raises(ConflictError, match="zur Abrechnung freigegeben"), unit_of_work("test") as session:
        approval.withdraw_approval(session, ["L-1"])
    with unit_of_work("test") as session:
        assert withdraw.withdraw_customer(session, OCTOBER, "K2") == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(KontingentEntry)) == 0
        assert approval.withdraw_approval(session, ["L-3"]) == 1
    visit()
    assert [c["number"] for c in show()["customers"]] == ["K1"]
    with pytest.raises(ConflictError, match="schon Belege ausgestellt"), unit_of_work("test") as session:
        withdraw.withdraw_customer(session, OCTOBER, "K1")


@pytest.mark.promise("S169", "U6", "U7")
def test_an_overbooking_is_billed_only_after_release_and_once(house: dict[str, Any]) -> None:
    release_now()
    visit()
    with unit_of_work("test") as session:
        proposal = corrections.find_proposal(session, "V-1", OCTOBER)
        assert corrections.release_proposal(session, proposal, "Karl Kundenbetreuer") == 105
    with pytest.raises(ConflictError, match="schon entschieden"), unit_of_work("test") as session:
        corrections.release_proposal(session, proposal, "Karl Kundenbetreuer")
    visit()
    prepaid = part(show(), "K2")
    assert [(i["kind"], i["net"]) for i in prepaid["invoices"]] == [("kontingent", "900.00"), ("correction", "157.50")]
    assert prepaid["kontingent"][0]["corrected"] == 105
    assert prepaid["kontingent"][0]["balance"] == 0


def test_a_storno_takes_the_whole_invoice_back(house: dict[str, Any], sink: SinkProcess) -> None:
    release_now()
    visit()
    with unit_of_work("test") as session:
        assert cancel.cancel_invoice(session, "RE-2026-000001", "Falscher Empfänger", "Ina") == "RE-2026-000003"
    with pytest.raises(ConflictError, match="schon storniert"), unit_of_work("test") as session:
        cancel.cancel_invoice(session, "RE-2026-000001", "noch einmal", "Ina")
    assert visit().open_items == ()
    hourly = part(show(), "K1")
    assert [(i["number"], i["kind"], i["gross"], i["state"]) for i in hourly["invoices"]] == [
        ("RE-2026-000001", "service", "171.36", "cancelled"),
        ("RE-2026-000003", "cancellation", "-171.36", "issued"),
    ]
    with unit_of_work("test") as session:
        assert session.scalar(sa.text("SELECT count(*) FROM sap_document WHERE state = 'posted'")) == 3
        assert session.scalar(sa.text("SELECT count(*) FROM datev_file")) == 2


@pytest.mark.promise("U17")
def test_a_customer_without_recipient_waits_and_is_finished_by_a_later_visit(house: dict[str, Any]) -> None:
    with unit_of_work("test") as session:
        session.execute(sa.text("DELETE FROM contact WHERE email = 'empfang@stundenkunde.example'"))
    blocked = release_now().blocked
    assert [(b.what, b.id, b.role) for b in blocked] == [("recipient", "K1", "account_manager")]
    assert len(visit().open_items) == 1
    told = show()
    assert told["state"] == "waiting"
    assert part(told, "K1")["report"]["id"] is None
    assert part(told, "K2")["report"]["id"] == "SB-2026-000001"
    with unit_of_work("test") as session:
        from models.parties import Customer

        customer = session.get_one(Customer, house["hourly"])
        make.contact(session, customer, email="neu@stundenkunde.example", functions=["main"])
    visit()
    told = show()
    assert told["state"] == "done"
    assert part(told, "K1")["report"]["id"] == "SB-2026-000002"
    with unit_of_work("test") as session:
        asked = session.execute(sa.select(Ticket.subject, Ticket.state).where(Ticket.kind == "task").order_by(Ticket.id)).all()
    assert [tuple(row) for row in asked] == [
        ("Servicebericht 2026-10 hat keinen Empfänger", "closed"),
        ("Kein Empfänger für Serviceberichte benannt", "new"),
    ]


def test_an_unapproved_entry_is_left_for_the_next_run(house: dict[str, Any]) -> None:
    with unit_of_work("test") as session:
        approval.withdraw_approval(session, ["L-1"])
    assert [b.id for b in release_now().blocked] == ["L-1"]
    visit()
    assert [e["id"] for e in part(show(), "K1")["report"]["entries"]] == ["L-2"]
    assert part(show(), "K1")["invoices"] == [], "only non-billable work: a report, no invoice"
    with unit_of_work("test") as session:
        approval.approve(session, ["L-1"], "Ina")
    clock.set_today(dt.date(2026, 12, 1))
    november = Month(2026, 11)
    release_now(november)
    visit("2026-11")
    late = part(show(november), "K1")
    assert [(e["id"], e["charge"]) for e in late["report"]["entries"]] == [("L-1", "invoice")]
    assert part(show(november), "K2")["kontingent"][0]["carried"] == -105


@pytest.mark.promise("U9")
def test_the_grace_time_holds_the_invoice_back(house: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_REPORT_GRACE_DAYS", "1")
    release_now()
    visit()
    assert [i for c in show()["customers"] for i in c["invoices"]] == []
    assert show()["state"] == "waiting"
    clock.set_today(dt.date(2026, 11, 4))
    visit()
    assert show()["state"] == "done"
    assert len([i for c in show()["customers"] for i in c["invoices"]]) == 2


def test_entries_go_from_approved_to_invoiced(house: dict[str, Any]) -> None:
    release_now()
    visit()
    with unit_of_work("test") as session:
        states = dict(session.execute(sa.select(ServiceEntry.key, ServiceEntry.state)).tuples().all())
    assert states == {"L-1": EntryState.INVOICED, "L-2": EntryState.REPORTED, "L-3": EntryState.REPORTED}


def test_the_ledger_rebuilds_every_balance(house: dict[str, Any]) -> None:
    release_now()
    with unit_of_work("test") as session:
        rows = (
            session.execute(sa.select(KontingentEntry.day, KontingentEntry.minutes).order_by(KontingentEntry.day))
            .tuples()
            .all()
        )
    assert rows == [(dt.date(2026, 10, 1), 600), (dt.date(2026, 10, 5), -705)]


def test_numbers_have_no_gap_and_amounts_add_up(house: dict[str, Any]) -> None:
    release_now()
    visit()
    with unit_of_work("test") as session:
        invoices = session.scalars(sa.select(Invoice).order_by(Invoice.number)).all()
        assert [i.number for i in invoices] == [f"RE-2026-{n:06}" for n in range(1, len(invoices) + 1)]
        for invoice in invoices:
            net = session.scalar(sa.text("SELECT sum(net) FROM invoice_line WHERE invoice_id = :i"), {"i": invoice.id})
            assert net == invoice.net
            assert invoice.gross == invoice.net + invoice.vat == (invoice.net * Decimal("1.19")).quantize(Decimal("0.01"))


def test_broken_half_way_and_started_again(house: dict[str, Any], sink: SinkProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step fails once; the next start goes on from where the rows stand."""
    release_now()
    undisturbed = ["number_reports", "issue_reports", "send_mail", "number_invoices", "issue_invoices", "hand_over_to_sap",
                   "write_datev_batch", "fill_postal_batches", "close_visit"]  # fmt: skip
    for name in undisturbed:
        with monkeypatch.context() as broken:
            broken.setattr(steps, name, _fails)
            with pytest.raises(RuntimeError, match="Strom weg"):
                visit()
    assert visit().open_items == ()
    told = show()
    assert told["state"] == "done"
    assert told["totals"] == {"reports": 2, "invoices": 2, "net": "1044.00", "vat": "198.36", "gross": "1242.36"}
    assert len(sunk_mails(sink.folder)) == 3


def _fails(*_: object) -> None:
    raise RuntimeError("Strom weg")
