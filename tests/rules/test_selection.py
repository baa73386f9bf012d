import datetime as dt
import itertools

from rules.month import Month
from rules.monthly_types import BillingMode, CustomerMonth, FlatContract, FlatKind, ServiceEntry, Site
from rules.selection import Payers, drawing_order, select
from tests.rules.tables import day, each_row, table, word, yes

OCTOBER = Month(2026, 10)


@each_row("auswahl.md")
def test_the_table_of_places(row: dict[str, str]) -> None:
    entry = ServiceEntry(
        "L-1",
        "T-1",
        None,
        day(row["Leistungstag"]),
        30,
        approved=yes(row["freigegeben"]),
        reported=yes(row["berichtet"]),
        reported_elsewhere=yes(row["anderswo berichtet"]),
    )
    flats = (FlatContract("M-1", FlatKind.RENTAL, dt.date(2026, 1, 1)),) if yes(row["Miete trägt"]) else ()
    chosen = select(CustomerMonth("K1", OCTOBER, flat_contracts=flats, entries=(entry,)))
    places = {
        "due": [e.id for e in chosen.due],
        "elsewhere": [e.id for e in chosen.elsewhere],
        "excluded": [e.id for e, contract in chosen.excluded if contract.number == "M-1"],
        "unapproved": [e.id for e in chosen.unapproved],
    }
    assert {name for name, ids in places.items() if ids} == ({word(row["Platz"])} - {None})


def test_the_table_of_order() -> None:
    rows = table("auswahl.md", "Reihenfolge beim Abziehen")
    entries = []
    for row in rows:
        start = None
        if row["Beginn"] != "leer":
            start = dt.datetime.combine(day(row["Leistungstag"]), dt.time.fromisoformat(row["Beginn"]), dt.UTC)
        entries.append(ServiceEntry(row["Kennung"], "T", None, day(row["Leistungstag"]), 30, started_at=start))
    wanted = [row["Kennung"] for row in sorted(rows, key=lambda row: int(row["Rang"]))]
    for order in itertools.islice(itertools.permutations(entries), 0, None, 7):
        assert [entry.id for entry in sorted(order, key=drawing_order)] == wanted
        assert [entry.id for entry in select(CustomerMonth("K1", OCTOBER, entries=order)).due] == wanted


@each_row("monatsabrechnung.md", "Zahler je Standort")
def test_the_table_of_payers(row: dict[str, str]) -> None:
    sites = (Site("S0"), Site("S1", "S0"), Site("S2", "S2"), Site("S3", "S1"))
    for mode in BillingMode:
        payer = Payers(CustomerMonth("K1", OCTOBER, billing=mode, sites=sites)).of(word(row["Standort"]))
        assert payer == (None if row[mode.value] == "Zentrale" else row[mode.value])
