"""Everything is checked before anything is written; every error says where, what, and what is allowed."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from kit.database import unit_of_work
from kit.errors import ConflictError, UsageError
from models.parties import Customer, Employee
from models.plumbing import AuditEntry, ImportBatch
from tests.company.helpers import BASE, Rows, company, errors, load, loaded, row, text_of

pytestmark = pytest.mark.usefixtures("database")


def rejected(folder: Path, **changes: Rows) -> list[str]:
    report = load(folder, company(**changes))
    assert not report.ok
    with unit_of_work("test") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Employee)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportBatch)) == 0
    return errors(report)


def test_the_small_company_is_right(tmp_path: Path) -> None:
    report = loaded(tmp_path, BASE)
    assert report.hint_count == 0
    assert [(one.file, one.created) for one in report.files][:2] == [("employees.csv", 2), ("customers.csv", 2)]
    assert all(len(one.sha256) == 64 for one in report.files)


def test_one_batch_and_one_audit_entry_tell_of_it(tmp_path: Path) -> None:
    loaded(tmp_path, BASE)
    with unit_of_work("test") as session:
        batch = session.scalars(sa.select(ImportBatch)).one()
        entry = session.scalars(sa.select(AuditEntry)).one()
        assert batch.files["customers.csv"] | {"sha256": ""} == {"sha256": "", "rows": 2, "created": 2, "changed": 0}
        assert (entry.action, entry.table_name, entry.row_id, entry.after) == ("import", "import_batch", batch.id, batch.files)


ENTRY = "service_entries.csv:2: "
CASES: list[tuple[str, dict[str, str], str]] = [
    (
        "customers",
        {"datev_consultant_no": "77"},
        "customers.csv:2: datev_consultant_no: 77 liegt außerhalb; erlaubt: ganze Zahl 1001 bis 9999999",
    ),
    ("customers", {"delivery": "xrechnung"}, "customers.csv:2: leitweg_id: fehlt; delivery xrechnung verlangt"),
    ("customers", {"mandate_reference": "M1"}, "customers.csv:2: mandate_signed_on: fehlt zum SEPA-Mandat"),
    (
        "customers",
        {"account_manager": "wer@haus.example"},
        "customers.csv:2: account_manager: Mitarbeiter »wer@haus.example« gibt es weder in employees.csv noch in Drehkreuz",
    ),
    ("customers", {"name": " "}, "customers.csv:2: name: fehlt; erlaubt: Text"),
    ("sites", {"bills_to": "SUED"}, "sites.csv:2: bills_to: Niederlassung »SUED« gibt es bei Kunde »K1« weder"),
    ("contracts", {"ends_on": "2025-12-31"}, "contracts.csv:2: ends_on: 2025-12-31 liegt vor starts_on 2026-01-01"),
    ("contracts", {"kontingent_hour_price": ""}, "contracts.csv:2: kontingent_hour_price: fehlt; kind kontingent verlangt"),
    (
        "contracts",
        {"correction_rule": "monthly"},
        "contracts.csv:2: correction_rule: »monthly« ist unbekannt; erlaubt: never, quarter_end",
    ),
    ("contracts", {"billing_unit_minutes": "0"}, "contracts.csv:2: billing_unit_minutes: 0 liegt außerhalb"),
    ("contracts", {"site": "SUED"}, "contracts.csv:2: site: Niederlassung »SUED« gibt es bei Kunde »K1«"),
    (
        "tickets",
        {"kind": "incdent"},
        "tickets.csv:2: kind: »incdent« ist unbekannt, gemeint ist wohl incident; erlaubt: incident, request",
    ),
    (
        "tickets",
        {"contact": "karla@kunde.example"},
        "tickets.csv:2: contact: Ansprechpartner »karla@kunde.example« gibt es bei Kunde »K1«",
    ),
    ("service_entries", {"billable": "no"}, ENTRY + "non_billable_reason: fehlt; billable no verlangt einen Grund"),
    ("service_entries", {"approved_at": ""}, ENTRY + "approved_at: fehlt zu approved_by"),
    ("service_entries", {"ticket": "T9"}, ENTRY + "ticket: Ticket »T9« gibt es weder in tickets.csv"),
    (
        "service_entries",
        {"started_at": "2026-10-05T10:00", "ended_at": "2026-10-05T09:00"},
        ENTRY + "ended_at: Ende liegt vor dem Beginn",
    ),
    ("service_entries", {"minutes": "-5"}, ENTRY + "minutes: -5 liegt außerhalb"),
]


@pytest.mark.parametrize(("file", "cells", "message"), CASES, ids=[f"{c[0]}-{next(iter(c[1]))}" for c in CASES])
def test_a_wrong_row_names_its_place(tmp_path: Path, file: str, cells: dict[str, str], message: str) -> None:
    found = rejected(tmp_path, **{file: [row(file, **cells), *BASE[f"{file}.csv"][1:]]})
    assert any(line.startswith(message) for line in found), found


def test_keys_stand_once(tmp_path: Path) -> None:
    twice = [row("customers"), row("customers", 1), row("customers", name="Noch einmal GmbH")]
    people = [row("employees"), row("employees", 1), row("employees", email="TINA@haus.example")]
    found = rejected(tmp_path, customers=twice, employees=people)
    assert "customers.csv:4: number: »K1« steht schon in Zeile 2; erlaubt ist jede Angabe von number einmal" in found
    assert any(line.startswith("employees.csv:4: email: »tina@haus.example« steht schon in Zeile 2") for line in found)


def test_empty_parts_of_a_key_are_a_value(tmp_path: Path) -> None:
    line = {"contract": "V1", "line": "1", "text": "Grundgebühr", "unit_price": "10"}
    found = rejected(tmp_path, contract_lines=[line, {**line, "valid_from": "2026-02-01"}, line])
    (error,) = found
    assert error == (
        "contract_lines.csv:4: contract+line+valid_from: »V1«, »1«, (leer) steht schon in Zeile 2; "
        "erlaubt ist jede Angabe von contract, line, valid_from einmal"
    )


def test_the_house_stands_once(tmp_path: Path) -> None:
    house = {"name": "Haus", "street": "Weg 1", "postal_code": "48231", "city": "Warendorf", "email": "a@haus.example"}
    assert rejected(tmp_path, house=[house, house]) == [
        "house.csv:3: Zeile: zweite Zeile; erlaubt ist eine, das Haus gibt es einmal"
    ]


def test_header_faults_name_the_column(tmp_path: Path) -> None:
    wrong = [{**{k: v for k, v in row("customers").items() if k != "street"}, "stret": "Weg 1", "": "x"}]
    found = rejected(tmp_path, customers=wrong)
    assert "customers.csv:1: street: Pflichtspalte fehlt in der Kopfzeile" in found
    assert any(
        line.startswith("customers.csv:1: stret: unbekannte Spalte, gemeint ist wohl »street«; erlaubt: number, name,")
        for line in found
    )
    assert any(line.startswith("customers.csv:1: (leer): Spalte ohne Namen") for line in found)
    assert not any(line.startswith("customers.csv:2") for line in found)


def test_a_column_twice(tmp_path: Path) -> None:
    (tmp_path / "suppliers.csv").write_text("code,name,name\nL1,Eins,Zwei\n", encoding="utf-8")
    assert errors(load(tmp_path)) == ["suppliers.csv:1: name: Spalte steht zweimal in der Kopfzeile, erlaubt ist sie einmal"]


def test_more_or_fewer_fields_than_columns(tmp_path: Path) -> None:
    (tmp_path / "suppliers.csv").write_text("code,name,email\nL1,Eins\nL2,Zwei, Drei,a@b.example\nL3,Drei,\n", encoding="utf-8")
    found = errors(load(tmp_path))
    assert [line.partition(";")[0] for line in found if ": Zeile: " in line] == [
        "suppliers.csv:2: Zeile: 2 Felder, erlaubt sind 3 wie in der Kopfzeile",
        "suppliers.csv:3: Zeile: 4 Felder, erlaubt sind 3 wie in der Kopfzeile",
    ]


def test_lines_count_from_the_first_line_of_a_record(tmp_path: Path) -> None:
    rows = [row("service_entries", text="eins\nzwei\ndrei"), row("service_entries", id="L2", minutes="x")]
    assert rejected(tmp_path, service_entries=rows) == [
        "service_entries.csv:5: minutes: »x« ist keine ganze Zahl; erlaubt: ganze Zahl 0 bis 100000 (Minuten)"
    ]


def test_errors_of_all_files_come_at_once_in_order(tmp_path: Path) -> None:
    found = rejected(
        tmp_path,
        service_entries=[row("service_entries", minutes="x"), row("service_entries", id="L2", ticket="T7")],
        customers=[row("customers", city=""), row("customers", 1)],
    )
    assert [line.split(": ")[0] for line in found] == ["customers.csv:2", "service_entries.csv:2", "service_entries.csv:3"]


def test_a_wrong_cell_hides_no_other_error_of_its_row(tmp_path: Path) -> None:
    """Everything is listed at once: who mends the cell must not meet the next error of the same row only then."""
    found = rejected(
        tmp_path,
        contracts=[
            row("contracts", overdraft_allowed="ja", ends_on="2025-12-31", site="WEG"),
            row("contracts", customer="K9", kontingent_hour_price=""),
        ],
        service_entries=[row("service_entries", minutes="x", billable="no", ticket="T9", started_at="2026-10-05T9")],
    )
    assert [line.split(": ")[:2] for line in found] == [
        ["contracts.csv:2", "overdraft_allowed"],
        ["contracts.csv:2", "ends_on"],
        ["contracts.csv:2", "site"],
        ["contracts.csv:3", "kontingent_hour_price"],
        ["contracts.csv:3", "number"],
        ["contracts.csv:3", "customer"],
        ["service_entries.csv:2", "started_at"],
        ["service_entries.csv:2", "minutes"],
        ["service_entries.csv:2", "non_billable_reason"],
        ["service_entries.csv:2", "ticket"],
    ]


def test_a_torn_file_blames_nobody_who_refers_to_it(tmp_path: Path) -> None:
    load(tmp_path, BASE)
    with (tmp_path / "tickets.csv").open("ab") as file:
        file.write(b"T2,K1,incident,\x00,2026-10-01T08:00,open\n")
    (tmp_path / "service_entries.csv").write_text(text_of([row("service_entries", ticket="T3")]), encoding="utf-8")
    (error,) = errors(load(tmp_path))
    assert error.startswith("tickets.csv:3: Zeile: Nullbyte")


def test_a_wrong_row_still_counts_as_named(tmp_path: Path) -> None:
    found = rejected(tmp_path, tickets=[row("tickets", state="kaputt")])
    assert len(found) == 1, "the entry on that ticket is not blamed as well"


def test_many_errors_are_counted_not_kept(tmp_path: Path) -> None:
    rows = [row("service_entries", id=f"L{n}", minutes="x", ticket="T9") for n in range(3000)]
    report = load(tmp_path, company(service_entries=rows))
    assert report.error_count == 6000
    assert len(report.errors) == 1000
    missing = [row("service_entries", id=f"L{n}", ticket="T9") for n in range(3000)]
    report = load(tmp_path, company(service_entries=missing))
    assert (report.error_count, len(report.errors)) == (3000, 1000)


def test_references_may_stand_in_the_database(tmp_path: Path) -> None:
    loaded(tmp_path / "all", BASE)
    report = loaded(tmp_path / "later", {"service_entries.csv": [row("service_entries", id="L2")]})
    assert report.files[0].created == 1


def test_unusual_rows_are_hints(tmp_path: Path) -> None:
    entry = row(
        "service_entries", work_date="2026-09-30", place="remote", trips="1", minutes="0", approved_at="2026-09-01T08:00",
        approved_by="alt@haus.example",
    )  # fmt: skip
    contact = {"customer": "K1", "first_name": "Karla", "last_name": "K", "email": "k@kunde.example", "phone": "+49110"}
    report = loaded(tmp_path, company(service_entries=[entry], contacts=[contact]))
    assert [str(hint) for hint in report.hints] == [
        "contacts.csv:2: phone: Rufnummer »+49110« scheint nicht vergeben zu sein; bitte prüfen",
        "service_entries.csv:2: minutes: 0 Minuten",
        "service_entries.csv:2: trips: Anfahrt bei Fernwartung",
        "service_entries.csv:2: approved_at: Freigabe liegt vor dem Arbeitstag",
        "service_entries.csv:2: work_date: Arbeit vor dem Eingang des Tickets T1 am 2026-10-01",
        "service_entries.csv:2: approved_by: »alt@haus.example« ist kein Mitarbeiter dieses Hauses",
    ]


def test_hints_of_one_kind_do_not_hide_others(tmp_path: Path) -> None:
    rows = [row("service_entries", id=f"L{n}", minutes="0") for n in range(100)] + [row("service_entries", id="X", trips="1")]
    report = loaded(tmp_path, company(service_entries=rows))
    assert report.hint_count == 101
    assert len(report.hints) == 11
    assert any("… und 90 weitere" in line for line in report.lines())


def test_usage_openings_prices_and_mandates_are_checked_across_files(tmp_path: Path) -> None:
    mandate = {
        "iban": "DE02120300000000202051",
        "mandate_reference": "M1",
        "mandate_signed_on": "2025-01-01",
        "mandate_kind": "b2b",
    }
    house_contract = row("contracts", number="M1", kind="managed", kontingent_hours_per_month="", kontingent_hour_price="")
    found = rejected(
        tmp_path,
        customers=[row("customers", **mandate), row("customers", 1, **mandate)],
        contracts=[row("contracts"), house_contract],
        usage=[{"contract": "V1", "line": "7", "day": "2026-10-01", "quantity": "3", "source": "zähler"}],
        kontingent_opening=[{"contract": "M1", "as_of": "2026-01-31", "minutes": "10"}],
        products=[{"code": "P", "name": "P", "kind": "service", "price_code": "X"}],
    )
    assert [line.split(";")[0] for line in found] == [
        "products.csv:2: price_code: Preisschlüssel »X« gibt es weder in prices.csv noch in Drehkreuz",
        "customers.csv:3: mandate_reference: »M1« steht schon in Zeile 2",
        "kontingent_opening.csv:2: contract: der Vertrag ist managed",
        "usage.csv:2: line: Position »7« hat der Vertrag »V1« nicht",
    ]


def test_a_mandate_reference_of_another_stored_customer(tmp_path: Path) -> None:
    mandate = {
        "iban": "DE02120300000000202051",
        "mandate_reference": "M1",
        "mandate_signed_on": "2025-01-01",
        "mandate_kind": "b2b",
    }
    loaded(tmp_path / "a", {"customers.csv": [row("customers", **mandate)]})
    report = load(tmp_path / "b", {"customers.csv": [row("customers", 1, **mandate)]})
    assert errors(report) == [
        "customers.csv:2: mandate_reference: »M1« gehört in Drehkreuz dem Kunden »K1«; jede Mandatsreferenz gibt es einmal"
    ]


def test_the_folder_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gibt es nicht"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "keine einzige Datei gefunden" in errors(load(tmp_path / "empty"))[0]
    (tmp_path / "odd" / "customers.csv").mkdir(parents=True)
    assert errors(load(tmp_path / "odd")) == [
        "customers.csv:1: Datei: ist keine gewöhnliche Datei (Ordner, Gerät oder Pipe); erlaubt ist eine CSV-Datei."
    ]


def test_stray_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "costumers.csv").write_text("x", encoding="utf-8")
    (tmp_path / "README.md").write_text("x", encoding="utf-8")
    report = loaded(tmp_path, BASE)
    assert [str(hint) for hint in report.hints] == [
        "costumers.csv:1: Datei: wird nicht gelesen, eine Datei dieses Namens kennt der Import nicht; ist customers.csv gemeint?"
    ]


def test_header_only_is_an_empty_list(tmp_path: Path) -> None:
    report = loaded(tmp_path, {name: [] if name == "x" else rows for name, rows in BASE.items()})
    (tmp_path / "suppliers.csv").write_text("code,name\n", encoding="utf-8")
    report = load(tmp_path)
    assert report.ok
    assert next(one for one in report.files if one.file == "suppliers.csv").rows == 0


def test_a_fault_in_the_middle_stops_only_that_file(tmp_path: Path) -> None:
    data = text_of(BASE["customers.csv"]).encode() + "K3,Dritte GmbH,Straße,48231,Münster\n".encode("latin-1")
    for name, rows in company(suppliers=[{"code": "", "name": "x"}]).items():
        (tmp_path / name).write_text(text_of(rows), encoding="utf-8")
    (tmp_path / "customers.csv").write_bytes(data)
    found = errors(load(tmp_path))
    assert found[0].startswith("suppliers.csv:2: code: fehlt")
    assert found[1].startswith("customers.csv:4: Zeile: Byte ")
    assert "Ab hier wurde die Datei nicht geprüft" in found[1]


def test_check_only_writes_nothing_and_says_what_would_come(tmp_path: Path) -> None:
    report = load(tmp_path, BASE, check_only=True)
    assert report.ok
    assert sum(one.created for one in report.files) == 10
    with unit_of_work("test") as session:
        for model in (Customer, Employee, ImportBatch, AuditEntry):
            assert session.scalar(sa.select(sa.func.count()).select_from(model)) == 0


def test_semicolons_bom_and_crlf_are_the_same_company(tmp_path: Path) -> None:
    loaded(tmp_path / "a", BASE)
    (tmp_path / "b").mkdir()
    for name, rows in BASE.items():
        text = "\ufeff" + text_of(rows, ";").replace("\n", "\r\n")
        (tmp_path / "b" / name).write_text(text, encoding="utf-8", newline="")
    report = loaded(tmp_path / "b")
    assert all(one.unchanged == one.rows for one in report.files)


@pytest.mark.usefixtures("committed")
class TestTwoImports:
    @pytest.fixture
    def database(self) -> None:
        """Real transactions here."""

    def test_only_one_import_at_a_time(self, tmp_path: Path) -> None:
        from actions.company import import_folder
        from tests.company.helpers import write_folder

        folder = write_folder(tmp_path, BASE)
        with unit_of_work("one", bulk=True) as first:
            assert import_folder(first, folder).ok
            with pytest.raises(ConflictError, match="läuft schon ein anderer"), unit_of_work("two", bulk=True) as second:
                import_folder(second, folder)
        with unit_of_work("two", bulk=True) as second:
            assert all(one.created == 0 for one in import_folder(second, folder).files)
