"""The September behind the demo: billed here, so that October's preview has something to compare with."""

import csv
import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from actions.billing import preview, release
from actions.company import import_folder
from deployments import demo_history
from kit import clock
from rules.month import Month

SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_house_of_early_october_knows_nothing_later() -> None:
    with demo_history.company(until=demo_history.LAST) as folder:
        entries, tickets = read(folder, "service_entries.csv"), read(folder, "tickets.csv")
    assert max(row["work_date"] for row in entries) <= "2026-09-30" >= max(row["received_at"][:10] for row in tickets)
    september = [row for row in entries if row["work_date"] >= "2026-09-01"]
    assert all(row["approved_at"][:10] <= "2026-10-02" for row in entries)
    assert len([row for row in september if not row["approved_at"]]) == 8, "the late ones wait for their approval"
    customer = {row["number"]: row["customer"] for row in tickets}
    former = {customer[row["ticket"]] for row in september if row["reported_elsewhere"]}
    assert former == demo_history.LEFT_TO_THE_FORMER_SYSTEM
    assert all(row["reported_elsewhere"] for row in entries if row["work_date"] < "2026-09-01")


@pytest.mark.promise("S25")
def test_october_differs_from_september_for_reasons(session: Session) -> None:
    clock.set_today(demo_history.BILLED_ON)
    assert demo_history.to_do(session), "an empty house"
    with demo_history.company(until=demo_history.LAST) as folder:
        assert import_folder(session, folder).ok
    assert demo_history.to_do(session), "interrupted before the release"
    september = preview.build(session, SEPTEMBER)
    assert all(blocked.what == "entry" and "nicht freigegeben" in blocked.why for _, blocked in september.blocked)
    release.release(session, SEPTEMBER, september.snapshot, "Gudrun")

    clock.set_today(dt.date(2026, 11, 2))
    with demo_history.company(until=None) as folder:
        assert import_folder(session, folder).ok, "what September's reports hold is not touched"
    assert not demo_history.to_do(session)
    october = {preview.who_is(item.keys.number, item.payer.site): item for item in preview.build(session, OCTOBER).items}
    new = {who for who, item in october.items() if item.reasons and "nichts abgerechnet" in item.reasons[0]}
    assert new == {"K1010"}
    assert "Stunden (Standard): Preis 112,00 € → 119,00 € (+71,75 €)" in october["K1012"].reasons
    assert "darin 2 nachgereichte Leistungen aus 09/2026" in october["K1001"].reasons
    assert october["K1018"].reasons == ("unverändert gegenüber 2026-09",)
    assert october["K1001"].last_month_net == 739
