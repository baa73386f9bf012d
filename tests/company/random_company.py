"""Random valid companies: every file, references that hold, texts of every kind."""

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from actions.company.files import BY_NAME
from actions.company.spec import Column
from kit.clock import BERLIN

Rows = list[dict[str, str]]

_LETTERS = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff|")
CODES = st.text(_LETTERS, min_size=1, max_size=8).map(str.strip).filter(bool)
NAMES = st.text(_LETTERS | st.sampled_from(";,\"'=äß "), min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
TEXTS = st.text(_LETTERS | st.sampled_from('\n\r\t;,"|'), min_size=1, max_size=60).filter(lambda text: bool(text.strip()))
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31))
PRICES = st.decimals(0, 99_999, places=4).map(lambda price: f"{price:f}")
CADENCES = st.sampled_from(["FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=YEARLY", "FREQ=DAILY;COUNT=5"])
HOTLINES = st.lists(st.sampled_from(["+492581123", "+493012345678"]), min_size=1, unique=True).map("|".join)


def _instant(moment: dt.datetime) -> str:
    return moment.replace(tzinfo=dt.UTC).astimezone(BERLIN).isoformat()


INSTANTS = st.datetimes(dt.datetime(1991, 1, 1), dt.datetime(2099, 12, 30)).map(_instant)
BY_CELL: dict[str, st.SearchStrategy[str]] = {
    "YesNo": st.sampled_from(["yes", "no"]),
    "VatRate": st.sampled_from(["19", "7", "0", "19.00"]),
    "Day": DAYS.map(str),
    "Instant": INSTANTS,
    "Code": CODES,
    "Email": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True),
    "Person": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True),
    "Phone": st.sampled_from(["+492581123", "02581 123", "Durchwahl 7"]),
    "Iban": st.sampled_from(["DE02120300000000202051", "DE02 1203 0000 0000 2020 51"]),
    "Bic": st.just("DEUTDEFF"),
    "VatId": st.just("DE123456789"),
    "Country": st.sampled_from(["DE", "AT", "CH"]),
    "LeitwegId": st.just("991-01234-38"),
    "CreditorId": st.just("DE98ZZZ09999999999"),
    "WebAddress": st.just("https://portal.haus.example/x?y=1"),
    "Correction": st.sampled_from(["never", "quarter_end", "after_months=3", "below_months=2"]),
    "ServiceHours": st.sampled_from(["mo-fr 08:00-17:00", "mo-do 08:00-17:00|fr 08:00-12:00,13:00-15:00"]),
    "ReactionHours": st.sampled_from(["high=2|normal=8|low=24", "low=1.5", "normal=4|high=1"]),
    "Cadence": CADENCES,
}


def _cell(column: Column) -> st.SearchStrategy[str]:
    cell: Any = column.cell
    kind = type(cell).__name__
    if kind in BY_CELL:
        return BY_CELL[kind]
    if kind == "Choice":
        return st.sampled_from(cell.words)
    if kind == "Integer":
        return st.integers(cell.low, cell.high).map(str)
    if kind == "Number":
        return st.decimals(cell.low, cell.high, places=min(cell.places, 2)).map(lambda number: f"{number:f}")
    if kind == "Listed":
        item = Column("", cell.of, "")
        return HOTLINES if column.name == "hotline" else st.lists(_cell(item), min_size=1, max_size=3).map("|".join)
    return TEXTS if cell.lines else NAMES


