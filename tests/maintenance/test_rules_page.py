"""The tables of docs/rules/wiederkehr.md are what the rules do."""

import datetime as dt
import itertools

from rules.cadence import Shift, days, due_days, parse
from rules.catch_up import CatchUp, Fate, decide
from rules.company_calendar import CompanyCalendar
from rules.windows import window_on
from tests.rules.tables import day, each_row

PAGE = "wiederkehr.md"
CALENDAR = CompanyCalendar(
    {dt.date(2026, 2, 16): "Rosenmontag", dt.date(2026, 12, 24): "Heiligabend", dt.date(2026, 12, 31): "Silvester"}
)
TODAY = dt.date(2026, 11, 2)


def listed(text: str, separator: str = ",") -> list[dt.date]:
    return [day(part.strip()) for part in text.split(separator)] if text.strip() != "–" else []


@each_row(PAGE, "Die Regel")
def test_the_table_of_rules(row: dict[str, str]) -> None:
    starts, wanted = day(row["Beginn"]), listed(row["die nächsten Termine"])
    found = days(parse(row["Regel"]), starts, starts, starts.replace(year=starts.year + 13, day=28))
    assert list(itertools.islice(found, len(wanted))) == wanted


@each_row(PAGE, "Freie Tage")
def test_the_table_of_days_off(row: dict[str, str]) -> None:
    found = due_days(
        parse(row["Regel"]), dt.date(2026, 1, 1), day(row["von"]), day(row["bis"]), shift=Shift(row["rückt"]), calendar=CALENDAR
    )
    assert [due.on for due in found] == listed(row["Termine"])


@each_row(PAGE, "Fenster")
def test_the_table_of_windows(row: dict[str, str]) -> None:
    window = window_on(day(row["Tag"]), dt.time.fromisoformat(row["von"]), dt.time.fromisoformat(row["bis"]))
    assert f"{window.opens:%d.%m.%Y %H:%M}" == row["öffnet (UTC)"]
    assert f"{window.closes:%d.%m.%Y %H:%M}" == row["schließt (UTC)"]


@each_row(PAGE, "Versäumte Termine")
def test_the_table_of_missed_dates(row: dict[str, str]) -> None:
    decisions = decide(listed(row["offene Termine"]), CatchUp(row["Vereinbarung"]), TODAY)
    own = [[d.on] for d in decisions if d.fate is Fate.OWN_TICKET]
    together = [d.on for d in decisions if d.fate is Fate.LISTED]
    wanted = [listed(part, "+") for part in row["Tickets"].split("/")] if row["Tickets"] != "–" else []
    assert own + ([together] if together else []) == wanted
    assert [d.on for d in decisions if d.fate is Fate.SKIPPED] == listed(row["ausgelassen"])
