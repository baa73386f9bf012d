"""A small valid company to start from, and one call that writes, imports and reports."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actions.company import ImportReport, export_folder, import_folder
from actions.company.files import BY_NAME, FILES
from kit.database import unit_of_work

Rows = Sequence[Mapping[str, str]]
Company = Mapping[str, Rows]

BASE: dict[str, list[dict[str, str]]] = {
    "employees.csv": [
        {"email": "tina@haus.example", "first_name": "Tina", "last_name": "Technik", "roles": "technician"},
        {"email": "ines@haus.example", "first_name": "Ines", "last_name": "Innen", "roles": "back_office"},
    ],
    "customers.csv": [
        {"number": "K1", "name": "Erste GmbH", "street": "Weg 1", "postal_code": "48231", "city": "Warendorf"},
        {"number": "K2", "name": "Zweite GmbH", "street": "Weg 2", "postal_code": "48231", "city": "Warendorf"},
    ],
    "sites.csv": [
        {"customer": "K1", "code": "NORD", "name": "Nord", "street": "Ring 1", "postal_code": "48231", "city": "Warendorf"},
        {"customer": "K2", "code": "SUED", "name": "Süd", "street": "Ring 2", "postal_code": "48231", "city": "Warendorf"},
    ],
    "agreements.csv": [{"customer": "K1", "version": "1", "signed_on": "2025-01-01", "hour_price": "95.00"}],
    "contracts.csv": [
        {
            "number": "V1",
            "customer": "K1",
            "kind": "kontingent",
            "starts_on": "2026-01-01",
            "kontingent_hours_per_month": "10",
            "kontingent_hour_price": "90.00",
        }
    ],
    "tickets.csv": [
        {
            "number": "T1",
            "customer": "K1",
            "kind": "incident",
            "subject": "Drucker",
            "received_at": "2026-10-01T08:00",
            "state": "open",
        }
    ],
    "service_entries.csv": [
        {
            "id": "L1",
            "ticket": "T1",
            "technician": "tina@haus.example",
            "work_date": "2026-10-05",
            "minutes": "50",
            "place": "remote",
            "text": "Treiber erneuert",
            "billable": "yes",
            "approved_by": "ines@haus.example",
            "approved_at": "2026-10-06T09:00",
        }
    ],
}


def company(**changes: Rows) -> dict[str, Rows]:
    """The small company with whole files replaced: `customers=[...]`."""
    return {**BASE, **{f"{name}.csv": rows for name, rows in changes.items()}}


def row(file: str, number: int = 0, /, **changes: str) -> dict[str, str]:
    """One row of the small company with some cells changed; an underscore at the end of a name is dropped."""
    return {**BASE[f"{file}.csv"][number], **{name.rstrip("_"): value for name, value in changes.items()}}


def text_of(rows: Rows, delimiter: str = ",") -> str:
    """Rows as CSV with the columns that any of them names."""
    names = list(dict.fromkeys(name for one in rows for name in one))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="", delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_folder(folder: Path, files: Company) -> Path:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        text = text_of(rows) if rows else ",".join(BY_NAME[name].by_name) + "\n"
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def load(folder: Path, files: Company | None = None, **options: Any) -> ImportReport:
    """Import a folder (written first when files are given) in one unit of work."""
    if files is not None:
        write_folder(folder, files)
    with unit_of_work("test", bulk=True) as session:
        return import_folder(session, folder, **options)


def loaded(folder: Path, files: Company | None = None) -> ImportReport:
    """The same, and it must be right."""
    report = load(folder, files)
    assert report.ok, "\n".join(map(str, report.errors))
    return report


def exported(folder: Path) -> dict[str, bytes]:
    """Export what stands in the database."""
    with unit_of_work("test") as session:
        export_folder(session, folder)
    return {file.name: (folder / file.name).read_bytes() for file in FILES}


def errors(report: ImportReport) -> list[str]:
    """The error lines."""
    return [str(error) for error in report.errors]


def counts(report: ImportReport, file: str) -> tuple[int, int, int]:
    """New, changed, unchanged rows of a file."""
    found = next(one for one in report.files if one.file == f"{file}.csv")
    return found.created, found.changed, found.unchanged
