import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from rules.month import Month
from rules.monthly import bill_month
from rules.monthly_types import (
    Agreement,
    BillingMode,
    Charge,
    CustomerBill,
    CustomerMonth,
    FlatContract,
    FlatKind,
    KontingentContract,
    ServiceEntry,
    ServiceKind,
    Site,
)
from tests.rules.tables import day, each_row, number, table, word, yes

OCTOBER = Month(2026, 10)
AGREEMENT = Agreement(1, dt.date(2026, 1, 1), Decimal("95.0000"), travel_price=Decimal("35.0000"))
SITES = (Site("S1", travel_price=Decimal("45.00")),)
KONTINGENT = KontingentContract("V-1", dt.date(2026, 10, 1), None, Decimal(2), Decimal(90))
EXAMPLES = {
    "ohne Vertrag": ("Beispiel: Kunde ohne Vertrag", ()),
    "mit Kontingent": ("Beispiel: Kontingent ohne Überziehen", (KONTINGENT,)),
}


def example(name: str) -> tuple[list[dict[str, str]], CustomerBill]:
    heading, contracts = EXAMPLES[name]
    rows = table("monatsabrechnung.md", heading)
    entries = tuple(
        ServiceEntry(
            row["Leistung"],
            "T-1",
            word(row["Standort"]),
            day(row["Leistungstag"]),
            int(row["erfasst"]),
            kind=ServiceKind(row["Art"]),
            trips=int(row["Anfahrten"]),
            billable=yes(row["berechenbar"]),
            non_billable_reason=None if yes(row["berechenbar"]) else "Gewährleistung",
        )
        for row in rows
    )
    return rows, bill_month(
        CustomerMonth("K1", OCTOBER, sites=SITES, agreements=(AGREEMENT,), kontingente=contracts, entries=entries)
    )


@pytest.mark.promise("S157")
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_line_by_line(name: str) -> None:
    rows, bill = example(name)
    (payer,) = bill.payers
    lines = {line.entry_id: line for line in payer.entries}
    assert len(lines) == len(rows)
    for row in rows:
        line = lines[row["Leistung"]]
        assert (line.raw_minutes, line.billed_minutes, line.charge) == (
            int(row["erfasst"]),
            int(row["verrechnet"]),
            row["Kennzeichen"],
        )
        assert line.late == (line.work_date.month < 10)
        assert (line.non_billable_reason is None) == line.billable


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_group_by_group(name: str) -> None:
    (payer,) = example(name)[1].payers
    wanted = table("monatsabrechnung.md", f"Gruppen des Beispiels {name}")
    said = [[g.kind.value, str(g.quantity), g.unit.value, str(g.price), str(g.net)] for g in payer.groups]
    assert said == [
        [row["Art"], *(str(number(row["Menge"])), row["Einheit"], str(number(row["Preis"])), str(number(row["Netto"])))]
        for row in wanted
    ]


@pytest.mark.promise("S164")
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_invoice_by_invoice(name: str) -> None:
    (payer,) = example(name)[1].payers
    wanted = table("monatsabrechnung.md", f"Rechnungen des Beispiels {name}")
    said = [[i.kind.value, str(i.net), str(i.vat), str(i.gross)] for i in payer.invoices]
    assert said == [[row["Art"], *(str(number(row[c])) for c in ("Netto", "Umsatzsteuer", "Brutto"))] for row in wanted]
    assert payer.invoices[0].lines == payer.groups


def month_of(*entries: ServiceEntry, **given: object) -> CustomerMonth:
    base = CustomerMonth("K1", OCTOBER, agreements=(AGREEMENT,), entries=entries)
    return dataclasses.replace(base, **given)  # type: ignore[arg-type]


def entry(number_: str = "L-1", when: int = 5, minutes: int = 60, site: str | None = None, **more: object) -> ServiceEntry:
    return dataclasses.replace(ServiceEntry(number_, "T-1", site, dt.date(2026, 10, when), minutes), **more)  # type: ignore[arg-type]


@pytest.mark.promise("U10")
def test_only_non_billable_work_is_reported_but_not_invoiced() -> None:
    (payer,) = bill_month(month_of(entry(billable=False, non_billable_reason="Fehlalarm", trips=2))).payers
    assert payer.has_report
    assert (payer.groups, payer.invoices) == ((), ())
    assert payer.entries[0].charge is Charge.NONE
    assert payer.entries[0].non_billable_reason == "Fehlalarm"


