"""A company folder of any size for the benchmarks: N customers with twenty October entries each, believable and fictional.

python -m benchmarks.big_company 200 FOLDER
"""

import csv
import datetime as dt
import random
import sys
from pathlib import Path

KINDS = ["standard"] * 8 + ["after_hours", "weekend"]
TEXTS = [
    "Druckertreiber auf dem Terminalserver erneuert, Warteschlange geleert, Testseite mit der Anwenderin gedruckt.",
    "Postfach nach Umzug neu verbunden, Regeln übernommen, Abwesenheit eingerichtet und mit dem Anwender geprüft.",
    "Sicherungslauf der Nacht geprüft, fehlgeschlagenen Auftrag neu gestartet, Rücksicherung einer Datei zur Probe.",
    "Firmware der Firewall aktualisiert, VPN-Einwahl von außen getestet, Regelwerk dokumentiert.",
    "Neues Benutzerkonto mit Rechten laut Vorlage angelegt, Arbeitsplatz eingerichtet, kurze Einweisung gegeben.",
    "Langsame Anmeldung untersucht: Netzlaufwerk ohne Ziel entfernt, Profil bereinigt, Anmeldezeit danach 20 Sekunden.",
]


def write(folder: Path, customers: int, entries: int = 20, *, seed: int = 1) -> None:
    """Write the folder; a fifth of the customers has a Kontingent, a fifth gets the e-invoice by mail."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, tuple[list[str], list[list[object]]]] = {}

    def rows(name: str, *columns: str) -> list[list[object]]:
        files[name] = (list(columns), [])
        return files[name][1]

    rows("house.csv", "name", "street", "postal_code", "city", "vat_id", "iban", "bic", "email", "phone").append(
        ["Messhaus GmbH", "Prüfweg 1", "50667", "Köln", "DE136695976", "DE02120300000000202051", "BYLADEM1001",
         "service@messhaus.example", "+4922147100"]
    )  # fmt: skip
    people = rows("employees.csv", "email", "first_name", "last_name", "roles")
    for n in range(10):
        people.append([f"technik{n}@messhaus.example", "Toni", f"Technik{n}", "technician"])
    parties = rows("customers.csv", "number", "name", "street", "postal_code", "city", "delivery")
    contacts = rows("contacts.csv", "customer", "first_name", "last_name", "email", "functions")
    agreements = rows("agreements.csv", "customer", "version", "signed_on", "hour_price", "travel_price")
    contracts = rows(
        "contracts.csv", "number", "customer", "kind", "starts_on", "kontingent_hours_per_month", "kontingent_hour_price",
        "overdraft_allowed",
    )  # fmt: skip
    tickets = rows("tickets.csv", "number", "customer", "kind", "subject", "received_at", "state")
    work = rows(
        "service_entries.csv", "id", "ticket", "technician", "work_date", "started_at", "ended_at", "minutes", "place",
        "trips", "kind", "text", "billable", "non_billable_reason", "approved_by", "approved_at",
    )  # fmt: skip
    for n in range(customers):
        number = f"K{n:06}"
        parties.append([number, f"Messkunde {n} GmbH", f"Straße {n % 300 + 1}", f"{50000 + n % 999}", "Köln",
                        "email_einvoice" if n % 5 == 1 else "post"])  # fmt: skip
        contacts.append([number, "Karla", f"Kontakt{n}", f"k{n}@kunde.example", "service_report|main"])
        agreements.append([number, 1, "2025-01-01", rng.choice(["95.00", "104.50", "112.00"]), "39.00"])
        if n % 5 == 0:
            contracts.append([f"V{n:06}", number, "kontingent", "2026-01-01", 10, "90.00", "yes" if n % 2 else "no"])
        for t in range(0, entries, 2):
            tickets.append([f"T{n:06}-{t}", number, "incident", rng.choice(TEXTS)[:60], "2026-10-01T08:00", "closed"])
        for e in range(entries):
            day = dt.date(2026, 10, 1) + dt.timedelta(days=rng.randrange(30))
            minutes = rng.randrange(10, 150)
            start = dt.datetime.combine(day, dt.time(8, 0)) + dt.timedelta(minutes=rng.randrange(400))
            billable = rng.random() > 0.1
            work.append(
                [f"L{n:06}-{e}", f"T{n:06}-{e - e % 2}", f"technik{rng.randrange(10)}@messhaus.example", day,
                 f"{start:%Y-%m-%dT%H:%M}", f"{start + dt.timedelta(minutes=minutes):%Y-%m-%dT%H:%M}", minutes,
                 rng.choice(["remote", "on_site"]), rng.randrange(2), rng.choice(KINDS), rng.choice(TEXTS),
                 "yes" if billable else "no", "" if billable else "Kulanz", "technik0@messhaus.example", "2026-10-31T18:00"]
            )  # fmt: skip
    for name, (columns, content) in files.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(content)


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]))
