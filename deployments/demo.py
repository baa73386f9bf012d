"""The business month of the example company, as a list of steps. Later processes add theirs to `STEPS`."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from actions import invitations
from actions.billing import documents, overview, preview, release
from actions.company import import_folder
from actions.mail import outbox
from deployments import demo_history
from deployments.demo_checks import October
from deployments.demo_goods import receive_goods
from deployments.demo_maintenance import ask_for_runs, show_maintenance
from deployments.follow import Follower
from deployments.instance import Instance
from deployments.prefect_api import PrefectApi
from integrations.mail.sink import sunk_mails
from kit import clock
from kit.database import home_secret, unit_of_work
from kit.errors import DrehkreuzError
from models.plumbing import OutboxEvent
from rules.differences import german
from tasks.mail_dispatch import GERMAN

MONTH = "2026-10"
TODAY = "2026-11-02"
"""The day on which the example house bills October; `--today` shows another one."""

RELEASED_BY = demo_history.RELEASED_BY
SHOWN_LOGINS = {
    "gudrun.spaeth@suelzbogen.example": "Innendienst",
    "henrike.oberlaender@suelzbogen.example": "Serviceleitung",
    "corinna.feldhueter@suelzbogen.example": "Kundenbetreuung",
    "britta.muehlhausen@suelzbogen.example": "Disposition",
    "jonas.kuebler@suelzbogen.example": "Technik",
    "emil.kaczmarek@suelzbogen.example": "Materialwirtschaft",
    "ngoc-anh.tran@suelzbogen.example": "Monitoring",
    "valentin.rossbach@suelzbogen.example": "Betrieb",
}
"""One person of the example house for every role, so that each can be looked at."""


class DemoError(DrehkreuzError):
    """The month could not be shown to its end."""


@dataclass
class Demo:
    """What the steps share.

    Args:
        target: the instance, its services run.
        say: takes a German line.
        october: the process that lives October's maintenance meanwhile, if it is to be lived.
    """

    target: Instance
    say: Callable[[str], None]
    october: October | None = None
    logins: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One part of the month: a German title, and what happens."""

    title: str
    do: Callable[[Demo], None]


def load_company(demo: Demo) -> None:
    """Import the example company; a second time it changes nothing."""
    if demo.october is not None:
        demo.say(demo.october.lived())
    with unit_of_work("demo") as session:
        own_september = demo_history.is_billed(session)
    with ExitStack() as stack:
        folder = stack.enter_context(demo_history.company(until=None)) if own_september else demo_history.COMPANY
        report = import_folder(stack.enter_context(unit_of_work("demo", bulk=True)), folder)
    if not report.ok:
        raise DemoError("\n".join([*report.lines(), *map(str, report.errors[:10])]))
    rows = sum(file.rows for file in report.files)
    new = sum(file.created for file in report.files)
    demo.say(f"{rows} Zeilen gelesen, {new} neu: Kunden, Verträge, Preise, Tickets und drei Monate Leistungen")


def open_logins(demo: Demo) -> None:
    """Logins for one person of each role, with one password of this home."""
    password = home_secret("demo-login")
    with unit_of_work("demo") as session:
        for email, task in SHOWN_LOGINS.items():
            invitations.ensure_login(session, email, password)
            demo.logins[email] = task
    demo.say(f"{len(demo.logins)} Zugänge zum Portal")


