"""Bad days: a server goes away in the middle, two runs start at once, data is missing. The month ends right all the same."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from actions import archive
from actions.billing import preview
from flows.monthly_billing import monthly_billing
from integrations.archive.port import ArchiveUnavailableError
from integrations.archive.s3 import S3Archive, S3Target
from integrations.mail.sink import sunk_mails
from kit.database import unit_of_work
from models.parties import Customer
from tests import factories as make
from tests.billing.conftest import DONE, OCTOBER, release_month, told
from tests.fake_service_layer import FakeServiceLayer
from tests.servers import S3Server, SinkProcess, s3_server, wait_until

pytestmark = pytest.mark.usefixtures("month")


def test_mail_server_away_and_back(sink: SinkProcess) -> None:
    release_month()
    sink.stop()
    stopped = monthly_billing("2026-10")
    assert any("nicht erreichbar" in item for item in stopped.open_items)
    assert [c["invoices"] for c in told()["customers"]] == [[], [], []], "no invoice without an accepted report"
    sink.start()
    assert monthly_billing("2026-10").open_items == ()
    assert told()["totals"] == DONE
    assert len(sunk_mails(sink.folder)) == 4


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    with s3_server(tmp_path / "s3") as server:
        yield server


@pytest.mark.needs("s3")
def test_archive_away_in_the_middle(sink: SinkProcess, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    target = s3.target("belege")
    S3Archive(target).create_bucket()
    for name, value in {
        "ARCHIVE": "s3", "S3_ENDPOINT_URL": target.endpoint_url, "S3_BUCKET": target.bucket, "S3_ACCESS_KEY": target.access_key,
        "S3_SECRET_KEY": target.secret_key,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"DREHKREUZ_{name}", value)
    release_month()
    real, puts = archive.keep, []

    def flaky(session: object, *documents: object) -> object:
        puts.append(documents)
        if len(puts) == 3:
            s3.stop()
        return real(session, *documents)

    monkeypatch.setattr(archive, "keep", flaky)
    monkeypatch.setattr("kit.steps.time.sleep", lambda _seconds: None)
    with pytest.raises(ArchiveUnavailableError):
        monthly_billing("2026-10")
    s3.start()
    wait_until(lambda: _reads(target), "S3 after its restart", 60)
    assert monthly_billing("2026-10").open_items == ()
    assert told()["totals"] == DONE
    assert len(sunk_mails(sink.folder)) == 4
    with unit_of_work("test") as session:
        for key in session.scalars(sa.text("SELECT key FROM archived_object")):
            archive.read(session, key)


def _reads(target: S3Target) -> bool:
    try:
        with unit_of_work("test") as session:
            key = session.scalars(sa.text("SELECT key FROM archived_object ORDER BY id LIMIT 1")).one()
        return bool(S3Archive(target).get(key))
    except ArchiveUnavailableError:
        return False


def test_sap_away_and_a_lost_answer(sink: SinkProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServiceLayer(faults=("drop after", "503", "", "", "")) as sap:
        sap.partners |= {"K1", "K2", "K3"}
        for name, value in {
            "SAP": "service_layer", "SAP_URL": sap.url, "SAP_COMPANY": sap.login["CompanyDB"], "SAP_USER": sap.login["UserName"],
            "SAP_PASSWORD": sap.login["Password"],
        }.items():  # fmt: skip
            monkeypatch.setenv(f"DREHKREUZ_{name}", value)
        release_month()
        monthly_billing("2026-10")
        assert told()["totals"] == DONE, "reports and invoices go on without SAP"
        assert told()["state"] == "waiting"
        assert monthly_billing("2026-10").open_items == ()
        assert told()["state"] == "done"
        posted = sorted(row["NumAtCard"] for row in sap.documents["Invoices"].values())
        assert posted == ["RE-2026-000001", "RE-2026-000002", "RE-2026-000003"]


def test_two_runs_at_once_share_the_work(sink: SinkProcess) -> None:
    release_month()
    faults: list[BaseException] = []

    def one_run() -> None:
        try:
            monthly_billing("2026-10")
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)

    runs = [threading.Thread(target=one_run) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert faults == []
    monthly_billing("2026-10")
    assert told()["totals"] == DONE
    assert len(sunk_mails(sink.folder)) == 4
    with unit_of_work("test") as session:
        numbers = session.scalars(sa.text("SELECT number FROM invoice ORDER BY 1")).all()
    assert numbers == ["RE-2026-000001", "RE-2026-000002", "RE-2026-000003"]


@pytest.mark.promise("S104")
def test_a_customer_without_agreement_has_no_price_and_stops_nobody(sink: SinkProcess) -> None:
    with unit_of_work("test") as session:
        customer = make.customer(session, number="K9")
        make.contact(session, customer)
        make.entry(session, customer, make.employee(session), make.ticket(session, customer), key="L-9")
        seen = preview.build(session, OCTOBER)
    assert [(blocked.what, blocked.id, blocked.role) for _, blocked in seen.blocked] == [("price", "L-9", "account_manager")]
    release_month()
    outcome = monthly_billing("2026-10")
    assert [item.partition(":")[0] for item in outcome.open_items] == ["K9"]
    assert told()["totals"] == DONE


def test_an_invoice_that_breaks_the_rules_is_held_and_issued_once_mended(sink: SinkProcess) -> None:
    release_month()
    with unit_of_work("test") as session:
        session.execute(sa.text("UPDATE house SET iban = 'DE00123'"))
    outcome = monthly_billing("2026-10")
    assert len([item for item in outcome.open_items if "kann nicht ausgestellt werden" in item]) == 3
    assert told()["totals"]["invoices"] == 0
    with unit_of_work("test") as session:
        session.execute(sa.text("UPDATE house SET iban = 'DE02120300000000202051'"))
    assert monthly_billing("2026-10").open_items == ()
    assert told()["totals"] == DONE


@pytest.mark.promise("U9")
def test_a_bounced_report_blocks_its_invoice_until_the_address_is_right(sink: SinkProcess) -> None:
    from tests.hostile_smtp import HostileSmtp, Plan

    release_month()
    with (
        pytest.MonkeyPatch.context() as patch,
        HostileSmtp([Plan(rcpt={"k3@kunde.example": "550 5.1.1 no such user"})]) as hostile,
    ):
        patch.setenv("DREHKREUZ_SMTP_PORT", str(hostile.port))
        blocked = monthly_billing("2026-10").open_items
    assert len(blocked) == 1
    assert "nicht zustellbar" in blocked[0]
    assert told()["totals"]["invoices"] == 2
    with unit_of_work("test") as session:
        customer = session.scalars(sa.select(Customer).where(Customer.number == "K3")).one()
        session.execute(sa.text("UPDATE contact SET email = 'richtig@kunde.example' WHERE email = 'k3@kunde.example'"))
        assert customer.number == "K3"
    assert monthly_billing("2026-10").open_items == ()
    assert told()["totals"] == DONE
    assert {to for mail in sunk_mails(sink.folder) for to in mail.recipients} >= {"richtig@kunde.example"}
    with unit_of_work("test") as session:
        assert session.scalar(sa.text("SELECT state FROM ticket WHERE kind = 'task'")) == "closed"
