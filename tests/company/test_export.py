"""The export is the import's mirror: what goes out comes in again, to the byte."""

import csv
import datetime as dt
import io
import shutil
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from actions.company.exporting import ExportError, export_folder
from actions.company.files import FILES
from kit.database import unit_of_work
from models.work import ServiceEntry
from tests.company.helpers import BASE, company, exported, load, loaded, row
from tests.company.random_company import Rows, companies

pytestmark = pytest.mark.usefixtures("database")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "company"


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=companies())
def test_any_company_survives_the_way_out_and_in(database: sa.Connection, files: dict[str, Rows]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="drehkreuz-round-"))
    try:
        with database.begin_nested() as life:
            loaded(folder / "in", files)
            first = exported(folder / "first")
            assert all(one.unchanged == one.rows for one in loaded(folder / "first").files), (
                "merging with itself changes nothing"
            )
            life.rollback()
        with database.begin_nested() as life:
            loaded(folder / "first")
            second = exported(folder / "second")
            life.rollback()
    finally:
        shutil.rmtree(folder)
    assert second == first
    for name, rows in files.items():
        assert len(table(first[name])) == len(rows)
    for column in ("text", "id"):
        assert {r[column].strip() for r in table(first["service_entries.csv"])} == {
            r[column].strip() for r in files["service_entries.csv"]
        }


def test_the_example_company_survives_too(tmp_path: Path, database: sa.Connection) -> None:
    with database.begin_nested() as life:
        report = loaded(EXAMPLE)
        first = exported(tmp_path / "first")
        life.rollback()
    assert sum(one.created for one in report.files) == sum(one.rows for one in report.files)
    loaded(tmp_path / "first")
    assert exported(tmp_path / "second") == first
    kept = {r["id"]: r["text"] for r in table((EXAMPLE / "service_entries.csv").read_bytes())}
    assert {r["id"]: r["text"] for r in table(first["service_entries.csv"])} == kept


def test_every_file_is_there_with_the_columns_of_the_format(tmp_path: Path) -> None:
    out = exported(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in FILES)
    for file in FILES:
        assert out[file.name] == (",".join(file.by_name) + "\n").encode()
    assert load(tmp_path).ok, "an empty company is a company"


def test_defaults_are_written_out(tmp_path: Path) -> None:
    loaded(tmp_path / "in", BASE)
    first = table(exported(tmp_path / "out")["customers.csv"])[0]
    assert {name: first[name] for name in ("country", "billing", "delivery", "payment_days", "leitweg_id")} == {
        "country": "DE", "billing": "central", "delivery": "post", "payment_days": "14", "leitweg_id": "",
    }  # fmt: skip


def test_rows_stand_in_order_of_code_points(tmp_path: Path) -> None:
    numbers = ["b", "B", "ä", "a", "10", "9"]
    loaded(tmp_path / "in", {"customers.csv": [row("customers", number=number) for number in numbers]})
    out = table(exported(tmp_path / "out")["customers.csv"])
    assert [r["number"] for r in out] == sorted(numbers)


def test_instants_keep_the_second_hour_of_autumn_and_their_seconds(tmp_path: Path) -> None:
    times = ["2026-10-25T02:30", "2026-10-25T02:30+01:00", "2026-10-05T08:00"]
    rows = [row("service_entries", id=f"L{n}", approved_at=time) for n, time in enumerate(times)]
    loaded(tmp_path / "in", company(service_entries=rows))
    with unit_of_work("test") as session:
        session.execute(
            sa.update(ServiceEntry)
            .where(ServiceEntry.key == "L2")
            .values(approved_at=dt.datetime(2026, 10, 5, 6, 0, 1, 5, tzinfo=dt.UTC))
        )
    out = table(exported(tmp_path / "out")["service_entries.csv"])
    assert [r["approved_at"] for r in out] == [*times[:2], "2026-10-05T08:00:01.000005+02:00"]
    assert all(one.unchanged == one.rows for one in loaded(tmp_path / "out").files)


def test_what_the_portal_stored_in_another_spelling_leaves_in_the_right_one(tmp_path: Path, database: sa.Connection) -> None:
    with database.begin_nested() as life:
        loaded(
            tmp_path / "in",
            company(contacts=[{"customer": "K1", "first_name": "K", "last_name": "K", "email": "k@kunde.example"}]),
        )
        with unit_of_work("test") as session:
            session.execute(sa.text("UPDATE contact SET phone = '02581 / 1234'"))
            session.execute(sa.text("UPDATE customer SET iban = 'DE02 1203 0000 0000 2020 51', vat_id = 'de 123456789'"))
            session.execute(sa.text("UPDATE service_entry SET approved_by = 'employee:ines@haus.example'"))
        first = exported(tmp_path / "first")
        assert table(first["contacts.csv"])[0]["phone"] == "+4925811234"
        assert table(first["service_entries.csv"])[0]["approved_by"] == "ines@haus.example"
        assert next(one for one in loaded(tmp_path / "first").files if one.file == "service_entries.csv").unchanged == 1
        life.rollback()
    loaded(tmp_path / "first")
    assert exported(tmp_path / "second") == first


def test_an_old_export_over_a_newer_state_doubles_nothing(tmp_path: Path) -> None:
    loaded(tmp_path / "in", BASE)
    exported(tmp_path / "old")
    newer = company(
        service_entries=[row("service_entries"), row("service_entries", id="L2")],
        tickets=[row("tickets", state="closed")],
        customers=[row("customers"), row("customers", 1), row("customers", number="K3")],
    )
    loaded(tmp_path / "newer", newer)
    report = loaded(tmp_path / "old")
    assert all(one.created == 0 for one in report.files)
    out = exported(tmp_path / "out")
    assert [r["number"] for r in table(out["customers.csv"])] == ["K1", "K2", "K3"]
    assert [r["id"] for r in table(out["service_entries.csv"])] == ["L1", "L2"]
    assert table(out["tickets.csv"])[0]["state"] == "closed"


def test_an_export_replaces_the_one_before_and_leaves_no_rest(tmp_path: Path) -> None:
    loaded(tmp_path / "in", BASE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("bleibt", encoding="utf-8")
    (tmp_path / "out" / "customers.csv").write_text("alt", encoding="utf-8")
    exported(tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == len(FILES) + 1
    assert (tmp_path / "out" / "customers.csv").read_text(encoding="utf-8").count("\n") == 3


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with unit_of_work("test") as session, pytest.raises(ExportError, match="lässt sich nicht schreiben"):
        export_folder(session, tmp_path / "file")