class _Maker:
    """Draws rows file by file and remembers what may be referred to."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.files: dict[str, Rows] = {}

    def names(self, file: str, column: str, **where: str) -> list[str]:
        rows = self.files.get(f"{file}.csv", [])
        return [row[column] for row in rows if all(row.get(name) == value for name, value in where.items())]

    def one_of(self, names: list[str]) -> str:
        return str(self.draw(st.sampled_from(["", *names])))

    def rows(self, file: str, count: int, fill: Any = None) -> None:
        """Draw rows whose keys differ (also in small letters, as mail addresses do)."""
        spec = BY_NAME[f"{file}.csv"]
        seen, made = set(), []
        for _ in range(self.draw(st.integers(0 if count > 1 else 1, count))):
            row = {}
            for column in spec.columns:
                wanted = column.required or (column.ref is None and self.draw(st.booleans()))
                row[column.name] = self.draw(_cell(column)) if wanted and column.ref is None else ""
            if fill is not None and fill(row) is False:
                continue
            key = tuple(row[name].strip() for name in spec.key)
            if key not in seen:
                seen.add(key)
                made.append(row)
        self.files[spec.name] = made


@st.composite
def companies(draw: Any) -> dict[str, Rows]:
    """A company in which every file may have rows and every row is right."""
    make = _Maker(draw)
    make.rows("house", 1)
    make.rows("house_sites", 2)
    make.rows("employees", 3, lambda r: r.update(house_site=make.one_of(make.names("house_sites", "code"))))
    make.rows("prices", 3)
    make.rows("products", 3, lambda r: r.update(price_code=make.one_of(make.names("prices", "code"))))
    make.rows("suppliers", 2)
    make.rows("customers", 3, lambda r: _customer(make, r))
    make.rows("sites", 4, lambda r: _of_customer(make, r))
    for row in make.files["sites.csv"]:
        row["bills_to"] = make.one_of(make.names("sites", "code", customer=row["customer"]))
    make.rows("contacts", 3, lambda r: _of_customer(make, r, "site"))
    make.rows("agreements", 3, lambda r: _of_customer(make, r))
    make.rows("contracts", 3, lambda r: _contract(make, r))
    make.rows("contract_lines", 3, lambda r: _line(make, r))
    make.rows("kontingent_opening", 2, lambda r: _of(make, r, "contract", make.names("contracts", "number", kind="kontingent")))
    make.rows("assets", 3, lambda r: _of_customer(make, r, "site", "contract"))
    make.rows("tickets", 3, lambda r: _ticket(make, r))
    make.rows("service_entries", 4, lambda r: _entry(make, r))
    make.rows("usage", 3, lambda r: _usage(make, r))
    make.rows("checks", 2, lambda r: _check(make, r))
    make.rows(
        "licences", 3, lambda r: _of_customer(make, r, "asset") and _of(make, r, "product", make.names("products", "code"))
    )
    make.rows("purchase_orders", 3, lambda r: _order(make, r))
    return make.files


def _of(make: _Maker, row: dict[str, str], column: str, names: list[str]) -> bool:
    if not names:
        return False
    row[column] = make.draw(st.sampled_from(names))
    return True


def _of_customer(make: _Maker, row: dict[str, str], *references: str) -> bool:
    if not _of(make, row, "customer", make.names("customers", "number")):
        return False
    known = {"site": ("sites", "code"), "contact": ("contacts", "email"), "asset": ("assets", "inventory_no")}
    known["contract"] = known["covered_by_contract"] = ("contracts", "number")
    for name in references:
        row[name] = make.one_of(make.names(*known[name], customer=row["customer"]))
    return True


def _customer(make: _Maker, row: dict[str, str]) -> None:
    row["account_manager"] = make.one_of(make.names("employees", "email"))
    row["house_site"] = make.one_of(make.names("house_sites", "code"))
    if row["delivery"] == "xrechnung":
        row["leitweg_id"] = "991-01234-38"
    mandate = {"mandate_reference": "", "mandate_signed_on": "", "mandate_kind": ""}
    if row["iban"] and make.draw(st.booleans()):
        mandate = {
            "mandate_reference": f"M-{len(make.files)}-{make.draw(st.integers(0, 10**12))}",
            "mandate_signed_on": "2024-02-29",
            "mandate_kind": "core",
        }
    row.update(mandate)


def _contract(make: _Maker, row: dict[str, str]) -> bool:
    row["ends_on"] = ""
    if row["kind"] == "kontingent":
        row["kontingent_hours_per_month"], row["kontingent_hour_price"] = make.draw(PRICES), make.draw(PRICES)
    return _of_customer(make, row, "site")


def _line(make: _Maker, row: dict[str, str]) -> bool:
    if row["valid_from"] and row["valid_to"]:
        row["valid_from"], row["valid_to"] = sorted((row["valid_from"], row["valid_to"]))
    row["product"] = make.one_of(make.names("products", "code"))
    return _of(make, row, "contract", make.names("contracts", "number"))


def _ticket(make: _Maker, row: dict[str, str]) -> bool:
    row["assignee"] = make.one_of(make.names("employees", "email"))
    return _of_customer(make, row, "site", "contact", "asset")


def _entry(make: _Maker, row: dict[str, str]) -> bool:
    if row["started_at"] and row["ended_at"]:
        row["ended_at"] = row["started_at"]
    if row["billable"] == "no":
        row["non_billable_reason"] = make.draw(TEXTS)
    if not row["approved_at"]:
        row["approved_by"] = ""
    return _of(make, row, "technician", make.names("employees", "email")) and _of(
        make, row, "ticket", make.names("tickets", "number")
    )


def _usage(make: _Maker, row: dict[str, str]) -> bool:
    lines = make.files["contract_lines.csv"]
    if not lines:
        return False
    line = make.draw(st.sampled_from(lines))
    row["contract"], row["line"] = line["contract"], line["line"]
    return True


def _check(make: _Maker, row: dict[str, str]) -> bool:
    row["technician"] = make.one_of(make.names("employees", "email"))
    return _of_customer(make, row, "covered_by_contract")


def _order(make: _Maker, row: dict[str, str]) -> bool:
    return (
        _of(make, row, "supplier", make.names("suppliers", "code"))
        and _of(make, row, "product", make.names("products", "code"))
        and _of_customer(make, row)
    )
