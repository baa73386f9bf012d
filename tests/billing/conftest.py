"""A released month of three customers, and a recording mail sink."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.billing import overview, preview, release
from kit import clock
from kit.database import unit_of_work
from rules.month import Month
from tests import factories as make
from tests.servers import SinkProcess

OCTOBER = Month(2026, 10)


@pytest.fixture
def sink(committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SinkProcess]:
    server = SinkProcess(tmp_path / "sink").start()
    for name, value in {
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(server.port), "SMTP_TLS": "none", "REPORT_GRACE_DAYS": "0",
        "RENDER_PROCESSES": "1", "SMTP_TIMEOUT": "2",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"DREHKREUZ_{name}", value)
    clock.set_today(dt.date(2026, 11, 2))
    yield server
    server.stop()


@pytest.fixture
def month(sink: SinkProcess) -> None:
    """Three customers with an hour each; the second wants the e-invoice."""
    with unit_of_work("test") as session:
        make.house(session)
        technician = make.employee(session)
        for n in (1, 2, 3):
            customer = make.customer(session, number=f"K{n}", delivery="email_einvoice" if n == 2 else "post")
            make.contact(session, customer, email=f"k{n}@kunde.example")
            make.agreement(session, customer)
            make.entry(session, customer, technician, make.ticket(session, customer), key=f"L-{n}")


def release_month() -> str:
    with unit_of_work("test") as session:
        seen = preview.build(session, OCTOBER)
    with unit_of_work("test") as session:
        release.release(session, OCTOBER, seen.snapshot, "Ina")
    return seen.snapshot


def told() -> dict[str, object]:
    with unit_of_work("test") as session:
        return overview.show(session, OCTOBER)


DONE = {"reports": 3, "invoices": 3, "net": "285.00", "vat": "54.15", "gross": "339.15"}