@pytest.mark.promise("U29")
def test_without_contract_a_month_is_one_collective_invoice() -> None:
    (payer,) = bill_month(month_of(entry("L-1", 5), entry("L-2", 20, ticket="T-2"))).payers
    assert len(payer.entries) == 2
    assert [(invoice.kind.value, invoice.lines) for invoice in payer.invoices] == [("service", payer.groups)]


@pytest.mark.promise("S167")
def test_without_entries_the_kontingent_invoice_stands_alone() -> None:
    (payer,) = bill_month(month_of(kontingente=(KONTINGENT,))).payers
    assert not payer.has_report
    assert [(i.kind, str(i.net)) for i in payer.invoices] == [("kontingent", "180.00")]
    assert [(s.granted, s.balance) for s in payer.kontingente] == [(120, 120)]


def test_a_customer_with_nothing_is_left_out() -> None:
    later = dataclasses.replace(KONTINGENT, starts_on=dt.date(2026, 11, 1))
    bill = bill_month(month_of(kontingente=(later,)))
    assert (bill.payers, bill.new_ledger) == ((), ())


@pytest.mark.promise("U16")
def test_sites_pay_for_themselves_but_draw_on_one_kontingent_in_one_order() -> None:
    given = month_of(
        entry("L-1", 6, 60, "S2"),
        entry("L-2", 5, 60, "S1"),
        entry("L-3", 7, 60, "S0"),
        billing=BillingMode.PER_SITE,
        sites=(Site("S0"), Site("S1", "S0"), Site("S2", "S2")),
        kontingente=(dataclasses.replace(KONTINGENT, hours_per_month=Decimal("1.5"), site=None),),
    )
    head, s0, s2 = bill_month(given).payers
    assert [head.site, s0.site, s2.site] == [None, "S0", "S2"]
    assert [(i.kind, i.contract) for i in head.invoices] == [("service", None), ("kontingent", "V-1")]
    assert [(line.entry_id, line.charge) for line in s0.entries] == [("L-2", "kontingent")]
    assert s0.invoices == ()
    assert [(line.entry_id, line.charge, line.charged_minutes) for line in s2.entries] == [("L-1", "split", 30)]
    assert [line.charge for line in head.entries] == ["invoice"]
    assert [s.used for s in head.kontingente] == [90]


def test_a_kontingent_of_a_site_stands_at_that_sites_payer() -> None:
    given = month_of(
        billing=BillingMode.PER_SITE,
        sites=(Site("S0", "S0"), Site("S1", "S0")),
        kontingente=(dataclasses.replace(KONTINGENT, site="S1"),),
    )
    assert [payer.site for payer in bill_month(given).payers] == ["S0"]
    assert [payer.site for payer in bill_month(dataclasses.replace(given, billing=BillingMode.CENTRAL)).payers] == [None]


@pytest.mark.promise("S154")
def test_excluded_work_stands_nowhere_but_in_its_list() -> None:
    rental = FlatContract("M-1", FlatKind.RENTAL, dt.date(2026, 1, 1))
    bill = bill_month(month_of(entry(), flat_contracts=(rental,), kontingente=(dataclasses.replace(KONTINGENT, site="S9"),)))
    assert [(e.entry_id, e.contract) for e in bill.excluded] == [("L-1", "M-1")]
    assert all(payer.entries == () for payer in bill.payers)
    assert [row.kind for row in bill.new_ledger] == ["grant"]


def test_unapproved_work_blocks_itself_and_nothing_else() -> None:
    bill = bill_month(month_of(entry("L-1", approved=False), entry("L-2")))
    (blocker,) = bill.blockers
    assert (blocker.what, blocker.id, blocker.role) == ("entry", "L-1", "back_office")
    assert "05.10.2026" in blocker.why
    assert [line.entry_id for line in bill.payers[0].entries] == ["L-2"]