def release_month(demo: Demo) -> None:
    """Preview October and release exactly that."""
    month = preview.parse_month(MONTH)
    with unit_of_work("demo") as session:
        if overview.show(session, month)["state"] != "open":
            demo.say(f"{MONTH} ist schon freigegeben")
            return
        seen = preview.build(session, month)
        preview.remember(session, seen, clock.now())
    blocked = seen.blocked
    net = sum((item.payer.net for item in seen.items), start=Decimal("0.00"))
    demo.say(f"Vorschau {MONTH}: {len(seen.items)} Abrechnungen, {german(net)} € netto, {len(blocked)} Sperren")
    for who, reasons in _by_customer(seen).items():
        more = f" (und {len(reasons) - 1} weitere)" if len(reasons) > 1 else ""
        demo.say(f"  {reasons[0]}{more}" if reasons[0].startswith(f"{who}:") else f"  {who}: {reasons[0]}{more}")
    with unit_of_work("demo") as session:
        done = release.release(session, month, seen.snapshot, RELEASED_BY)
    demo.say(f"freigegeben von {RELEASED_BY}: {done.parts} Abrechnungen, Prüfsumme {seen.snapshot[:16]}…")


def _by_customer(seen: preview.Preview) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item, blocked in seen.blocked:
        found.setdefault(preview.who_is(item.keys.number, item.payer.site), []).append(blocked.why)
    return found


def bill_month(demo: Demo) -> None:
    """Follow the run that the release has started through the outbox."""
    run_id = _run_of_release()
    with PrefectApi(demo.target) as api:
        run = Follower(api, demo.say, lambda what, done, total: demo.say(f"  {what}: {done} %") if total else None).to_the_end(
            run_id
        )
    message = (run["state"]["message"] or "").strip()
    if run["state"]["type"] != "COMPLETED":
        raise DemoError(f"Der Lauf »{run['name']}« ist gescheitert: {message}")
    summary, *items = message.splitlines() or ["fertig"]
    demo.say(summary)
    if items:
        demo.say(f"{len(items)} offene Punkte wie in der Vorschau; sie halten die anderen nicht auf")
    demo.places["Lauf in Prefect"] = f"{demo.target.prefect_url}/runs/flow-run/{run_id}"


def _run_of_release(seconds: float = 60.0) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with unit_of_work("demo") as session:
            row = session.scalar(sa.select(OutboxEvent).where(OutboxEvent.key == f"billing-release:{MONTH}"))
            if row is not None and row.flow_run_id is not None:
                return row.flow_run_id
        time.sleep(0.2)
    raise DemoError("Das Relay hat aus der Freigabe keinen Lauf gemacht; siehe log/background.log im Heimordner.")


def lay_out_documents(demo: Demo) -> None:
    """Write all papers of the month as files."""
    folder = demo.target.home / "belege" / MONTH
    with unit_of_work("demo") as session:
        written = documents.write(session, preview.parse_month(MONTH), folder)
    kinds = {
        part: sum(path.parent.name == part for path in written) for part in ("reports", "invoices", "sap", "datev", "post")
    }
    demo.say(", ".join(f"{count} in {part}/" for part, count in kinds.items() if count))
    demo.places["Belege"] = str(folder)


def count_mail(demo: Demo) -> None:
    """What the outbox has sent."""
    with unit_of_work("demo") as session:
        counted = outbox.counts(session)
    demo.say(", ".join(f"{count} {GERMAN.get(state, state)}" for state, count in sorted(counted.items())) or "keine")
    if demo.target.uses_sink():
        folder: Path = demo.target.mail_folder
        demo.say(f"{len(sunk_mails(folder))} Mails liegen in der Senke")
        demo.places["Mails"] = str(folder)
    demo.places["Postausgang"] = "drehkreuz mail list"


STEPS: list[Step] = [
    Step("Beispielfirma laden", load_company),
    Step("Zugänge einrichten", open_logins),
    Step("Wartungsrunde und Enden im Blick anstoßen", lambda demo: ask_for_runs(demo.say)),
    Step("Ware annehmen", lambda demo: receive_goods(demo.say)),
    Step("Oktober ansehen und freigeben", release_month),
    Step("Oktober abrechnen", bill_month),
    Step("Wartung ansehen", lambda demo: demo.places.update(show_maintenance(demo.target, demo.say))),
    Step("Belege ablegen", lay_out_documents),
    Step("Post zählen", count_mail),
]
