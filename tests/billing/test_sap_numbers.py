"""SAP gives the invoice numbers: made there first, found again after every interruption, and what comes back is the legal one."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from actions.billing import cancel, documents, handover, sap_numbers, withdraw
from flows.monthly_billing import monthly_billing
from integrations.sap.port import Posting
from kit import clock
from kit.database import unit_of_work
from kit.errors import ConflictError, UsageError
from models.billing import Invoice
from models.handover import SapDocument
from models.parties import Customer
from tests import factories as make
from tests.billing.conftest import DONE, OCTOBER, release_month, told
from tests.fake_service_layer import FakeServiceLayer

pytestmark = pytest.mark.usefixtures("month")


@pytest.fixture
def sap(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServiceLayer]:
    with FakeServiceLayer() as fake:
        fake.partners |= {"K1", "K2", "K3"}
        for name, value in {
            "INVOICE_NUMBERS": "sap", "SAP": "service_layer", "SAP_URL": fake.url, "SAP_COMPANY": fake.login["CompanyDB"],
            "SAP_USER": fake.login["UserName"], "SAP_PASSWORD": fake.login["Password"],
        }.items():  # fmt: skip
            monkeypatch.setenv(f"DREHKREUZ_{name}", value)
        yield fake


def invoices() -> list[tuple[str, str, str, str | None]]:
    return sorted(
        (i["number"], i["kind"], i["gross"], i["report"])
        for customer in told()["customers"]  # type: ignore[attr-defined]
        for i in customer["invoices"]
    )


MADE = [
    ("20001", "service", "113.05", "SB-2026-000001"),
    ("20002", "service", "113.05", "SB-2026-000002"),
    ("20003", "service", "113.05", "SB-2026-000003"),
]


@pytest.mark.promise("S27", "U31")
def test_a_month_and_a_storno_carry_the_numbers_of_sap(sap: FakeServiceLayer) -> None:
    release_month()
    assert monthly_billing("2026-10").open_items == ()
    assert (told()["state"], told()["totals"], invoices()) == ("done", DONE, MADE)
    posted = [(row["DocNum"], row.get("NumAtCard"), row["U_DK_ServiceReport"]) for row in sap.documents["Invoices"].values()]
    assert posted == [(20001, None, "SB-2026-000001"), (20002, None, "SB-2026-000002"), (20003, None, "SB-2026-000003")]
    monthly_billing("2026-10")
    assert len(sap.documents["Invoices"]) == 3

    with unit_of_work("test") as session:
        assert cancel.cancel_invoice(session, "20002", "Falscher Empfänger", "Ina") == ""
    assert monthly_billing("2026-10").open_items == ()
    assert [i[:3] for i in invoices()] == [*(i[:3] for i in MADE), ("ST-20004", "cancellation", "-113.05")]
    (credit,) = sap.documents["CreditNotes"].values()
    base = next(entry for entry, row in sap.documents["Invoices"].items() if row["DocNum"] == 20002)
    assert (credit["DocNum"], credit["DocumentLines"][0]["BaseEntry"]) == (20004, base)
    assert told()["state"] == "done"
    with unit_of_work("test") as session:
        names = {paper.path for paper in documents.papers(session, OCTOBER)}
        assert session.scalar(sa.text("SELECT count(*) FROM number_range WHERE prefix = 'RE'")) == 0
    assert {"invoices/20001.pdf", "sap/20001.json", "invoices/ST-20004.xml", "sap/ST-20004.json"} <= names


def test_sap_away_lost_answers_and_an_interruption_give_each_invoice_one_number(
    sap: FakeServiceLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_month()
    sap.faults = ["drop after", "503"]
    monthly_billing("2026-10")
    assert (told()["state"], invoices()) == ("waiting", MADE[:1]), "reports are out, one invoice has its number, the rest waits"
    with monkeypatch.context() as broken:
        broken.setattr(sap_numbers, "numbered", _fails)
        with pytest.raises(RuntimeError, match="Strom weg"):
            monthly_billing("2026-10")
    assert len(sap.documents["Invoices"]) == 3, "SAP has made the others before the power went"
    clock.set_today(dt.date(2026, 11, 4))
    assert monthly_billing("2026-10").open_items == ()
    assert (told()["state"], invoices()) == ("done", MADE)
    with unit_of_work("test") as session:
        days = {
            i.number: (clock.local(i.issued_at).date(), i.due_on) for i in session.scalars(sa.select(Invoice)) if i.issued_at
        }
    assert days["20002"] == days["20003"] == (dt.date(2026, 11, 2), dt.date(2026, 11, 16)), "the day of SAP's document"


def _fails(*_: object) -> None:
    raise RuntimeError("Strom weg")


def test_what_sap_refuses_has_no_number_and_stops_nobody(sap: FakeServiceLayer) -> None:
    sap.partners.discard("K2")
    release_month()
    (open_item,) = monthly_billing("2026-10").open_items
    assert "Invalid BP code 'K2'" in open_item
    assert [i[3] for i in invoices()] == ["SB-2026-000001", "SB-2026-000003"]
    sap.partners.add("K2")
    assert monthly_billing("2026-10").open_items == ()
    assert told()["totals"] == DONE


def test_a_number_that_exists_is_not_given_twice(sap: FakeServiceLayer) -> None:
    release_month()
    monthly_billing("2026-10")
    with unit_of_work("test") as session:
        document = session.scalars(sa.select(SapDocument).order_by(SapDocument.id)).first()
        assert document is not None
        told_sap = handover.sap_invoices(session, [document])[document.id]
        number = document.key
        posting = Posting("x", "20002", "20002", 1, found=False)
        assert sap_numbers.numbered(session, [(document, told_sap, posting)]) == 0
        assert "Nummernkreis in SAP" in (document.error or "")
        assert document.key == number
        session.rollback()


def test_a_customer_whose_invoice_sap_may_have_is_not_withdrawn(sap: FakeServiceLayer) -> None:
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K1")).one()
        session.execute(sa.text("DELETE FROM service_entry WHERE key = 'L-1'"))
        make.contract(session, customer, number="V-1", kontingent_hours_per_month=Decimal(1))
    sap.faults = ["503"]
    release_month()
    monthly_billing("2026-10")
    with pytest.raises(ConflictError, match="SAP"), unit_of_work("test") as session:
        withdraw.withdraw_customer(session, OCTOBER, "K1")


def test_files_give_no_numbers(sap: FakeServiceLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREHKREUZ_SAP", "files")
    with pytest.raises(UsageError, match="DREHKREUZ_SAP=service_layer"):
        sap_numbers.wanted()
