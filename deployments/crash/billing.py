"""The month as a crash scenario: killed again and again until it is through, then compared with an undisturbed one."""

import csv
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from integrations.mail.sink import sunk_mails

ROOT = Path(__file__).resolve().parents[2]
MONTH = "2026-10"
TODAY = dt.date(2026, 11, 2)
FLOW = "flows.monthly_billing:monthly_billing"
PATIENCE = 240
"""Starts until the month must be through, killed or not."""


PLAN = (
    ("after commit", 2), ("before archive", 1), ("after archive", 2), ("before commit", 3), ("before mail", 1),
    ("after mail", 1), ("after commit", 4), ("after mail", 2), ("before archive", 2), ("before sap", 1),
    ("after sap", 2), ("before commit", 2),
)  # fmt: skip
"""The first kills: every kind of boundary in the order in which a month meets them; later ones are drawn by lot."""


@dataclass(slots=True)
class Result:
    """What was killed where, and whether the end is right."""

    kills: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    unclear: int = 0
    faults: list[str] = field(default_factory=list)


def write_company(folder: Path, customers: int = 5) -> None:
    """A small house with every way of billing: by the hour, Kontingent, e-invoice, post."""
    files: dict[str, list[list[object]]] = {
        "house.csv": [["name", "street", "postal_code", "city", "vat_id", "iban", "email", "phone"],
                      ["Bruchfest GmbH", "Weg 1", "50667", "Köln", "DE136695976", "DE02120300000000202051",
                       "service@bruchfest.example", "+4922147100"]],
        "employees.csv": [["email", "first_name", "last_name", "roles"],
                          ["t@bruchfest.example", "Toni", "Technik", "technician"]],
        "customers.csv": [["number", "name", "street", "postal_code", "city", "delivery"]],
        "contacts.csv": [["customer", "first_name", "last_name", "email", "functions"]],
        "agreements.csv": [["customer", "version", "signed_on", "hour_price", "travel_price"]],
        "contracts.csv": [["number", "customer", "kind", "starts_on", "kontingent_hours_per_month", "kontingent_hour_price"]],
        "tickets.csv": [["number", "customer", "kind", "subject", "received_at", "state"]],
        "service_entries.csv": [["id", "ticket", "technician", "work_date", "minutes", "place", "trips", "text", "billable",
                                 "approved_by", "approved_at"]],
    }  # fmt: skip
    for n in range(customers):
        key = f"K{n}"
        files["customers.csv"].append([key, f"Kunde {n}", "Straße 1", "50667", "Köln", "email_einvoice" if n % 2 else "post"])
        files["contacts.csv"].append([key, "Karla", "Kontakt", f"k{n}@kunde.example", "service_report|main"])
        files["agreements.csv"].append([key, 1, "2025-01-01", "95.00", "39.00"])
        if n % 2 == 0:
            files["contracts.csv"].append([f"V{n}", key, "kontingent", "2026-09-01", 1, "90.00"])
        files["tickets.csv"].append([f"T{n}", key, "incident", "Drucker druckt nicht", "2026-10-01T08:00", "closed"])
        for e in range(2):
            files["service_entries.csv"].append(
                [f"L{n}-{e}", f"T{n}", "t@bruchfest.example", f"2026-10-{5 + e:02}", 50 + 30 * n, "on_site", 1, "Treiber neu.",
                 "yes", "t@bruchfest.example", "2026-10-31T18:00"]
            )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


class Home:
    """A home of its own, driven only through processes. Use as a context manager."""

    def __init__(self, folder: Path, smtp_port: int) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".boundaries")
        self._parent: subprocess.Popen[str] | None = None
        self.environment = os.environ | {
            "DREHKREUZ_HOME": str(folder),
            "DREHKREUZ_SMTP_HOST": "127.0.0.1",
            "DREHKREUZ_SMTP_PORT": str(smtp_port),
            "DREHKREUZ_SMTP_TLS": "none",
            "DREHKREUZ_REPORT_GRACE_DAYS": "0",
            "DREHKREUZ_RENDER_PROCESSES": "1",
            "DREHKREUZ_CLOCK_SHIFT_DAYS": str((TODAY - dt.datetime.now(dt.UTC).date()).days),  # noqa: TID251 - real days
            "PYTHONPATH": str(ROOT),
        }

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def command(self, *arguments: str) -> str:
        """One command of the product; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "deployments.cli", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 3):
            raise RuntimeError(f"drehkreuz {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def prepare(self, company: Path) -> None:
        """Import and release, so that everything after it is the month's flow."""
        self.command("import", str(company))
        snapshot = json.loads(self.command("billing", "preview", MONTH, "--json"))["snapshot"]
        self.command("billing", "release", MONTH, "--snapshot", snapshot)

    def open(self) -> None:
        """The parent of all starts, with the flow loaded and the database running."""
        errors = self.log.with_suffix(".errors").open("ab")
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "deployments.crash.child", "--log", str(self.log), "--flow", FLOW],
            cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        errors.close()

    def close(self) -> None:
        """End the parent; its database ends with it."""
        if self._parent is not None and self._parent.stdin and self._parent.stdout:
            self._parent.stdin.close()
            self._parent.wait(timeout=60)
            self._parent.stdout.close()
            self._parent = None

    def start(self, kill_at: int = 0, kind: str = "") -> bool:
        """Start the flow, to be killed at that boundary (of that kind; 0 = not). True when it came to its end."""
        if self._parent is None or self._parent.stdin is None or self._parent.stdout is None:
            raise RuntimeError("open() first")
        order = {"flow": FLOW, "parameters": {"month": MONTH}, "kill_at": kill_at, "kind": kind}
        self._parent.stdin.write(json.dumps(order) + "\n")
        self._parent.stdin.flush()
        code = json.loads(self._parent.stdout.readline())["code"]
        if code not in (0, -9):
            raise RuntimeError(f"{FLOW}: {self.log.with_suffix('.errors').read_text('utf-8')[-2000:]}")
        return bool(code == 0)

    def shown(self) -> dict[str, Any]:
        """The month as `billing show --json` tells it."""
        told: dict[str, Any] = json.loads(self.command("billing", "show", MONTH, "--json"))
        return told

    def mails(self) -> list[dict[str, Any]]:
        """The outbox."""
        listed: list[dict[str, Any]] = json.loads(self.command("mail", "list", "--json"))
        return listed


