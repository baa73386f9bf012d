import datetime as dt
import itertools
from decimal import Decimal

import pytest

from rules.coverage import flat_contract_for, kontingent_for
from rules.monthly_types import FlatContract, FlatKind, FlatLine, KontingentContract, ServiceEntry
from tests.rules.tables import day, each_row, word, yes

YEAR_START = dt.date(2026, 1, 1)
FLATS = (
    FlatContract(
        "M-1",
        FlatKind.RENTAL,
        YEAR_START,
        dt.date(2026, 10, 31),
        lines=(
            FlatLine(valid_to=dt.date(2026, 10, 15), covered_asset_classes=("firewall",)),
            FlatLine(valid_from=YEAR_START, covered_asset_classes=("server",)),
            FlatLine(),
        ),
    ),
    FlatContract("M-2", FlatKind.DATA_CENTRE, YEAR_START, site="S2", lines=(FlatLine(),)),
)
KONTINGENTE = (
    KontingentContract("V-1", YEAR_START, None, Decimal(10), Decimal(90)),
    KontingentContract("V-2", dt.date(2026, 10, 1), dt.date(2026, 10, 15), Decimal(5), Decimal(90), site="S1"),
    KontingentContract("V-3", dt.date(2026, 6, 1), None, Decimal(10), Decimal(90)),
)


@pytest.mark.promise("S154")
@each_row("abdeckung.md", "Ausnahmen")
def test_the_table_of_exclusions(row: dict[str, str]) -> None:
    entry = ServiceEntry("L", "T", word(row["Standort"]), day(row["Tag"]), 30, asset_class=word(row["Geräteklasse"]))
    for order in itertools.permutations(FLATS):
        found = flat_contract_for(entry, order)
        assert (found.number if found else None) == word(row["Vertrag"])


@pytest.mark.promise("U16")
@each_row("abdeckung.md", "Mehrere Kontingente")
def test_the_table_of_several_kontingente(row: dict[str, str]) -> None:
    entry = ServiceEntry("L", "T", word(row["Standort"]), day(row["Tag"]), 30, billable=yes(row["berechenbar"]))
    for order in itertools.permutations(KONTINGENTE):
        found = kontingent_for(entry, order)
        assert (found.number if found else None) == word(row["Kontingent"])


def test_a_flat_contract_without_lines_covers_its_site_and_excludes_non_billable_work_too() -> None:
    contract = FlatContract("M-3", FlatKind.RENTAL, YEAR_START, site="S1")
    here = ServiceEntry("L", "T", "S1", YEAR_START, 30, billable=False)
    nowhere = ServiceEntry("L", "T", None, YEAR_START, 30)
    assert flat_contract_for(here, [contract]) == contract
    assert flat_contract_for(nowhere, [contract]) is None
