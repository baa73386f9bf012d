"""Log lines as a machine reads them: whoever has a run, a month, a customer, a ticket or a mail finds what happened to it."""

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.goods_receipt import goods_receipt
from flows.maintenance_round import maintenance_round
from kit import clock
from kit import log as logs
from kit.database import unit_of_work
from kit.settings import home as home_folder
from models.parties import Customer
from tests.goods import test_flow as goods
from tests.maintenance.making import plan
from tests.outage import world
from tests.outage.conftest import sink as sink  # noqa: PLC0414 - a mail server that takes everything

Lines = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def lines(home: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What this process writes into the home's log from here on, as JSON."""
    root = logging.getLogger()
    kept = root.handlers, root.level
    logs.configure("lines")
    path = home_folder() / "log" / "lines.jsonl"
    path.write_text("")
    yield lambda: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = kept
    assert "gesetzt" not in capfd.readouterr().err, "single items are no lines for people"


def told(lines: Lines, message: str) -> list[dict[str, Any]]:
    found = [line for line in lines() if line["message"] == message]
    assert found, f"nobody said »{message}«"
    return found


@pytest.mark.usefixtures("sink")
def test_a_billed_month_names_run_month_customer_report_invoice_and_mail(lines: Lines) -> None:
    world.settle_in()
    assert world.bill(world.OCTOBER).open_items == ()
    runs = {line["run"] for line in lines() if line.get("flow") == "monthly_billing"}
    assert len(runs) == 1
    for message, name in (("Servicebericht gesetzt", "report"), ("Rechnung gesetzt", "invoice"), ("Mail angenommen", "mail")):
        found = told(lines, message)
        assert {line["run"] for line in found} == runs
        assert {line["month"] for line in found} == {"2026-10"}
        assert {line["customer"] for line in found} <= {"K1", "K2"}
        assert all(line[name] for line in found)
    assert {line["customer"] for line in told(lines, "Rechnung gesetzt")} == {"K1", "K2"}


def test_a_delivery_names_receipt_ticket_and_customer(lines: Lines) -> None:
    goods.stock()
    goods.put(0)
    goods_receipt()
    booked, paper = told(lines, "Lieferung gebucht")[0], told(lines, "Papier gesetzt")[0]
    assert booked["receipt"].endswith("/LS-0")
    assert booked["tickets"] == [paper["ticket"]]
    assert paper["customer"].startswith("K")
    assert booked["run"] == paper["run"]
    assert booked["flow"] == "goods_receipt"


def test_a_round_names_each_ticket_and_its_customer(lines: Lines) -> None:
    clock.set_today(dt.date(2026, 1, 5))
    with unit_of_work("test") as session:
        number = session.get_one(Customer, plan(session).customer_id).number
    maintenance_round()
    line = told(lines, "Wartungsticket angelegt")[0]
    assert line["ticket"].startswith("T-2026-")
    assert (line["customer"], line["flow"]) == (number, "maintenance_round")