def comparable(told: dict[str, Any]) -> dict[str, Any]:
    """What must be the same whatever happened on the way: everything but instants, and which of equal numbers went where."""
    customers = []
    for customer in told["customers"]:
        report, invoices = customer["report"], customer["invoices"]
        customers.append(
            {
                "customer": (customer["number"], customer["site"]),
                "report": {k: v for k, v in report.items() if k not in ("id", "accepted_at")} if report else None,
                "kontingent": customer["kontingent"],
                "invoices": sorted((i["kind"], i["net"], i["vat"], i["gross"], i["face"], i["state"]) for i in invoices),
                "blocked": customer["blocked"],
            }
        )
    numbers = sorted(i["number"] for c in told["customers"] for i in c["invoices"])
    reports = sorted(c["report"]["id"] for c in told["customers"] if c["report"])
    return {"state": told["state"], "customers": customers, "totals": told["totals"], "invoices": numbers, "reports": reports}


def disturbed(home: Home, sink: Path, kills: int, rng: random.Random, tell: Callable[[str], None]) -> Result:
    """Kill the month until the count is reached, then let it run; a person decides about unclear mails as the runbook says."""
    result, plan = Result(), iter(PLAN)
    while result.starts < PATIENCE:
        result.starts += 1
        killed = sum(result.kills.values())
        kind, kill_at = next(plan, ("", rng.randint(1, 24))) if killed < kills else ("", 0)
        if not home.start(kill_at, kind):
            place = home.log.read_text(encoding="utf-8").splitlines()[-1].split(" ", 2)[2]
            result.kills[place] += 1
            tell(f"{sum(result.kills.values())}: getötet bei »{place}«")
            continue
        unclear = [m for m in home.mails() if m["state"] == "unclear"]
        for mail in unclear:
            result.unclear += 1
            arrived = any(mail["message_id"].encode() in kept.raw for kept in sunk_mails(sink))
            home.command("mail", "resolve", mail["key"], "--arrived" if arrived else "--again")
        if not unclear and home.shown()["state"] == "done":
            return result
    result.faults.append(f"nach {PATIENCE} Starts nicht fertig")
    return result


def compare(home: Home, sink: Path, expected: dict[str, Any], result: Result) -> None:
    """The end state against the undisturbed one; and no mail twice."""
    actual = comparable(home.shown())
    result.faults += [f"{key}: {actual[key]} statt {expected[key]}" for key in expected if actual[key] != expected[key]]
    ids = Counter(_message_id(kept.raw) for kept in sunk_mails(sink))
    result.faults += [f"Mail {ident} kam {count}-mal an" for ident, count in ids.items() if count > 1]
    accepted = [m for m in home.mails() if m["state"] == "accepted"]
    if len(ids) != len(accepted):
        result.faults.append(f"{len(ids)} Mails angekommen, {len(accepted)} als angenommen vermerkt")


def _message_id(raw: bytes) -> str:
    line = next((li for li in raw.split(b"\r\n\r\n", 1)[0].splitlines() if li.lower().startswith(b"message-id:")), b"")
    return line.decode("ascii", "replace")


@contextmanager
def sink_process(folder: Path) -> Iterator[int]:
    """The recording mail sink as a process of its own, on loopback."""
    from actions.mail.transport import own_sink

    with own_sink(folder) as port:
        yield port


def run(kills: int, seed: int, tell: Callable[[str], None]) -> Result:
    """One disturbed month against one undisturbed one."""
    rng = random.Random(seed)  # noqa: S311 - the same seed, the same kills
    with tempfile.TemporaryDirectory(prefix="drehkreuz-crash-") as temporary:
        base = Path(temporary)
        company = base / "company"
        write_company(company)
        with sink_process(base / "calm-sink") as port, Home(base / "calm", port) as calm:
            calm.prepare(company)
            calm.start()
            expected = comparable(calm.shown())
        if expected["state"] != "done":
            raise RuntimeError(f"Der ungestörte Lauf ist nicht fertig: {expected['state']}")
        with sink_process(base / "sink") as port, Home(base / "home", port) as home:
            home.prepare(company)
            result = disturbed(home, base / "sink", kills, rng, tell)
            compare(home, base / "sink", expected, result)
    return result