def test_a_missing_price_blocks_the_entry_only_where_money_is_due() -> None:
    work = (entry("L-1", 5, 60), entry("L-2", 6, 120), entry("L-3", 7, 60), entry("L-4", 8, 30, billable=False))
    bill = bill_month(month_of(*work, agreements=(), kontingente=(KONTINGENT,)))
    assert [(b.what, b.id) for b in bill.blockers] == [("price", "L-2")]
    assert {line.entry_id: line.charge.value for line in bill.payers[0].entries} == {
        "L-1": "kontingent",
        "L-3": "kontingent",
        "L-4": "none",
    }
    assert [s.balance for s in bill.payers[0].kontingente] == [0]


def test_a_trip_without_price_is_free_and_named() -> None:
    agreement = dataclasses.replace(AGREEMENT, travel_price=None)
    bill = bill_month(month_of(entry(trips=2), agreements=(agreement,)))
    (hint,) = bill.hints
    assert (hint.id, "2 Anfahrt" in hint.text) == ("L-1", True)
    assert [group.kind for group in bill.payers[0].groups] == ["standard"]
    assert bill.payers[0].entries[0].trips == 2


@pytest.mark.promise("U14")
@pytest.mark.parametrize("included", [True, False])
def test_travel_inside_the_kontingent_only_where_agreed(included: bool) -> None:
    terms = dataclasses.replace(KONTINGENT, includes_travel=included)
    bill = bill_month(month_of(entry(minutes=180, trips=1), kontingente=(terms,)))
    assert [group.kind for group in bill.payers[0].groups] == (["standard"] if included else ["standard", "trip"])
    assert bill.hints == ()


@pytest.mark.promise("U11")
def test_late_work_costs_what_its_own_day_cost() -> None:
    newer = Agreement(2, dt.date(2026, 10, 1), Decimal(120))
    late = ServiceEntry("L-1", "T", None, dt.date(2026, 9, 30), 60)
    (payer,) = bill_month(month_of(late, entry("L-2"), agreements=(newer, AGREEMENT))).payers
    assert [(str(g.price), str(g.net)) for g in payer.groups] == [("95.00", "95.00"), ("120.00", "120.00")]
    assert [line.late for line in payer.entries] == [True, False]


def test_equal_prices_of_two_versions_are_one_group() -> None:
    same = Agreement(2, dt.date(2026, 10, 6), Decimal(95))
    (payer,) = bill_month(month_of(entry("L-1", 5, 10), entry("L-2", 7, 10), agreements=(AGREEMENT, same))).payers
    assert [(g.minutes, str(g.net)) for g in payer.groups] == [(30, "47.50")]
    assert {line.group for line in payer.entries} == {payer.groups[0].key}


@pytest.mark.promise("U11")
def test_what_a_report_said_stays_said() -> None:
    first = bill_month(month_of(entry("L-9", 20, 120), kontingente=(KONTINGENT,)))
    stored = dataclasses.replace(KONTINGENT, ledger=first.new_ledger)
    november = bill_month(dataclasses.replace(month_of(entry("L-1", 5, 60), kontingente=(stored,)), month=Month(2026, 11)))
    (payer,) = november.payers
    assert [(line.entry_id, line.charge, line.late) for line in payer.entries] == [("L-1", "invoice", True)]
    (said,) = payer.kontingente
    assert [said.carried, said.granted, said.used, said.balance] == [0, 120, 0, 120]
    assert [(row.day, row.kind) for row in november.new_ledger] == [(dt.date(2026, 11, 1), "grant")]


def test_late_work_of_an_ended_contract_still_gets_its_statement_but_no_invoice() -> None:
    ended = dataclasses.replace(KONTINGENT, starts_on=dt.date(2026, 8, 1), ends_on=dt.date(2026, 9, 15))
    late = ServiceEntry("L-1", "T", None, dt.date(2026, 9, 10), 60)
    (payer,) = bill_month(month_of(late, kontingente=(ended,))).payers
    assert payer.invoices == ()
    assert [(s.carried, s.used, s.balance) for s in payer.kontingente] == [(120, 0, 120)]
    assert [line.charge for line in payer.entries] == ["kontingent"]


@each_row("monatsabrechnung.md", "Beispiel: Kunde ohne Vertrag")
def test_each_line_alone_costs_what_its_group_says(row: dict[str, str]) -> None:
    assert number(row["verrechnet"]) >= (number(row["erfasst"]) if yes(row["berechenbar"]) else 0)
