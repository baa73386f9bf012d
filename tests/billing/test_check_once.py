"""An invoice is checked under the number that it will most likely get: the finished one is then the very one that was checked."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from actions import archive
from flows.monthly_billing import monthly_billing
from integrations.einvoice import CheckRecord, check
from kit.database import unit_of_work
from models.billing import Invoice
from models.parties import Customer
from tasks import rendering
from tests.billing.conftest import release_month
from tests.documents.samples import invoice


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Numbers of the finished invoices that were checked (once more)."""
    numbers: list[str] = []

    def counted(xml: bytes) -> CheckRecord:
        record = check(xml)
        numbers.append(record.invoice_number)
        return record

    monkeypatch.setattr(rendering, "check", counted)
    rendering._checked.clear()
    yield numbers
    rendering._checked.clear()


def proofs() -> dict[str, tuple[str, bool]]:
    """Number -> the number in the archived proof, and whether the proof is of the archived invoice."""
    with unit_of_work("test") as session:
        found = {}
        for invoice in session.scalars(sa.select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.number)):
            xml = archive.read(session, invoice.xml_archive_key or "")
            proof = archive.read(session, invoice.check_archive_key or "").decode()
            record = check(xml)
            found[invoice.number or ""] = (record.invoice_number, record.ok and record.sha256 in proof)
        return found


def test_what_was_checked_is_what_leaves(month: None, again: list[str]) -> None:
    release_month()
    monthly_billing("2026-10")

    assert again == []
    assert proofs() == {number: (number, True) for number in ("RE-2026-000001", "RE-2026-000002", "RE-2026-000003")}


def test_invoices_that_got_other_numbers_are_checked_again(month: None, again: list[str]) -> None:
    with unit_of_work("test") as session:
        session.execute(sa.update(Customer).where(Customer.number == "K1").values(country="QQ"))  # no such country: no number
    release_month()
    monthly_billing("2026-10")

    assert again == ["RE-2026-000001", "RE-2026-000002"]
    assert proofs() == {number: (number, True) for number in again}


def test_a_check_that_failed_is_never_remembered(again: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    failed = CheckRecord(ok=False, invoice_number="", profile="", sha256="0" * 64, findings=(), tools={})
    monkeypatch.setattr(rendering, "check_contents", lambda _: [failed])
    monkeypatch.setenv("DREHKREUZ_RENDER_PROCESSES", "1")
    monkeypatch.setattr(rendering, "CHECKED_AT_ONCE", 1)

    assert rendering.check_invoices([invoice()]) == [failed]
    assert not rendering.check_invoice(b"<no invoice/>").ok
    assert not rendering._checked
